//! What the subjects do.

use std::ffi::{CStr, CString, c_void};
use std::mem::transmute;
use std::panic::catch_unwind;
use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;

use crate::driver::{self, ENDS, RETAINS, WORK};
use crate::objc::{Id, Sel, class, instance, ivar, lookup, selector, send};

pub fn run(name: &str) {
    match name {
        "abi" => crate::abi::run(),
        "life" => life(),
        "null" => null(),
        "throw" => throw(),
        "release-throws" => release_throws(),
        "foreign" => foreign(),
        "abandoned" => abandoned(),
        "contend" => contend(),
        "end-twice" => crate::meets::end_twice(),
        "end-before-work" => crate::meets::end_before_work(),
        "end-before-throw" => crate::meets::end_before_throw(),
        "throw-everywhere" => crate::throws::throw_everywhere(),
        "throw-nested" => crate::throws::throw_nested(),
        "event-own" => crate::waits::event_own(),
        "event-other" => crate::waits::event_other(),
        "event-dead" => crate::waits::event_dead(),
        "event-limit" => crate::waits::event_limit(),
        "throttle" => crate::waits::throttle(),
        "long-wait" => crate::long_waits::long_wait(),
        "silent" => crate::silent::silent(),
        "silent-later" => crate::silent::silent_later(),
        "silent-odd" => crate::silent::silent_odd(),
        "silent-threads" => crate::silent::silent_threads(),
        "fork-eight" => crate::waits::fork_eight(),
        "many" => crate::waits::many(),
        "fork" => fork(),
        "fork-inside" => fork_inside(),
        "kill" => inside(kill),
        "segv" => inside(segv),
        "vfork" => vfork(),
        "hooked" => {
            driver::register(|it| it);
            work(driver::encoder());
        }
        other => panic!("no subject {other}"),
    }
}

pub fn message(object: Id, name: &CStr, argument: *mut c_void) {
    let selector = selector(name);
    // SAFETY: the driver's methods with one argument take a pointer and return nothing.
    unsafe {
        let code: unsafe extern "C-unwind" fn(Id, Sel, Id) = lookup(object, selector);
        code(object, selector, argument);
    }
}

pub fn work(encoder: Id) {
    message(encoder, c"setComputePipelineState:", ptr::null_mut());
}

fn life() {
    driver::register(|it| it);
    let buffer = instance(class(driver::BUFFER));
    let ended = send(buffer, c"computeCommandEncoder");
    assert_eq!(
        RETAINS.load(Ordering::SeqCst),
        1,
        "retained when it was made"
    );
    work(ended);
    send(ended, c"endEncoding");
    assert_eq!(RETAINS.load(Ordering::SeqCst), 0, "given back at its end");
    work(ended); // late, and counted

    let left_open = send(buffer, c"computeCommandEncoder");
    work(left_open);
    let adopted = driver::encoder();
    work(adopted);
    assert_eq!(RETAINS.load(Ordering::SeqCst), 2);
    send(buffer, c"commit");
    assert_eq!(ENDS.load(Ordering::SeqCst), 2, "the open encoder was ended");
    send(adopted, c"endEncoding");
    send(buffer, c"commit");
    assert_eq!(RETAINS.load(Ordering::SeqCst), 0);
    assert_eq!(WORK.load(Ordering::SeqCst), 4, "nothing was dropped");
}

fn null() {
    driver::register(|it| it);
    let encoder = driver::encoder();
    work(encoder);
    // SAFETY: the variable is the object's.
    unsafe { ivar(class(driver::ENCODER), encoder, c"_impl").write(ptr::null_mut()) };
    work(encoder);
    work(encoder);
    send(encoder, c"endEncoding");
    assert_eq!(
        (WORK.load(Ordering::SeqCst), ENDS.load(Ordering::SeqCst)),
        (1, 1)
    );
    assert_eq!(RETAINS.load(Ordering::SeqCst), 0);
}

