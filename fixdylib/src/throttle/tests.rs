use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32};
use std::sync::mpsc;

use super::*;

const LONG_MS: u64 = 60_000;

/// Two command buffers, at 0x10 and 0x20, that answer for themselves.
#[derive(Default)]
struct Buffers {
    holds: [AtomicI32; 2],
    is_complete: [AtomicBool; 2],
    throws: AtomicBool,
}

impl Buffers {
    fn of(buffer: u64) -> usize {
        usize::try_from(buffer / 0x10 - 1).expect("small")
    }

    fn held(&self) -> [i32; 2] {
        [0, 1].map(|it| self.holds[it].load(Ordering::SeqCst))
    }

    fn completes(&self, buffer: u64) {
        self.is_complete[Self::of(buffer)].store(true, Ordering::SeqCst);
    }
}

impl Ask for Buffers {
    fn hold(&self, buffer: u64) -> bool {
        self.holds[Self::of(buffer)].fetch_add(1, Ordering::SeqCst);
        true
    }

    fn is_complete(&self, buffer: u64) -> bool {
        assert_eq!(self.holds[Self::of(buffer)].load(Ordering::SeqCst), 1);
        if self.throws.load(Ordering::SeqCst) {
            std::panic::panic_any("thrown");
        }
        self.is_complete[Self::of(buffer)].load(Ordering::SeqCst)
    }

    fn let_go(&self, buffer: u64) {
        self.holds[Self::of(buffer)].fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn one_that_nobody_announces_is_asked_by_the_commit_that_needs_its_place() {
    let (it, buffers) = (throttle(1, LONG_MS), Buffers::default());
    assert_eq!(it.admit(0x10, false, &buffers), Admitted::AtOnce);
    assert_eq!(buffers.held(), [1, 0], "held until it has answered");
    buffers.completes(0x10);
    let admitted = it.admit(0x20, false, &buffers);
    assert!(matches!(admitted, Admitted::Waited(_)), "{admitted:?}");
    assert_eq!(buffers.held(), [0, 1]);
    assert_eq!((it.in_flight(), it.most()), (1, 1));
}

#[test]
fn one_that_completes_while_a_commit_waits_is_asked_again() {
    let (it, buffers) = (throttle(1, LONG_MS), Buffers::default());
    it.admit(0x10, false, &buffers);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| it.admit(0x20, true, &buffers));
        while it.slots.with(|slots| !slots.is_waiting(Ticket(1))) {
            std::thread::yield_now();
        }
        buffers.completes(0x10);
        let admitted = waits.join().expect("no panic");
        assert!(matches!(admitted, Admitted::Waited(_)), "{admitted:?}");
    });
    assert_eq!(buffers.held(), [0, 0]);
}

#[test]
fn one_that_does_not_complete_costs_the_patience_and_stays_held() {
    let (it, buffers) = (throttle(1, 20), Buffers::default());
    it.admit(0x10, false, &buffers);
    assert_eq!(it.admit(0x20, false, &buffers), Admitted::LetThrough);
    assert_eq!(buffers.held(), [1, 1]);
    assert_eq!(it.in_flight(), 2);
}

#[test]
fn one_that_is_announced_all_the_same_is_let_go_once() {
    let (it, buffers) = (throttle(1, LONG_MS), Buffers::default());
    it.admit(0x10, false, &buffers);
    assert_eq!(
        it.admit(0x10, false, &buffers),
        Admitted::AtOnce,
        "a second commit"
    );
    assert_eq!(buffers.held(), [1, 0]);
    it.completed(0x10, &buffers);
    it.completed(0x10, &buffers);
    assert_eq!((buffers.held(), it.in_flight()), ([0, 0], 0));
}

#[test]
fn one_that_throws_leaves_the_throttle_in_order() {
    let (it, buffers) = (throttle(1, LONG_MS), Buffers::default());
    it.admit(0x10, false, &buffers);
    buffers.throws.store(true, Ordering::SeqCst);
    let thrown = catch_unwind(AssertUnwindSafe(|| it.admit(0x20, false, &buffers)));
    assert_eq!(thrown.expect_err("thrown").downcast_ref(), Some(&"thrown"));
    assert_eq!(it.in_flight(), 1, "the commit that threw takes no place");
    buffers.throws.store(false, Ordering::SeqCst);
    buffers.completes(0x10);
    it.admit(0x20, true, &buffers);
    assert_eq!((buffers.held(), it.in_flight()), ([0, 0], 1));
}

fn throttle(limit: u32, patience_ms: u64) -> Box<Throttle> {
    Box::new(Throttle::new(limit, patience_ms))
}

#[test]
fn without_a_limit_everything_goes() {
    let it = throttle(0, LONG_MS);
    for buffer in 1..100 {
        assert_eq!(it.admit(buffer * 16, true, &Nobody), Admitted::AtOnce);
    }
    assert_eq!(it.in_flight(), 0);
    assert!(!it.is_on());
    it.configure(1, LONG_MS);
    assert!(it.is_on());
}

#[test]
fn a_commit_waits_for_a_completion() {
    let it = throttle(1, LONG_MS);
    assert_eq!(it.admit(0x10, true, &Nobody), Admitted::AtOnce);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        let it = &it;
        scope.spawn(move || {
            sender
                .send(it.admit(0x20, true, &Nobody))
                .expect("the receiver waits below");
        });
        while it.slots.with(|slots| !slots.is_waiting(Ticket(1))) {
            std::thread::yield_now();
        }
        it.completed(0x10, &Nobody);
        let admitted = receiver.recv().expect("it is admitted");
        assert!(matches!(admitted, Admitted::Waited(_)), "{admitted:?}");
    });
    assert_eq!(it.in_flight(), 1);
}

#[test]
fn a_program_that_needs_more_in_flight_is_let_through() {
    let it = throttle(2, 20);
    assert_eq!(it.admit(0x10, true, &Nobody), Admitted::AtOnce);
    assert_eq!(it.admit(0x20, true, &Nobody), Admitted::AtOnce);
    let before = os::monotonic_ns();
    assert_eq!(it.admit(0x30, true, &Nobody), Admitted::LetThrough);
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
                    assert_ne!(it.admit(buffer, true, &Nobody), Admitted::LetThrough);
                    assert!(flying.fetch_add(1, Ordering::SeqCst) < 2);
                    std::thread::yield_now();
                    flying.fetch_sub(1, Ordering::SeqCst);
                    it.completed(buffer, &Nobody);
                }
            });
        }
    });
    assert_eq!((it.in_flight(), it.most()), (0, 2));
}

#[test]
fn a_child_of_fork_starts_with_nothing_in_flight() {
    let it = throttle(1, LONG_MS);
    it.admit(0x10, true, &Nobody);
    it.reset_after_fork();
    assert_eq!(it.in_flight(), 0);
    assert_eq!(it.admit(0x20, true, &Nobody), Admitted::AtOnce);
}
