//! The throttle, in every order of threads.

use agx_fix_models::model;
use agx_fix_models::os::park;
use agx_fix_models::sync::{AtomicU32, Ordering};
use agx_fix_models::throttle::{Admitted, Ask, Nobody, Throttle};
use loom::sync::Arc;
use loom::thread;

type Small = Throttle<4, 2, 2>;

const PATIENCE_MS: u64 = 1;

/// Commits, is in flight, completes.
fn fly(shared: &(Small, AtomicU32), buffer: u64, limit: u32) {
    let admitted = shared.0.admit(buffer, true, &Nobody);
    assert_ne!(admitted, Admitted::LetThrough);
    assert!(shared.1.fetch_add(1, Ordering::Relaxed) < limit);
    shared.1.fetch_sub(1, Ordering::Relaxed);
    shared.0.completed(buffer, &Nobody);
}

#[test]
fn never_more_are_in_flight_than_allowed_and_nobody_is_forgotten() {
    for limit in [1, 2] {
        model(2, move || {
            let shared = Arc::new((Small::new(limit, PATIENCE_MS), AtomicU32::new(0)));
            let others: Vec<_> = [0x10, 0x20]
                .map(|buffer| {
                    let shared = shared.clone();
                    thread::spawn(move || fly(&shared, buffer, limit))
                })
                .into();
            fly(&shared, 0x30, limit);
            for other in others {
                other.join().expect("no panic");
            }
            assert_eq!(shared.0.in_flight(), 0);
            assert!(shared.0.most() <= limit);
        });
    }
}

#[test]
fn a_completion_is_not_slept_through() {
    model(3, || {
        let shared = Arc::new(Small::new(1, PATIENCE_MS));
        assert_eq!(shared.admit(0x10, true, &Nobody), Admitted::AtOnce);
        let completion = {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.completed(0x10, &Nobody);
                shared.completed(0x10, &Nobody);
            })
        };
        assert_ne!(shared.admit(0x20, true, &Nobody), Admitted::LetThrough);
        completion.join().expect("no panic");
        assert_eq!(shared.in_flight(), 1);
    });
}

#[test]
fn a_commit_is_admitted_once_when_completion_and_limit_meet() {
    model(3, || {
        let shared = Arc::new(Small::new(1, PATIENCE_MS));
        assert_eq!(shared.admit(0x10, true, &Nobody), Admitted::AtOnce);
        let completion = {
            let shared = shared.clone();
            thread::spawn(move || shared.completed(0x10, &Nobody))
        };
        let clock = thread::spawn(park::expire);
        let admitted = shared.admit(0x20, true, &Nobody);
        completion.join().expect("no panic");
        clock.join().expect("no panic");
        assert_eq!(shared.in_flight(), 1);
        let most = if admitted == Admitted::LetThrough {
            2
        } else {
            1
        };
        assert_eq!(shared.most(), most);
    });
}

#[test]
fn a_commit_that_nothing_completes_is_let_through() {
    model(3, || {
        let shared = Arc::new(Small::new(1, PATIENCE_MS));
        assert_eq!(shared.admit(0x10, true, &Nobody), Admitted::AtOnce);
        let clock = thread::spawn(park::expire);
        assert_eq!(shared.admit(0x20, true, &Nobody), Admitted::LetThrough);
        clock.join().expect("no panic");
        assert_eq!(shared.in_flight(), 2);
    });
}

/// A command buffer that is complete, which nobody announces, and that lives as long as somebody holds it.
struct Silent(AtomicU32);

impl Ask for Silent {
    fn hold(&self, _: u64) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn is_complete(&self, _: u64) -> bool {
        assert_eq!(self.0.load(Ordering::Relaxed), 1, "asked while it lives");
        true
    }

    fn let_go(&self, _: u64) {
        assert_eq!(self.0.fetch_sub(1, Ordering::Relaxed), 1, "let go once");
    }
}

#[test]
fn one_that_is_asked_by_two_lives_until_it_has_answered() {
    model(2, || {
        let shared = Arc::new((Small::new(1, PATIENCE_MS), Silent(AtomicU32::new(0))));
        shared.0.admit(0x10, false, &shared.1);
        let others: Vec<_> = [false, true]
            .map(|announces| {
                let shared = shared.clone();
                thread::spawn(move || {
                    if announces {
                        shared.0.completed(0x10, &shared.1);
                    } else {
                        assert_ne!(shared.0.admit(0x20, true, &shared.1), Admitted::LetThrough);
                        shared.0.completed(0x20, &shared.1);
                    }
                })
            })
            .into();
        assert_ne!(shared.0.admit(0x30, true, &shared.1), Admitted::LetThrough);
        shared.0.completed(0x30, &shared.1);
        for other in others {
            other.join().expect("no panic");
        }
        assert_eq!(shared.0.in_flight(), 0);
        assert_eq!(shared.1.0.load(Ordering::Relaxed), 0);
    });
}