fn throw() {
    driver::register(|it| it);
    let encoder = driver::encoder();
    let address = encoder as usize;
    let caught = catch_unwind(|| send(address as Id, c"throwIt")).expect_err("it throws");
    assert_eq!(
        *caught.downcast::<&str>().expect("the thrown text"),
        "thrown"
    );
    works_elsewhere(address);
    assert_eq!(WORK.load(Ordering::SeqCst), 1);
}

/// Works with an encoder on another thread, which would wait for ever if the lock were still held.
fn works_elsewhere(encoder: usize) {
    thread::spawn(move || work(encoder as Id))
        .join()
        .expect("no panic");
}

/// `release` throws inside the library, as the retain is given back.
fn release_throws() {
    driver::register(|it| it);
    let buffer = instance(class(driver::BUFFER));
    let encoder = send(buffer, c"computeCommandEncoder") as usize;
    driver::RELEASE_THROWS.store(true, Ordering::SeqCst);
    catch_unwind(|| send(encoder as Id, c"endEncoding")).expect_err("it throws");
    driver::RELEASE_THROWS.store(false, Ordering::SeqCst);
    works_elsewhere(driver::encoder() as usize);
    assert_eq!(WORK.load(Ordering::SeqCst), 1);
}

/// A C++ and an Objective-C exception, thrown by the original and caught above the hook.
fn foreign() {
    let symbol = |library: *mut c_void, name: &CStr| {
        // SAFETY: the handle is open, or means the default search.
        let found = unsafe { libc::dlsym(library, name.as_ptr()) };
        assert!(!found.is_null(), "{name:?}");
        found
    };
    let path = CString::new(std::env::var(crate::SHIM).expect("set")).expect("no NUL");
    // SAFETY: the shim runs no code when it is loaded.
    let shim = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
    assert!(!shim.is_null());
    // SAFETY: foreign.cpp declares the functions so.
    let (use_objc_throw, call_and_catch) = unsafe {
        (
            transmute::<*mut c_void, extern "C" fn(*mut c_void)>(symbol(shim, c"use_objc_throw")),
            transmute::<*mut c_void, extern "C" fn(*const c_void, Id, Sel) -> i32>(symbol(
                shim,
                c"call_and_catch",
            )),
        )
    };
    use_objc_throw(symbol(libc::RTLD_DEFAULT, c"objc_exception_throw"));
    let (cpp, objc) = (symbol(shim, c"throw_cpp"), symbol(shim, c"throw_objc"));
    driver::register(|it| {
        it.method("throwCpp", "v16@0:8", cpp)
            .method("throwObjc", "v16@0:8", objc)
    });
    let encoder = driver::encoder();
    for (name, caught) in [(c"throwCpp", 42), (c"throwObjc", 1)] {
        let selector = selector(name);
        // SAFETY: the method takes nothing and returns nothing.
        let code: *const c_void = unsafe { lookup(encoder, selector) };
        assert_eq!(call_and_catch(code, encoder, selector), caught, "{name:?}");
        works_elsewhere(encoder as usize);
    }
    send(encoder, c"endEncoding");
    assert_eq!(WORK.load(Ordering::SeqCst), 2);
    assert_eq!(RETAINS.load(Ordering::SeqCst), 0);
}

/// The program lets go of encoders without ending them.
fn abandoned() {
    driver::register(|it| it);
    let buffer = instance(class(driver::BUFFER));
    work(send(buffer, c"computeCommandEncoder"));
    // Somebody else holds the first one still: it stays.
    work(send(buffer, c"computeCommandEncoder"));
    assert_eq!(RETAINS.load(Ordering::SeqCst), 2);
    // Now nobody does but the library.
    driver::RETAIN_COUNT.store(1, Ordering::SeqCst);
    work(send(buffer, c"computeCommandEncoder"));
    assert_eq!(RETAINS.load(Ordering::SeqCst), 1, "only the newest is held");
    // Another command buffer's are none of its business.
    let other = instance(class(driver::BUFFER));
    work(send(other, c"computeCommandEncoder"));
    assert_eq!(RETAINS.load(Ordering::SeqCst), 2);
    assert_eq!(ENDS.load(Ordering::SeqCst), 0);
}

