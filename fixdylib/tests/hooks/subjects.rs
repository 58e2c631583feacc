//! What the subjects do.

use std::ffi::CStr;
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

fn message(object: Id, name: &CStr, argument: *mut std::ffi::c_void) {
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
    // Another thread would wait for ever if the lock were still held.
    thread::spawn(move || work(address as Id))
        .join()
        .expect("no panic");
    assert_eq!(WORK.load(Ordering::SeqCst), 1);
}

/// Waits for a child; its exit status.
fn wait_for(child: libc::pid_t) -> i32 {
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
    let thread =
        thread::spawn(move || message(sitting as Id, c"run:", sit as *mut std::ffi::c_void));
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
    message(encoder, c"run:", do_fork as *mut std::ffi::c_void);
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
    message(encoder, c"run:", what as *mut std::ffi::c_void);
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
