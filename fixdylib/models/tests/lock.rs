//! The re-entrant lock, and waits under it, in every order of threads.

use agx_fix_models::condition::Condition;
use agx_fix_models::lock::{Acquired, Reentrant};
use agx_fix_models::model;
use agx_fix_models::os::{EventCount, NEVER, park};
use loom::sync::Arc;
use loom::thread;

/// A deadline that passes when [`park::expire`] is called, and not before.
const SOME_TIME: u64 = 1;

fn add_one(lock: &Reentrant<u32>, me: usize) {
    lock.lock(me);
    assert_eq!(lock.lock(me), Acquired::Nested);
    // SAFETY: locked twice above.
    unsafe {
        lock.with(|value| *value += 1);
        lock.unlock();
        lock.with(|value| *value += 1);
        lock.unlock();
    }
}

fn value(lock: &Reentrant<u32>, me: usize) -> u32 {
    lock.lock(me);
    // SAFETY: locked in the line above.
    unsafe {
        let value = lock.with(|value| *value);
        lock.unlock();
        value
    }
}

#[test]
fn one_thread_at_a_time_has_it_however_deep() {
    model(3, || {
        let lock = Arc::new(Reentrant::new(0));
        let other = {
            let lock = lock.clone();
            thread::spawn(move || {
                add_one(&lock, 1);
                add_one(&lock, 1);
            })
        };
        add_one(&lock, 2);
        other.join().expect("no panic");
        assert_eq!(value(&lock, 2), 6);
        assert_eq!(lock.waiting(), 0);
    });
}

#[test]
fn nobody_who_waits_is_forgotten() {
    model(2, || {
        let lock = Arc::new(Reentrant::new(0));
        let others: Vec<_> = [1, 2]
            .map(|me| {
                let lock = lock.clone();
                thread::spawn(move || add_one(&lock, me))
            })
            .into();
        add_one(&lock, 3);
        for other in others {
            other.join().expect("no panic");
        }
        assert_eq!(value(&lock, 3), 6);
    });
}

#[test]
fn a_wait_that_ends_at_its_limit_takes_nobodys_turn() {
    model(2, || {
        let lock = Arc::new(Reentrant::new(0));
        lock.lock(1);
        let limited = {
            let lock = lock.clone();
            thread::spawn(move || {
                let had = lock.try_lock(2).is_some() || lock.wait_until(2, SOME_TIME);
                if had {
                    // SAFETY: locked in the line above.
                    unsafe {
                        lock.with(|value| *value += 1);
                        lock.unlock();
                    }
                }
                had
            })
        };
        let patient = {
            let lock = lock.clone();
            thread::spawn(move || add_one(&lock, 3))
        };
        park::expire();
        // SAFETY: locked above.
        unsafe { lock.unlock() };
        let had = limited.join().expect("no panic");
        patient.join().expect("no panic");
        assert_eq!(value(&lock, 1), 2 + u32::from(had));
    });
}

/// Waits, two levels deep, until the value is not 0; whether it became so within `deadline_ns`.
fn wait_for_change(
    lock: &Reentrant<u32>,
    changed: &Condition,
    me: usize,
    deadline_ns: u64,
) -> bool {
    lock.lock(me);
    lock.lock(me);
    // SAFETY: locked twice above, given back twice below; no `with` is open while it waits.
    unsafe {
        let is_changed = loop {
            if lock.with(|value| *value != 0) {
                break true;
            }
            if !changed.wait_until(lock, me, deadline_ns) {
                break lock.with(|value| *value != 0);
            }
        };
        assert!(lock.is_held_by(me));
        lock.unlock();
        assert!(lock.is_held_by(me));
        lock.unlock();
        is_changed
    }
}

fn change(lock: &Reentrant<u32>, changed: &Condition, me: usize, notifies_inside: bool) {
    lock.lock(me);
    // SAFETY: locked in the line above.
    unsafe {
        lock.with(|value| *value += 1);
        if notifies_inside {
            changed.notify();
        }
        lock.unlock();
    }
    if !notifies_inside {
        changed.notify();
    }
}

#[test]
fn a_change_is_not_slept_through() {
    for notifies_inside in [false, true] {
        model(3, move || {
            let shared = Arc::new((Reentrant::new(0), Condition::new()));
            let waiter = {
                let shared = shared.clone();
                thread::spawn(move || wait_for_change(&shared.0, &shared.1, 1, NEVER))
            };
            change(&shared.0, &shared.1, 2, notifies_inside);
            assert!(waiter.join().expect("no panic"));
            assert_eq!(shared.1.waiting(), 0);
        });
    }
}

#[test]
fn a_change_wakes_all_who_wait() {
    model(2, || {
        let shared = Arc::new((Reentrant::new(0), Condition::new()));
        let waiters: Vec<_> = [1, 2]
            .map(|me| {
                let shared = shared.clone();
                thread::spawn(move || wait_for_change(&shared.0, &shared.1, me, NEVER))
            })
            .into();
        change(&shared.0, &shared.1, 3, false);
        for waiter in waiters {
            assert!(waiter.join().expect("no panic"));
        }
    });
}

#[test]
fn a_wait_for_a_change_ends_at_its_limit() {
    model(3, || {
        let shared = Arc::new((Reentrant::new(0), Condition::new()));
        let waiter = {
            let shared = shared.clone();
            thread::spawn(move || wait_for_change(&shared.0, &shared.1, 1, SOME_TIME))
        };
        park::expire();
        assert!(!waiter.join().expect("no panic"));
        assert_eq!(value(&shared.0, 2), 0);
    });
}

/// Whether, in some order, a thread sleeps through a change that it waits for: it looks at the count inside the lock, where it
/// sees that there is none yet, or only after the lock.
fn sleeps_through(looks_inside: bool) -> bool {
    let slept = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let found = slept.clone();
    model(3, move || {
        let shared = Arc::new((Reentrant::new(0), EventCount::new()));
        let waiter = {
            let (shared, found) = (shared.clone(), found.clone());
            thread::spawn(move || {
                shared.0.lock(1);
                let inside = shared.1.read();
                // SAFETY: locked above.
                let is_changed = unsafe {
                    let is_changed = shared.0.with(|value| *value != 0);
                    shared.0.unlock();
                    is_changed
                };
                let seen = if looks_inside {
                    inside
                } else {
                    shared.1.read()
                };
                if !is_changed && !shared.1.wait_past(seen, SOME_TIME) && shared.1.read() == seen {
                    found.store(true, std::sync::atomic::Ordering::Relaxed);
                }
            })
        };
        add_one(&shared.0, 2);
        shared.1.advance();
        park::expire();
        waiter.join().expect("no panic");
    });
    slept.load(std::sync::atomic::Ordering::Relaxed)
}

#[test]
fn who_looks_too_late_is_found_out() {
    assert!(!sleeps_through(true));
    assert!(sleeps_through(false));
}
