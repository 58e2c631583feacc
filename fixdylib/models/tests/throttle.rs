//! The throttle, in every order of threads.

use agx_fix_models::model;
use agx_fix_models::os::park;
use agx_fix_models::sync::{AtomicU32, Ordering};
use agx_fix_models::throttle::{Admitted, Throttle};
use loom::sync::Arc;
use loom::thread;

type Small = Throttle<4, 2, 2>;

const PATIENCE_MS: u64 = 1;

/// Commits, is in flight, completes.
fn fly(shared: &(Small, AtomicU32), buffer: u64, limit: u32) {
    let admitted = shared.0.admit(buffer);
    assert_ne!(admitted, Admitted::LetThrough);
    assert!(shared.1.fetch_add(1, Ordering::Relaxed) < limit);
    shared.1.fetch_sub(1, Ordering::Relaxed);
    shared.0.completed(buffer);
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
        assert_eq!(shared.admit(0x10), Admitted::AtOnce);
        let completion = {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.completed(0x10);
                shared.completed(0x10);
            })
        };
        assert_ne!(shared.admit(0x20), Admitted::LetThrough);
        completion.join().expect("no panic");
        assert_eq!(shared.in_flight(), 1);
    });
}

#[test]
fn a_commit_is_admitted_once_when_completion_and_limit_meet() {
    model(3, || {
        let shared = Arc::new(Small::new(1, PATIENCE_MS));
        assert_eq!(shared.admit(0x10), Admitted::AtOnce);
        let completion = {
            let shared = shared.clone();
            thread::spawn(move || shared.completed(0x10))
        };
        let clock = thread::spawn(park::expire);
        let admitted = shared.admit(0x20);
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
        assert_eq!(shared.admit(0x10), Admitted::AtOnce);
        let clock = thread::spawn(park::expire);
        assert_eq!(shared.admit(0x20), Admitted::LetThrough);
        clock.join().expect("no panic");
        assert_eq!(shared.in_flight(), 2);
    });
}
