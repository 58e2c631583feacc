//! Events, the throttle, forks and long runs: the subjects, and the tests that start them.

use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;

use tempfile::TempDir;

use crate::driver::{self, ENDS_AT_SIGNAL, RETAINS, WORK};
use crate::objc::{Id, Sel, class, instance, lookup, selector, send};
use crate::preloaded::subject_command;
use crate::subjects::{wait_for, work};
use crate::{Outcome, run};

pub fn signal(buffer: Id) {
    let selector = selector(c"encodeSignalEvent:value:");
    // SAFETY: the driver's method has this type.
    unsafe {
        let code: unsafe extern "C-unwind" fn(Id, Sel, Id, u64) = lookup(buffer, selector);
        code(buffer, selector, ptr::null_mut(), 1);
    }
}

fn complete(buffer: Id) {
    let selector = selector(c"didCompleteWithStartTime:endTime:error:");
    // SAFETY: the driver's method has this type.
    unsafe {
        let code: unsafe extern "C-unwind" fn(Id, Sel, u64, u64, Id) = lookup(buffer, selector);
        code(buffer, selector, 0, 0, ptr::null_mut());
    }
}

pub fn event_own() {
    driver::register(|it| it);
    let buffer = instance(class(driver::BUFFER));
    work(send(buffer, c"computeCommandEncoder"));
    signal(buffer);
    assert_eq!(ENDS_AT_SIGNAL.load(Ordering::SeqCst), 1, "ended before");
    assert_eq!(RETAINS.load(Ordering::SeqCst), 0);
}

/// Another thread ends its encoder while the event waits: it could not if the event kept the lock.
pub fn event_other() {
    driver::register(|it| it);
    let buffer = instance(class(driver::BUFFER)) as usize;
    let (opened, is_open) = mpsc::channel();
    let other = thread::spawn(move || {
        let encoder = send(buffer as Id, c"computeCommandEncoder");
        work(encoder);
        opened.send(()).expect("the main thread waits");
        for _ in 0..1_000 {
            work(encoder);
        }
        send(encoder, c"endEncoding");
    });
    is_open.recv().expect("the thread sends");
    signal(buffer as Id);
    assert_eq!(ENDS_AT_SIGNAL.load(Ordering::SeqCst), 1, "ended before");
    other.join().expect("no panic");
    assert_eq!(WORK.load(Ordering::SeqCst), 1_001);
    assert_eq!(RETAINS.load(Ordering::SeqCst), 0);
}

/// The thread that opened the encoder is gone.
pub fn event_dead() {
    driver::register(|it| it);
    let buffer = instance(class(driver::BUFFER)) as usize;
    thread::spawn(move || work(send(buffer as Id, c"computeCommandEncoder")))
        .join()
        .expect("no panic");
    signal(buffer as Id);
    assert_eq!(ENDS_AT_SIGNAL.load(Ordering::SeqCst), 1);
    assert_eq!(RETAINS.load(Ordering::SeqCst), 0);
}

/// The thread that opened the encoder never ends it.
pub fn event_limit() {
    driver::register(|it| it);
    let buffer = instance(class(driver::BUFFER)) as usize;
    let (opened, is_open) = mpsc::channel();
    let (leave, may_leave) = mpsc::channel::<()>();
    let other = thread::spawn(move || {
        work(send(buffer as Id, c"computeCommandEncoder"));
        opened.send(()).expect("the main thread waits");
        may_leave.recv().expect("the main thread sends");
    });
    is_open.recv().expect("the thread sends");
    signal(buffer as Id);
    assert_eq!(
        ENDS_AT_SIGNAL.load(Ordering::SeqCst),
        1,
        "ended at the limit"
    );
    leave.send(()).expect("the thread waits");
    other.join().expect("no panic");
}

