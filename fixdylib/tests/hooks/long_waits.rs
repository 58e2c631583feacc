//! Waits for a lock that are too long, as `AGX_FIX_DEADLOCK_DETECT` has them told: the subject, and the tests that start it.

use std::ffi::c_void;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use tempfile::TempDir;

use crate::driver::{self, WORK};
use crate::meets::until_ledger;
use crate::objc::{Id, class, instance, send};
use crate::preloaded::subject_command;
use crate::subjects::{message, work};
use crate::waits::SCOPES;
use crate::{Outcome, run};

fn thread_id() -> i32 {
    // SAFETY: has no preconditions.
    unsafe { libc::gettid() }
}

/// One thread sits in a call, the lock in hand, until another's wait for it has timed out.
pub fn long_wait() {
    static ENCODER: AtomicUsize = AtomicUsize::new(0);
    static WAITER: std::sync::Mutex<Option<JoinHandle<()>>> = std::sync::Mutex::new(None);
    extern "C-unwind" fn sit() {
        println!("holder {}.", thread_id());
        let waiter = thread::spawn(|| {
            println!("waiter {}.", thread_id());
            work(ENCODER.load(Ordering::SeqCst) as Id);
        });
        *WAITER.lock().expect("no panic") = Some(waiter);
        until_ledger(|it| it.counter("lock_timeouts") == Some(1));
        if std::env::var("AGX_FIX_LOCK_ABORT_ON_TIMEOUT").as_deref() == Ok("1") {
            // Both wait now; who is not aborted is ended by the alarm.
            join();
        }
    }
    fn join() {
        let waiter = WAITER.lock().expect("no panic").take();
        waiter.expect("started").join().expect("no panic");
    }
    // SAFETY: has no preconditions.
    unsafe { libc::alarm(20) };
    driver::register(|it| it);
    let encoder = send(instance(class(driver::BUFFER)), c"computeCommandEncoder");
    ENCODER.store(encoder as usize, Ordering::SeqCst);
    message(encoder, c"run:", sit as *mut c_void);
    join();
    assert_eq!(WORK.load(Ordering::SeqCst), 1);
}

fn waits(scope: (&str, &str), abort: &str) -> Outcome {
    let mut command = subject_command("long-wait");
    command.envs([
        scope,
        ("AGX_FIX_DEADLOCK_DETECT", "1"),
        ("AGX_FIX_LOCK_WARN_MS", "10"),
        ("AGX_FIX_LOCK_LOG_INTERVAL_MS", "0"),
        ("AGX_FIX_LOCK_TIMEOUT_MS", "50"),
        ("AGX_FIX_LOCK_ABORT_ON_TIMEOUT", abort),
    ]);
    run(&mut command, &TempDir::new().expect("a folder"))
}

/// The number that the subject printed behind `word`.
fn printed<'a>(outcome: &'a Outcome, word: &str) -> &'a str {
    let (_, rest) = outcome.stdout.split_once(word).expect(word);
    rest.split_once('.').expect("an end").0.trim()
}

/// The one line about the time-out: who waits for whom, and what comes of it.
fn told(outcome: &Outcome) -> &str {
    let mut lines = outcome.stderr.lines().filter(|it| it.contains("error: "));
    let line = lines.next().unwrap_or_else(|| panic!("{}", outcome.stderr));
    assert_eq!(lines.next(), None);
    let waiter = format!("thread {} has waited ", printed(outcome, "waiter"));
    let holder = format!("which thread {} holds; ", printed(outcome, "holder"));
    assert!(line.contains(&waiter) && line.contains(&holder), "{line}");
    line
}

#[test]
fn a_wait_that_times_out_is_told_and_goes_on() {
    for [scope] in SCOPES {
        let outcome = waits(scope, "0");
        assert!(outcome.status.success(), "{}", outcome.stderr);
        let line = told(&outcome);
        assert!(line.contains("it goes on waiting"), "{line}");
        assert_eq!(outcome.count("lock_long_waits"), 1);
        assert_eq!(outcome.count("lock_timeouts"), 1);
        assert!(outcome.count("lock_max_wait_ms") >= 50);
    }
}

#[test]
fn a_wait_that_times_out_ends_the_process_where_that_is_asked_for() {
    for [scope] in SCOPES {
        let outcome = waits(scope, "1");
        assert_eq!(
            outcome.status.signal(),
            Some(libc::SIGABRT),
            "{}",
            outcome.stderr
        );
        let line = told(&outcome);
        assert!(line.contains("the process is aborted"), "{line}");
        assert_eq!(outcome.count("lock_timeouts"), 1);
        // The ledger names what both were in.
        let open = outcome.main().in_flight();
        let named = |method: &str| open.iter().any(|it| it.method.ends_with(method));
        assert!(
            named(" run:]") && named(" setComputePipelineState:]"),
            "{open:?}"
        );
    }
}
