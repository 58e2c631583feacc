//! Waiting with a limit for a lock without limits, in every order of threads. On a Mac that lock is `os_unfair_lock`; here it is
//! the least that a lock can be.

use agx_fix_models::model;
use agx_fix_models::os::bounded::Bounded;
use agx_fix_models::os::park;
use agx_fix_models::sync::{AtomicU32, Guarded, Ordering};
use loom::sync::Arc;
use loom::thread;

const SOME_TIME: u64 = 1;

struct Lock {
    taken: AtomicU32,
    bounded: Bounded,
    value: Guarded<u32>,
}

// SAFETY: the value is touched only by the thread that set `taken`.
unsafe impl Sync for Lock {}

impl Lock {
    fn new() -> Self {
        Self {
            taken: AtomicU32::new(0),
            bounded: Bounded::new(),
            value: Guarded::new(0),
        }
    }

    fn try_lock(&self) -> bool {
        self.taken
            .compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    fn add_one_and_unlock(&self) {
        // SAFETY: called with the lock taken.
        self.value.with(|value| unsafe { *value += 1 });
        self.taken.store(0, Ordering::Release);
        self.bounded.unlocked();
    }
}

#[test]
fn a_lock_that_is_given_back_is_had() {
    model(3, || {
        let lock = Arc::new(Lock::new());
        assert!(lock.try_lock());
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let lock = lock.clone();
                thread::spawn(move || {
                    assert!(lock.bounded.lock_until(SOME_TIME, || lock.try_lock()));
                    lock.add_one_and_unlock();
                })
            })
            .collect();
        lock.add_one_and_unlock();
        for waiter in waiters {
            waiter.join().expect("no panic");
        }
        assert!(lock.try_lock());
        // SAFETY: taken in the line above.
        assert_eq!(lock.value.with(|value| unsafe { *value }), 3);
    });
}

#[test]
fn a_lock_that_is_not_given_back_is_not() {
    model(3, || {
        let lock = Arc::new(Lock::new());
        assert!(lock.try_lock());
        let waiter = {
            let lock = lock.clone();
            thread::spawn(move || lock.bounded.lock_until(SOME_TIME, || lock.try_lock()))
        };
        park::expire();
        assert!(!waiter.join().expect("no panic"));
    });
}
