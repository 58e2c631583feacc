//! What the subjects do.

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::transmute;
use std::panic::catch_unwind;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::{env, fs};

use agx_ledger::{EventPhase, Ledger};

use crate::driver::{self, BUFFER, ENCODER};
use crate::objc::{Class, Id, Sel, class, instance, ivar, lookup, selector, send};

/// The class that only the runtime is told of.
pub const UNANNOUNCED: &str = "AGXTestSampledContext";

unsafe extern "C" {
    fn class_getInstanceMethod(class: Class, selector: Sel) -> *mut c_void;
    fn method_setImplementation(method: *mut c_void, code: *const c_void) -> *const c_void;
    fn objc_allocateClassPair(superclass: Class, name: *const c_char, extra: usize) -> Class;
    fn class_addMethod(class: Class, name: Sel, code: *const c_void, types: *const c_char) -> i8;
}

pub fn run(name: &str) {
    driver::register(|it| it);
    match name {
        "replaced" => replaced(),
        "unannounced" => unannounced(),
        "added-last" => add(class(ENCODER), c"addedLast:"),
        "threads" => threads(),
        "meet" => meet(),
        "committed-elsewhere" => committed_elsewhere(),
        "throws" => throws(),
        "killed" => killed(),
        "fork" => fork(),
        other => panic!("no subject {other}"),
    }
}

extern "C-unwind" fn nothing(_: Id, _: Sel, _: Id) {}

fn message(object: Id, name: &CStr, argument: *mut c_void) {
    let selector = selector(name);
    // SAFETY: the driver's methods with one argument take a pointer and return nothing.
    unsafe {
        let code: unsafe extern "C-unwind" fn(Id, Sel, Id) = lookup(object, selector);
        code(object, selector, argument);
    }
}

fn work(encoder: Id) {
    message(encoder, c"setComputePipelineState:", ptr::null_mut());
}

fn work_elsewhere(encoder: Id) {
    let encoder = encoder as usize;
    thread::spawn(move || work(encoder as Id))
        .join()
        .expect("no panic");
}

fn replaced() {
    // SAFETY: the class has the method, and the code takes what it takes or less.
    unsafe {
        let method = class_getInstanceMethod(class(ENCODER), selector(c"throwIt"));
        assert!(!method.is_null());
        method_setImplementation(method, nothing as *const c_void);
    }
}

fn add(class: Class, name: &CStr) {
    // SAFETY: the class exists; the code has the type.
    let added = unsafe {
        class_addMethod(
            class,
            selector(name),
            nothing as *const c_void,
            c"v24@0:8@16".as_ptr(),
        )
    };
    assert_eq!(added, 1);
}

/// Registers a class past this library, which is preloaded before the runtime and asked first by everybody else.
fn unannounced() {
    // SAFETY: the runtime is loaded; its function has this type; the class is made by it.
    unsafe {
        let runtime = libc::dlopen(
            c"libobjc.so.4".as_ptr(),
            libc::RTLD_NOLOAD | libc::RTLD_LAZY,
        );
        assert!(!runtime.is_null());
        let register = libc::dlsym(runtime, c"objc_registerClassPair".as_ptr());
        assert!(!register.is_null());
        let register = transmute::<*mut c_void, extern "C" fn(Class)>(register);
        let name = CString::new(UNANNOUNCED).expect("no NUL").into_raw();
        let made = objc_allocateClassPair(class(ENCODER), name, 0);
        add(made, c"setComputePipelineState:");
        add(made, c"setLabel:"); // by rule nobody's work
        register(made);
    }
}

/// Encoders of one thread, of two, and of five; one that nobody was seen to make.
fn threads() {
    let buffer = instance(class(BUFFER));
    let make = || send(buffer, c"computeCommandEncoder");
    for _ in 0..2 {
        let own = make();
        work(own);
        send(own, c"endEncoding");
    }
    let two = make();
    work_elsewhere(two);
    send(two, c"endEncoding");
    let five = make();
    work(five);
    for _ in 0..4 {
        work_elsewhere(five);
    }
    send(five, c"endEncoding");
    work(driver::encoder());
}

static MET: AtomicUsize = AtomicUsize::new(0);

/// One thread is inside a call, another waits to get in.
fn meet() {
    extern "C-unwind" fn inside() {
        let encoder = MET.load(Ordering::SeqCst);
        let other: JoinHandle<()> = thread::spawn(move || work(encoder as Id));
        until_waiting();
        drop(other); // it goes on when this call is over
    }
    let encoder = send(instance(class(BUFFER)), c"computeCommandEncoder");
    MET.store(encoder as usize, Ordering::SeqCst);
    message(encoder, c"run:", inside as *mut c_void);
    until(|ledger| {
        ledger
            .census
            .iter()
            .any(|it| it.selector == "setComputePipelineState:" && it.tally.left == 1)
    });
}

fn until_waiting() {
    until(|ledger| {
        let mut calls = ledger.rings.iter().filter_map(|ring| ring.events.last());
        calls.any(|it| it.phase == EventPhase::Waiting)
    });
}

/// Waits until this process's ledger is as asked.
fn until(is_so: impl Fn(&Ledger) -> bool) {
    let folder = env::var("AGX_FIX_LEDGER_DIR").expect("set");
    let entry = fs::read_dir(folder).expect("a folder").next();
    let path = entry.expect("a ledger").expect("an entry").path();
    while !is_so(&Ledger::parse(&fs::read(&path).expect("readable")).expect("a ledger")) {
        thread::yield_now();
    }
}

/// A thread commits, and the library ends what another one left open.
fn committed_elsewhere() {
    let buffer = instance(class(BUFFER));
    work(send(buffer, c"computeCommandEncoder"));
    let buffer = buffer as usize;
    thread::spawn(move || send(buffer as Id, c"commit") as usize)
        .join()
        .expect("no panic");
}

fn throws() {
    let encoder = driver::encoder();
    catch_unwind(|| send(encoder, c"throwIt")).expect_err("it throws");
    work(encoder);
    // SAFETY: the variable is the object's.
    unsafe { ivar(class(ENCODER), encoder, c"_impl").write(ptr::null_mut()) };
    work(encoder);
}

fn killed() {
    extern "C-unwind" fn kill() {
        // SAFETY: ends this process.
        unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
    }
    message(driver::encoder(), c"run:", kill as *mut c_void);
}

fn fork() {
    let encoder = driver::encoder();
    work(encoder);
    // SAFETY: the child makes one call and leaves through `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        work(encoder);
        // SAFETY: ends the child.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: `status` is valid for a write.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0);
    work(encoder);
}
