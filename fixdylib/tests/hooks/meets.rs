//! Threads that meet in one encoder, at a moment that is chosen: the subjects, and the tests that start them.

use std::ffi::c_void;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::{env, fs};

use agx_ledger::{EventPhase, Ledger};

use crate::driver::{self, ENDS, RETAINS, RETAINS_INSIDE, WORK};
use crate::objc::{Id, class, instance, send};
use crate::subjects::{message, work};
use crate::waits::{SCOPES, outcome};

/// Waits until this process's ledger is as asked.
pub fn until_ledger(is_so: impl Fn(&Ledger) -> bool) {
    let folder = env::var("AGX_FIX_LEDGER_DIR").expect("set");
    let entry = fs::read_dir(folder).expect("a folder").next();
    let path = entry.expect("a ledger").expect("an entry").path();
    while !is_so(&Ledger::parse(&fs::read(&path).expect("readable")).expect("a ledger")) {
        thread::yield_now();
    }
}

/// Waits until so many of this process's threads wait inside hooked calls, as its ledger says.
pub fn until_waiting(threads: usize) {
    until_ledger(|ledger| {
        let calls = ledger.rings.iter().filter_map(|ring| ring.events.last());
        calls.filter(|it| it.phase == EventPhase::Waiting).count() == threads
    });
}

static ENCODER: AtomicUsize = AtomicUsize::new(0);
static THREADS: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

fn the_encoder() -> Id {
    ENCODER.load(Ordering::SeqCst) as Id
}

/// Has other threads call the encoder, each as `what` says, and ends it when all of them wait for the lock.
fn end_before(what: &[fn(Id)]) {
    for call in what {
        let call = *call;
        let thread = thread::spawn(move || call(the_encoder()));
        THREADS.lock().expect("no panic").push(thread);
    }
    until_waiting(what.len());
    send(the_encoder(), c"endEncoding");
}

/// Runs `inside` in a hooked call of an encoder, the lock in hand; what its threads did is done when this returns.
fn meet(inside: extern "C-unwind" fn()) {
    driver::register(|it| it);
    let buffer = instance(class(driver::BUFFER));
    let encoder = send(buffer, c"computeCommandEncoder");
    work(encoder);
    ENCODER.store(encoder as usize, Ordering::SeqCst);
    message(encoder, c"run:", inside as *mut c_void);
    for thread in THREADS.lock().expect("no panic").drain(..) {
        thread.join().expect("no panic");
    }
    assert!(
        RETAINS_INSIDE.load(Ordering::SeqCst) >= 1,
        "a call found the encoder with no retain"
    );
    assert_eq!(RETAINS.load(Ordering::SeqCst), 0, "given back when idle");
}

fn end(encoder: Id) {
    send(encoder, c"endEncoding");
}

/// One thread ends an encoder that another waits to end.
pub fn end_twice() {
    extern "C-unwind" fn inside() {
        end_before(&[end]);
    }
    meet(inside);
    assert_eq!(ENDS.load(Ordering::SeqCst), 2);
}

/// Several threads wait for it, some to work: the last to leave gives it back.
pub fn end_before_work() {
    extern "C-unwind" fn inside() {
        end_before(&[work, end, work]);
    }
    meet(inside);
    assert_eq!(ENDS.load(Ordering::SeqCst), 2);
    assert_eq!(WORK.load(Ordering::SeqCst), 3);
}

/// The call that waited throws.
pub fn end_before_throw() {
    fn throw(encoder: Id) {
        let address = encoder as usize;
        std::panic::catch_unwind(|| send(address as Id, c"throwIt")).expect_err("it throws");
    }
    extern "C-unwind" fn inside() {
        end_before(&[throw]);
    }
    meet(inside);
}

fn in_every_scope(name: &str, late: u64) {
    for scope in SCOPES {
        let outcome = outcome(name, &scope);
        assert_eq!(outcome.count("encoders_created"), 1);
        assert_eq!(outcome.count("encoders_released"), 1);
        assert_eq!(outcome.count("encoders_open"), 0);
        assert_eq!(outcome.count("encoders_adopted"), 0);
        assert_eq!(outcome.count("calls_after_end"), late);
        assert_eq!(outcome.main().in_flight(), []);
    }
}

#[test]
fn an_encoder_that_a_thread_waits_to_end_lives_until_it_has() {
    in_every_scope("end-twice", 0);
}

#[test]
fn an_encoder_lives_until_the_last_that_waits_has_left() {
    in_every_scope("end-before-work", 2);
}

#[test]
fn an_exception_of_the_call_that_waited_gives_the_encoder_back() {
    in_every_scope("end-before-throw", 1);
}