/// Two are in flight; the third commit goes when one of them is complete, the fourth when its patience is over.
pub fn throttle() {
    driver::register(|it| it);
    let buffers: Vec<usize> = (0..4)
        .map(|_| instance(class(driver::BUFFER)) as usize)
        .collect();
    let buffer = |at: usize| buffers[at] as Id;
    send(buffer(0), c"commit");
    send(buffer(1), c"commit");
    let third = buffers[2];
    let committing = thread::spawn(move || send(third as Id, c"commit") as usize);
    complete(buffer(1));
    complete(buffer(1));
    committing.join().expect("no panic");
    send(buffer(3), c"commit");
    for at in 0..4 {
        complete(buffer(at));
    }
}

/// Eight threads are inside hooks, one with the lock in hand, while the process forks; the child works on.
pub fn fork_eight() {
    static STOP: AtomicBool = AtomicBool::new(false);
    driver::register(|it| it);
    let own = driver::encoder();
    work(own);
    // Looked up before: GCC's runtime takes a lock for a selector, which another thread may hold at the fork.
    let selector = selector(c"setComputePipelineState:");
    // SAFETY: the method has this type.
    let code: unsafe extern "C-unwind" fn(Id, Sel, Id) = unsafe { lookup(own, selector) };
    let start = Barrier::new(9);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let encoder = driver::encoder();
                start.wait();
                while !STOP.load(Ordering::Relaxed) {
                    work(encoder);
                }
                send(encoder, c"endEncoding");
            });
        }
        start.wait();
        for _ in 0..20 {
            // SAFETY: the child makes calls of this test's and leaves through `_exit`.
            let child = unsafe { libc::fork() };
            if child == 0 {
                // SAFETY: a child that waits for a lock is ended by the alarm, and seen as not exited.
                unsafe { libc::alarm(20) };
                for _ in 0..100 {
                    // SAFETY: `setComputePipelineState:` has this type.
                    unsafe { code(own, selector, ptr::null_mut()) };
                }
                // SAFETY: ends the child.
                unsafe { libc::_exit(7) };
            }
            assert_eq!(wait_for(child), 7);
        }
        STOP.store(true, Ordering::Relaxed);
    });
    send(own, c"endEncoding");
}

/// This process's resident memory, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("readable");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let value = line.and_then(|line| line.trim().strip_suffix(" kB"));
    value.expect("a value").trim().parse().expect("a number")
}

/// Ten million calls on encoders at one set of addresses: half of them before the first look, and half after.
pub fn many() {
    driver::register(|it| it);
    let buffer = instance(class(driver::BUFFER));
    let encoders: Vec<Id> = (0..16).map(|_| driver::encoder()).collect();
    let round = || {
        for _ in 0..5_000 {
            for encoder in &encoders {
                for _ in 0..64 {
                    work(*encoder);
                }
                send(*encoder, c"endEncoding");
            }
            send(buffer, c"commit");
        }
    };
    round();
    let before = resident();
    round();
    let after = resident();
    println!("resident: {before} KiB, then {after} KiB");
    assert!(after <= before + 64, "{before} KiB, then {after} KiB");
}

pub fn outcome(name: &str, variables: &[(&str, &str)]) -> Outcome {
    let folder = TempDir::new().expect("a folder");
    let outcome = run(
        subject_command(name).envs(variables.iter().copied()),
        &folder,
    );
    assert!(
        outcome.status.success(),
        "{variables:?}: {}",
        outcome.stderr
    );
    outcome
}

pub const SCOPES: [[(&str, &str); 1]; 3] = [
    [("AGX_FIX_LOCK_SCOPE", "global")],
    [("AGX_FIX_LOCK_SCOPE", "queue")],
    [("AGX_FIX_LOCK_SCOPE", "buffer")],
];

#[test]
fn an_event_ends_its_own_thread_s_encoder() {
    for scope in SCOPES {
        let outcome = outcome("event-own", &scope);
        assert_eq!(outcome.count("event_forced_ends"), 1);
        assert_eq!(outcome.count("event_encoder_waits"), 0);
    }
}

