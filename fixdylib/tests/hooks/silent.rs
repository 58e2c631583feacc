//! Command buffers whose completion no method announces: the subjects, and the tests that start them.

use std::ffi::{CStr, c_void};
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::thread;

use crate::driver;
use crate::meets::until_waiting;
use crate::objc::{Builder, Id, Sel, class, instance, ivar, send};
use crate::waits::outcome;

const SILENT: &str = "AGXTestSilentCommandBuffer";
const COMMITTED: usize = 2;
const COMPLETED: usize = 4;
const ERROR: usize = 5;

/// Command buffers that somebody holds.
static ALIVE: AtomicI64 = AtomicI64::new(0);
/// Messages to one that nobody held any more.
static TO_THE_DEAD: AtomicU64 = AtomicU64::new(0);

/// A variable of a silent command buffer. Its memory is never given back, so that a message that comes too late is seen.
fn variable(buffer: Id, name: &CStr) -> &'static AtomicUsize {
    // SAFETY: the variable is the object's, which stays, and is changed in no other way.
    unsafe { &*ivar(class(SILENT), buffer, name).cast::<AtomicUsize>() }
}

fn seen_alive(buffer: Id) {
    if variable(buffer, c"_holders").load(Ordering::SeqCst) == 0 {
        TO_THE_DEAD.fetch_add(1, Ordering::SeqCst);
    }
}

extern "C-unwind" fn retain(this: Id, _: Sel) -> Id {
    seen_alive(this);
    variable(this, c"_holders").fetch_add(1, Ordering::SeqCst);
    this
}

extern "C-unwind" fn release(this: Id, _: Sel) {
    seen_alive(this);
    if variable(this, c"_holders").fetch_sub(1, Ordering::SeqCst) == 1 {
        ALIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

extern "C-unwind" fn status(this: Id, _: Sel) -> usize {
    seen_alive(this);
    variable(this, c"_status").load(Ordering::SeqCst)
}

extern "C-unwind" fn commit(this: Id, _: Sel) {
    variable(this, c"_status").store(COMMITTED, Ordering::SeqCst);
}

fn register(status_types: &str) {
    driver::register(|it| it);
    Builder::new(SILENT, "_MTLCommandBuffer")
        .ivar("_holders")
        .ivar("_status")
        .method("retain", "@16@0:8", retain as *const c_void)
        .method("release", "v16@0:8", release as *const c_void)
        .method("status", status_types, status as *const c_void)
        .method("commit", "v16@0:8", commit as *const c_void)
        .register();
}

fn buffer() -> Id {
    let made = instance(class(SILENT));
    ALIVE.fetch_add(1, Ordering::SeqCst);
    variable(made, c"_holders").store(1, Ordering::SeqCst);
    made
}

/// Commits a new one, which is then over as `status` says, and lets go of it.
fn fly(status: usize) {
    let it = buffer();
    send(it, c"commit");
    variable(it, c"_status").store(status, Ordering::SeqCst);
    release(it, std::ptr::null());
}

/// One after the other, each over before the next comes.
pub fn silent() {
    register("Q16@0:8");
    for turn in 0..20 {
        fly(if turn % 2 == 0 { COMPLETED } else { ERROR });
    }
    assert!(ALIVE.load(Ordering::SeqCst) <= 2, "asked, and let go");
    assert_eq!(TO_THE_DEAD.load(Ordering::SeqCst), 0);
}

/// The second commit waits, and the first buffer is complete after that.
pub fn silent_later() {
    register("Q16@0:8");
    let first = buffer();
    send(first, c"commit");
    let second = buffer() as usize;
    let committing = thread::spawn(move || send(second as Id, c"commit") as usize);
    until_waiting(1);
    variable(first, c"_status").store(COMPLETED, Ordering::SeqCst);
    committing.join().expect("no panic");
    let holders = |it: Id| variable(it, c"_holders").load(Ordering::SeqCst);
    assert_eq!((holders(first), holders(second as Id)), (1, 2));
}

/// `status` is not what a command buffer's is: nothing is asked, and nothing held.
pub fn silent_odd() {
    register("f16@0:8");
    fly(COMPLETED);
    fly(COMPLETED);
    assert_eq!(ALIVE.load(Ordering::SeqCst), 0);
}

/// Each thread asks the others' while they let go of them.
pub fn silent_threads() {
    register("Q16@0:8");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..100).for_each(|_| fly(COMPLETED)));
        }
    });
    assert!(ALIVE.load(Ordering::SeqCst) <= 2, "asked, and let go");
    assert_eq!(TO_THE_DEAD.load(Ordering::SeqCst), 0);
}

/// Who waits for so long waits for nothing, and is counted as let through.
const PATIENT: (&str, &str) = ("AGX_FIX_THROTTLE_WAIT_MS", "20000");

#[test]
fn one_that_is_over_by_its_status_is_not_waited_for() {
    let outcome = outcome("silent", &[("AGX_FIX_MAX_INFLIGHT", "2"), PATIENT]);
    assert_eq!(outcome.count("commits"), 20);
    // Each that finds no room frees the places of both.
    assert_eq!(outcome.count("throttle_waits"), 9);
    assert_eq!(outcome.count("throttle_let_through"), 0);
    assert_eq!(outcome.count("in_flight_most"), 2);
}

#[test]
fn a_commit_that_waits_sees_the_status_change() {
    let outcome = outcome("silent-later", &[("AGX_FIX_MAX_INFLIGHT", "1"), PATIENT]);
    assert_eq!(outcome.count("throttle_waits"), 1);
    assert_eq!(outcome.count("throttle_let_through"), 0);
}

#[test]
fn one_whose_status_has_another_type_is_not_asked() {
    let patience = ("AGX_FIX_THROTTLE_WAIT_MS", "20");
    let outcome = outcome("silent-odd", &[("AGX_FIX_MAX_INFLIGHT", "1"), patience]);
    assert_eq!(outcome.count("throttle_let_through"), 1);
}

#[test]
fn threads_that_ask_each_other_s_buffers_meet_none_that_is_gone() {
    let outcome = outcome("silent-threads", &[("AGX_FIX_MAX_INFLIGHT", "2"), PATIENT]);
    assert_eq!(outcome.count("commits"), 800);
    assert_eq!(outcome.count("throttle_let_through"), 0);
    assert_eq!(outcome.count("in_flight_most"), 2);
}
