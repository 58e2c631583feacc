//! What the subjects do. Each is run under every version, and prints what it saw.

use std::panic::catch_unwind;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Instant;

use crate::driver::{self, BUFFER, COMPUTE, MPS, SAMPLED};
use crate::objc::{Id, class, instance, ivar, send};

/// Seconds after which a subject that hangs is ended by SIGALRM.
const PATIENCE: u32 = 3;

pub fn run(name: &str) {
    // SAFETY: has no preconditions; the signal ends the process.
    unsafe { libc::alarm(PATIENCE) };
    driver::register();
    match name {
        "hooks" => hooks(),
        "untracked" => untracked(),
        "created" => created(),
        "null" => null(),
        "work-inside" => {
            let encoder = created_encoder();
            driver::inside_the_next(work_elsewhere);
            work(encoder);
        }
        "end-inside" => {
            let encoder = created_encoder();
            driver::inside_the_next(end_it);
            work(encoder);
        }
        "nested" => {
            let encoder = created_encoder();
            driver::inside_the_next(work);
            work(encoder);
        }
        "factory-inside" => {
            driver::inside_the_next(work_elsewhere);
            send(buffer(), c"computeCommandEncoder");
        }
        "destroy-inside" => {
            driver::inside_the_next(work_elsewhere);
            send(driver::encoder(COMPUTE), c"destroyImpl");
        }
        "destroy" => destroy(),
        "commit-inside" => {
            driver::inside_the_next(work_elsewhere);
            send(buffer(), c"commit");
        }
        "commit-open" => commit_open(),
        "event-own" => event_own(),
        "event-other" => event_other(),
        "fence" => fence(),
        "threads" => threads(),
        "throw" => throw(),
        "fork" => fork(),
        "mps" => mps(),
        "parallel" => parallel(),
        "late" => late(),
        other => panic!("no subject {other}"),
    }
    report();
}

/// One line for the test to read.
fn report() {
    let of = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::SeqCst);
    println!(
        "saw work={} inherited={} ends={} destroys={} commits={} events={} compute_fences={} blit_fences={} retains={} ends_at_event={}",
        of(&driver::WORK),
        of(&driver::INHERITED_WORK),
        of(&driver::ENDS),
        of(&driver::DESTROYS),
        of(&driver::COMMITS),
        of(&driver::EVENTS),
        of(&driver::COMPUTE_FENCES),
        of(&driver::BLIT_FENCES),
        driver::RETAINS.load(Ordering::SeqCst),
        of(&driver::ENDS_AT_EVENT),
    );
}

fn buffer() -> Id {
    instance(class(BUFFER))
}

/// An encoder of a command buffer of its own.
fn created_encoder() -> Id {
    send(buffer(), c"computeCommandEncoder")
}

extern "C-unwind" fn work(encoder: Id) {
    send(encoder, c"setComputePipelineState:");
}

extern "C-unwind" fn end_it(this: Id) {
    send(this, c"endEncoding");
}

/// A hooked call on another thread, which ends only if the lock is free.
extern "C-unwind" fn work_elsewhere(_: Id) {
    thread::spawn(|| work(driver::encoder(COMPUTE)))
        .join()
        .expect("no panic");
}

fn hooks() {
    let sampled = driver::encoder(SAMPLED);
    for encoder in [driver::encoder(COMPUTE), sampled] {
        work(encoder);
        send(encoder, c"useHeap:");
        send(encoder, c"unpublished");
    }
    send(sampled, c"dispatchWaitFlush");
}

fn untracked() {
    let encoder = driver::encoder(COMPUTE);
    work(encoder);
    work(encoder);
}

fn created() {
    let buffer = buffer();
    let encoder = send(buffer, c"computeCommandEncoder");
    work(encoder);
    work(encoder);
    send(encoder, c"endEncoding");
    send(encoder, c"deferredEndEncoding");
}

fn null() {
    let encoder = created_encoder();
    // SAFETY: the variable is the object's.
    unsafe { ivar(class(COMPUTE), encoder, c"_impl").write(ptr::null_mut()) };
    work(encoder);
    work(encoder);
}

