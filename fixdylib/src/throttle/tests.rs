use std::sync::atomic::AtomicU32;
use std::sync::mpsc;

use super::*;

const LONG_MS: u64 = 60_000;

fn throttle(limit: u32, patience_ms: u64) -> Box<Throttle> {
    Box::new(Throttle::new(limit, patience_ms))
}

#[test]
fn without_a_limit_everything_goes() {
    let it = throttle(0, LONG_MS);
    for buffer in 1..100 {
        assert_eq!(it.admit(buffer * 16), Admitted::AtOnce);
    }
    assert_eq!(it.in_flight(), 0);
    assert!(!it.is_on());
    it.configure(1, LONG_MS);
    assert!(it.is_on());
}

#[test]
fn a_commit_waits_for_a_completion() {
    let it = throttle(1, LONG_MS);
    assert_eq!(it.admit(0x10), Admitted::AtOnce);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        let it = &it;
        scope.spawn(move || {
            sender
                .send(it.admit(0x20))
                .expect("the receiver waits below");
        });
        while it.slots.with(|slots| !slots.is_waiting(Ticket(1))) {
            std::thread::yield_now();
        }
        it.completed(0x10);
        let admitted = receiver.recv().expect("it is admitted");
        assert!(matches!(admitted, Admitted::Waited(_)), "{admitted:?}");
    });
    assert_eq!(it.in_flight(), 1);
}

#[test]
fn a_program_that_needs_more_in_flight_is_let_through() {
    let it = throttle(2, 20);
    assert_eq!(it.admit(0x10), Admitted::AtOnce);
    assert_eq!(it.admit(0x20), Admitted::AtOnce);
    let before = os::monotonic_ns();
    assert_eq!(it.admit(0x30), Admitted::LetThrough);
    assert!(os::monotonic_ns() - before >= 20_000_000);
    assert_eq!((it.in_flight(), it.most()), (3, 3));
}

#[test]
fn threads_never_have_more_in_flight_than_allowed() {
    let it = throttle(2, LONG_MS);
    let flying = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for thread in 1..=8_u64 {
            let (it, flying) = (&it, &flying);
            scope.spawn(move || {
                for turn in 0..500 {
                    let buffer = thread << 20 | turn << 4;
                    assert_ne!(it.admit(buffer), Admitted::LetThrough);
                    assert!(flying.fetch_add(1, Ordering::SeqCst) < 2);
                    std::thread::yield_now();
                    flying.fetch_sub(1, Ordering::SeqCst);
                    it.completed(buffer);
                }
            });
        }
    });
    assert_eq!((it.in_flight(), it.most()), (0, 2));
}

#[test]
fn a_child_of_fork_starts_with_nothing_in_flight() {
    let it = throttle(1, LONG_MS);
    it.admit(0x10);
    it.reset_after_fork();
    assert_eq!(it.in_flight(), 0);
    assert_eq!(it.admit(0x20), Admitted::AtOnce);
}