pub const THREADS: u64 = 8;
pub const CALLS: u64 = 20_000;

/// Threads that share one encoder.
fn contend() {
    driver::register(|it| it);
    let encoder = driver::encoder() as usize;
    let start = std::sync::Barrier::new(usize::try_from(THREADS).expect("small"));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                for _ in 0..CALLS {
                    work(encoder as Id);
                }
            });
        }
    });
    send(encoder as Id, c"endEncoding");
    assert_eq!(WORK.load(Ordering::SeqCst), THREADS * CALLS);
    assert_eq!(RETAINS.load(Ordering::SeqCst), 0);
}

/// Waits for a child; its exit status.
pub fn wait_for(child: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: `status` is valid for a write.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert!(libc::WIFEXITED(status), "{status:#x}");
    libc::WEXITSTATUS(status)
}

/// Another thread sits inside a hooked call, lock in hand, while this one forks.
fn fork() {
    static INSIDE: std::sync::OnceLock<mpsc::Sender<()>> = std::sync::OnceLock::new();
    static LEAVE: std::sync::Mutex<Option<mpsc::Receiver<()>>> = std::sync::Mutex::new(None);
    extern "C-unwind" fn sit() {
        INSIDE
            .get()
            .expect("set")
            .send(())
            .expect("the main thread waits");
        let leave = LEAVE.lock().expect("no panic").take().expect("set");
        leave.recv().expect("the main thread sends");
    }
    driver::register(|it| it);
    let (inside, is_inside) = mpsc::channel();
    let (leave, may_leave) = mpsc::channel();
    INSIDE.set(inside).expect("once");
    *LEAVE.lock().expect("no panic") = Some(may_leave);
    let sitting = driver::encoder() as usize;
    let other = driver::encoder();
    let thread = thread::spawn(move || message(sitting as Id, c"run:", sit as *mut c_void));
    is_inside.recv().expect("the thread sends");
    // SAFETY: the child makes one call and leaves through `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: a child that waits for the lock is ended by the alarm, and seen as not exited.
        unsafe { libc::alarm(20) };
        work(other);
        // SAFETY: ends the child.
        unsafe { libc::_exit(7) };
    }
    assert_eq!(wait_for(child), 7);
    leave.send(()).expect("the thread waits");
    thread.join().expect("no panic");
    work(other);
}

/// The driver forks inside a hooked call; both sides return through the hook.
fn fork_inside() {
    static CHILD: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(-1);
    extern "C-unwind" fn do_fork() {
        // SAFETY: the child makes calls of this test's and leaves through `_exit`.
        CHILD.store(unsafe { libc::fork() }, Ordering::SeqCst);
    }
    driver::register(|it| it);
    let encoder = driver::encoder();
    message(encoder, c"run:", do_fork as *mut c_void);
    work(driver::encoder());
    match CHILD.load(Ordering::SeqCst) {
        // SAFETY: ends the child.
        0 => unsafe { libc::_exit(5) },
        child => assert_eq!(wait_for(child), 5),
    }
}

fn inside(what: extern "C-unwind" fn()) {
    driver::register(|it| it);
    let encoder = driver::encoder();
    work(encoder);
    message(encoder, c"run:", what as *mut c_void);
}

extern "C-unwind" fn kill() {
    // SAFETY: ends this process.
    unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
}

extern "C-unwind" fn segv() {
    // SAFETY: none; the fault is what is wanted.
    unsafe { ptr::without_provenance_mut::<u8>(8).write_volatile(1) };
}

/// The child leaves through `_exit` in the parent's memory; then the parent is killed, so that only the child could have
/// closed the ledger.
fn vfork() {
    #[allow(deprecated)] // what is deprecated is what is tested
    // SAFETY: the child calls `_exit` and nothing else.
    let child = unsafe { libc::vfork() };
    if child == 0 {
        // SAFETY: ends the child.
        unsafe { libc::_exit(0) };
    }
    assert_eq!(wait_for(child), 0);
    kill();
}
