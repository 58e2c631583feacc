//! Waiting for something that happens under a lock.

use super::Reentrant;
use crate::os::EventCount;
use crate::sync::{AtomicU32, Ordering, constant};

/// What threads wait for with a [`Reentrant`] lock fully given back.
pub struct Condition {
    waiting: AtomicU32,
    events: EventCount,
}

impl Condition {
    constant! {
        /// Nobody waits.
        pub fn new() -> Self {
            Self {
                waiting: AtomicU32::new(0),
                events: EventCount::new(),
            }
        }
    }

    /// Gives `lock` back, all levels, sleeps until [`Self::notify`] or this time of [`crate::os::monotonic_ns`], and takes
    /// the lock again as deep as it was. False at the deadline.
    ///
    /// A notification says only that something happened: callers look again at what they wait for, under the lock, and
    /// wait again.
    ///
    /// # Safety
    /// The calling thread is `me` and holds `lock`, with no call of [`Reentrant::with`] open.
    pub unsafe fn wait_until<T>(&self, lock: &Reentrant<T>, me: usize, deadline_ns: u64) -> bool {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let seen = self.events.read();
        // SAFETY: promised by the caller.
        let depth = unsafe { lock.release_all() };
        let notified = self.events.wait_past(seen, deadline_ns);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        lock.reacquire(me, depth);
        notified
    }

    /// Wakes all who wait. To be called by a thread that has changed, under the lock, what is waited for; it may have given
    /// the lock back since. Costs one load where nobody waits.
    #[inline]
    pub fn notify(&self) {
        // The lock orders this load after the addition of every thread that did not see the change.
        if self.waiting.load(Ordering::Relaxed) != 0 {
            self.events.advance();
        }
    }

    /// Threads that wait, at some moment just now.
    pub fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Forgets who waits, in the child of a `fork`. Async-signal-safe.
    pub fn reset_after_fork(&self) {
        self.waiting.store(0, Ordering::Relaxed);
        self.events.reset_after_fork();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::os;

    #[test]
    fn a_notification_wakes_a_thread_that_held_the_lock_twice() {
        let lock = Reentrant::new(false);
        let changed = Condition::new();
        std::thread::scope(|scope| {
            let (lock, changed) = (&lock, &changed);
            let waiter = scope.spawn(move || {
                lock.lock(1);
                lock.lock(1);
                let deadline = os::deadline_in_ms(60_000);
                // SAFETY: locked above, twice; no `with` is open while it waits.
                unsafe {
                    while !lock.with(|it| *it) {
                        assert!(changed.wait_until(lock, 1, deadline));
                    }
                    lock.unlock();
                    assert!(lock.is_held_by(1));
                    lock.unlock();
                }
            });
            while changed.waiting() == 0 {
                std::thread::yield_now();
            }
            lock.lock(2);
            // SAFETY: locked in the line above.
            unsafe {
                lock.with(|it| *it = true);
                lock.unlock();
            }
            changed.notify();
            waiter.join().expect("no panic");
        });
        assert_eq!(changed.waiting(), 0);
    }

    #[test]
    fn a_wait_without_a_notification_ends_at_its_limit() {
        let lock = Reentrant::new(());
        let changed = Condition::new();
        lock.lock(1);
        let before = os::monotonic_ns();
        // SAFETY: locked above.
        let notified = unsafe { changed.wait_until(&lock, 1, os::deadline_in_ms(20)) };
        assert!(!notified);
        assert!(os::monotonic_ns() - before >= 20_000_000);
        assert!(lock.is_held_by(1));
    }
}