fn destroy() {
    let encoder = created_encoder();
    work(encoder);
    send(encoder, c"destroyImpl");
    work(encoder);
}

fn commit_open() {
    let buffer = buffer();
    let encoder = send(buffer, c"blitCommandEncoder");
    send(encoder, c"synchronizeResource:");
    send(buffer, c"commit");
    send(buffer, c"commit");
}

fn signal(buffer: Id) {
    send(buffer, c"encodeSignalEvent:value:");
}

fn event_own() {
    let buffer = buffer();
    send(buffer, c"computeCommandEncoder");
    let start = Instant::now();
    signal(buffer);
    println!("waited {} ms", start.elapsed().as_millis());
}

/// Another thread has its encoder open when this one signals, and ends it, before or after this one begins to wait.
fn event_other() {
    let buffer = buffer() as usize;
    let (open, opened) = mpsc::channel();
    let other = thread::spawn(move || {
        let encoder = send(buffer as Id, c"computeCommandEncoder");
        open.send(()).expect("received");
        work(encoder);
        send(encoder, c"endEncoding");
    });
    opened.recv().expect("sent");
    signal(buffer as Id);
    other.join().expect("no panic");
}

fn fence() {
    for factory in [c"computeCommandEncoder", c"blitCommandEncoder"] {
        send(send(buffer(), factory), c"updateFence:");
    }
}

/// Two threads work with one encoder, each twice.
fn threads() {
    let encoder = driver::encoder(COMPUTE) as usize;
    let both = Barrier::new(2);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                both.wait();
                work(encoder as Id);
                work(encoder as Id);
            });
        }
    });
    println!("inside {}", driver::RETAINS.load(Ordering::SeqCst));
    send(encoder as Id, c"endEncoding");
}

extern "C-unwind" fn throw_it(_: Id) {
    std::panic::panic_any("thrown");
}

fn throw() {
    let encoder = send(buffer(), c"computeCommandEncoder") as usize;
    driver::inside_the_next(throw_it);
    let thrown = catch_unwind(|| work(encoder as Id)).expect_err("it throws");
    assert_eq!(thrown.downcast_ref(), Some(&"thrown"));
    work_elsewhere(encoder as Id);
    send(encoder as Id, c"endEncoding");
}

static FORKER: AtomicPtr<std::ffi::c_void> = AtomicPtr::new(ptr::null_mut());

/// Forks inside a call. The child leaves the call, works, and has another thread work.
extern "C-unwind" fn fork_it(this: Id) {
    FORKER.store(this, Ordering::SeqCst);
    // SAFETY: the child goes on in this thread and ends by `_exit`.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "{}", std::io::Error::last_os_error());
    if child != 0 {
        FORKER.store(ptr::null_mut(), Ordering::SeqCst);
        let mut status = 0;
        // SAFETY: waits for the child that was made here.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert!(libc::WIFEXITED(status), "{status:#x}");
        println!("child {}", libc::WEXITSTATUS(status));
    } else {
        // SAFETY: has no preconditions; alarms are not inherited.
        unsafe { libc::alarm(PATIENCE) };
    }
}

fn fork() {
    let encoder = created_encoder();
    driver::inside_the_next(fork_it);
    work(encoder);
    if !FORKER.load(Ordering::SeqCst).is_null() {
        work(encoder);
        work_elsewhere(encoder);
        // SAFETY: ends the child.
        unsafe { libc::_exit(9) };
    }
}

fn mps() {
    let encoder = send(
        instance(class(MPS)),
        c"computeCommandEncoderWithDispatchType:",
    );
    work(encoder);
    send(encoder, c"endEncoding");
}

fn parallel() {
    let parallel = send(buffer(), c"parallelRenderCommandEncoderWithDescriptor:");
    let render = send(parallel, c"renderCommandEncoder");
    send(render, c"setRenderPipelineState:");
    send(render, c"endEncoding");
    send(parallel, c"endEncoding");
}

/// Work after the end.
fn late() {
    let encoder = created_encoder();
    work(encoder);
    send(encoder, c"endEncoding");
    work(encoder);
}