#[test]
fn an_event_waits_for_another_thread_s_encoder_without_the_lock() {
    for scope in SCOPES {
        let outcome = outcome("event-other", &scope);
        assert_eq!(outcome.count("event_forced_ends"), 0);
        assert_eq!(outcome.count("event_wait_timeouts"), 0);
    }
}

#[test]
fn an_event_does_not_wait_for_a_thread_that_is_gone() {
    let outcome = outcome("event-dead", &[("AGX_FIX_EVENT_WAIT_MS", "60000")]);
    assert_eq!(outcome.count("event_forced_ends"), 1);
    assert_eq!(outcome.count("event_encoder_waits"), 0);
}

#[test]
fn an_event_s_wait_ends_at_its_limit_and_says_so() {
    let outcome = outcome("event-limit", &[("AGX_FIX_EVENT_WAIT_MS", "30")]);
    assert_eq!(outcome.count("event_encoder_waits"), 1);
    assert_eq!(outcome.count("event_wait_timeouts"), 1);
    assert_eq!(outcome.count("event_forced_ends"), 1);
    let told = outcome.stderr.matches("AGX_FIX_EVENT_WAIT_MS").count();
    assert_eq!(told, 1, "{}", outcome.stderr);
}

#[test]
fn commits_beyond_the_bound_wait_for_a_completion_or_their_patience() {
    let outcome = outcome(
        "throttle",
        &[
            ("AGX_FIX_MAX_INFLIGHT", "2"),
            ("AGX_FIX_THROTTLE_WAIT_MS", "50"),
        ],
    );
    assert_eq!(outcome.count("commits"), 4);
    assert_eq!(outcome.count("throttle_let_through"), 1);
    assert_eq!(outcome.stderr.matches("was let through").count(), 1);
}

#[test]
fn a_child_of_eight_threads_inside_hooks_runs_on() {
    for scope in SCOPES {
        outcome("fork-eight", &scope);
    }
}

#[test]
fn threads_that_share_an_encoder_lose_nothing_in_any_scope() {
    for scope in SCOPES {
        let outcome = outcome("contend", &scope);
        let calls = crate::subjects::THREADS * crate::subjects::CALLS + 1;
        assert_eq!(outcome.count("method_calls"), calls);
        assert_eq!(outcome.count("lock_acquisitions"), calls);
        assert_eq!(outcome.count("encoders_open"), 0);
        assert_eq!(outcome.count("lock_order_escapes"), 0);
    }
}

#[test]
fn without_events_every_call_is_counted_and_none_is_kept() {
    let outcome = outcome("contend", &[("AGX_FIX_EVENTS", "0")]);
    let calls = crate::subjects::THREADS * crate::subjects::CALLS + 1;
    assert_eq!(outcome.count("method_calls"), calls);
    let mut rings = outcome.main().rings.iter();
    assert!(rings.all(|ring| ring.events.is_empty()));
}

#[test]
fn millions_of_calls_leave_the_memory_as_it_was() {
    let outcome = outcome("many", &[]);
    assert_eq!(outcome.count("encoders_open"), 0);
}

#[test]
fn the_library_s_file_name_chooses_the_policy() {
    let folder = TempDir::new().expect("a folder");
    let named = folder.path().join("libagx_fix_v2_3.so");
    std::fs::copy(crate::preloaded::built::library(), &named).expect("copied");
    let ledgers = TempDir::new().expect("a folder");
    let output = std::process::Command::new("/bin/true")
        .env("LD_PRELOAD", &named)
        .env("AGX_FIX_LEDGER_DIR", ledgers.path())
        .status()
        .expect("starts");
    assert!(output.success());
    let entry = std::fs::read_dir(ledgers.path()).expect("a folder").next();
    let bytes = std::fs::read(entry.expect("a ledger").expect("an entry").path());
    let ledger = agx_ledger::Ledger::parse(&bytes.expect("readable")).expect("a ledger");
    assert_eq!(ledger.policy, "v2.3");
}
