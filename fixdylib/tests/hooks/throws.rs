//! Exceptions through the hooks of command buffers, and through nested calls: the subjects, and the tests that start them.

use std::any::Any;
use std::ffi::c_void;
use std::panic::catch_unwind;
use std::sync::atomic::Ordering;
use std::thread;

use crate::driver::{self, BUFFER_THROWS, ENDS, RETAINS};
use crate::objc::{Id, class, instance, send};
use crate::subjects::{message, work};
use crate::waits::{SCOPES, outcome, signal};

/// The exception arrives as it was thrown.
fn is_thrown(result: Result<(), Box<dyn Any + Send>>) {
    let thrown = result.expect_err("it throws");
    assert_eq!(*thrown.downcast::<&str>().expect("the text"), "thrown");
}

/// Uses a command buffer and an encoder in another thread, which would wait for ever if a lock were still held.
fn all_is_free(buffer: usize) {
    thread::spawn(move || {
        let encoder = send(buffer as Id, c"computeCommandEncoder");
        work(encoder);
        send(encoder, c"endEncoding");
        signal(buffer as Id);
        send(buffer as Id, c"commit");
    })
    .join()
    .expect("no panic");
}

/// A factory, an event and a commit throw, the last two with an encoder open, which they have ended before.
pub fn throw_everywhere() {
    driver::register(|it| it);
    let calls: [(fn(usize), bool); 3] = [
        (
            |buffer| _ = send(buffer as Id, c"computeCommandEncoder"),
            false,
        ),
        (|buffer| signal(buffer as Id), true),
        (|buffer| _ = send(buffer as Id, c"commit"), true),
    ];
    for (call, ends) in calls {
        let buffer = instance(class(driver::BUFFER)) as usize;
        if ends {
            work(send(buffer as Id, c"computeCommandEncoder"));
        }
        BUFFER_THROWS.store(true, Ordering::SeqCst);
        is_thrown(catch_unwind(|| call(buffer)));
        BUFFER_THROWS.store(false, Ordering::SeqCst);
        all_is_free(buffer);
    }
    assert_eq!(ENDS.load(Ordering::SeqCst), 2 + 3);
    assert_eq!(RETAINS.load(Ordering::SeqCst), 0);
}

/// A call inside a call on an encoder throws, through both.
pub fn throw_nested() {
    extern "C-unwind" fn inner() {
        let encoder = driver::encoder();
        send(encoder, c"endEncoding");
        send(driver::encoder(), c"throwIt");
    }
    driver::register(|it| it);
    let buffer = instance(class(driver::BUFFER)) as usize;
    let encoder = send(buffer as Id, c"computeCommandEncoder") as usize;
    is_thrown(catch_unwind(|| {
        message(encoder as Id, c"run:", inner as *mut c_void);
    }));
    thread::spawn(move || send(encoder as Id, c"endEncoding") as usize)
        .join()
        .expect("no panic");
    all_is_free(buffer);
}

#[test]
fn an_exception_of_a_factory_an_event_or_a_commit_gives_the_lock_back() {
    for scope in SCOPES {
        let outcome = outcome("throw-everywhere", &scope);
        assert_eq!(outcome.main().in_flight(), []);
        assert_eq!(outcome.count("commits"), 4);
        assert_eq!(outcome.count("encoders_open"), 0);
    }
}

#[test]
fn an_exception_through_nested_calls_gives_every_lock_back() {
    for scope in SCOPES {
        let outcome = outcome("throw-nested", &scope);
        assert_eq!(outcome.main().in_flight(), []);
        let rings = &outcome.main().rings;
        assert!(rings.iter().all(|ring| ring.depth == 0), "no call is open");
    }
}
