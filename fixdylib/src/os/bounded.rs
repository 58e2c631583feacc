//! Waiting with a limit for a lock that knows no limits.
//!
//! `os_unfair_lock` can be tried or waited for without end, nothing between (os/lock.h). Who waits with a limit waits for
//! an event instead, which the holder counts after it gave the lock back.

use super::EventCount;
use crate::sync::{AtomicU32, Ordering, constant, fence};

/// Those who wait with a limit for one lock.
pub struct Bounded {
    waiting: AtomicU32,
    freed: EventCount,
}

impl Bounded {
    constant! {
        /// Nobody waits.
        pub fn new() -> Self {
            Self {
                waiting: AtomicU32::new(0),
                freed: EventCount::new(),
            }
        }
    }

    /// Tries until it succeeds or the deadline has passed; whether it succeeded.
    pub fn lock_until(&self, deadline_ns: u64, try_lock: impl Fn() -> bool) -> bool {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // With the fence of `unlocked`: the try sees the lock free, or whoever frees it sees that somebody waits.
        fence(Ordering::SeqCst);
        let had = loop {
            let seen = self.freed.read();
            if try_lock() {
                break true;
            }
            if !self.freed.wait_past(seen, deadline_ns) {
                break try_lock();
            }
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        had
    }

    /// To be called after each time that the lock was given back.
    #[inline]
    pub fn unlocked(&self) {
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::Relaxed) != 0 {
            self.freed.advance();
        }
    }

    /// Forgets who waits, in the child of a `fork`.
    pub fn reset_after_fork(&self) {
        self.waiting.store(0, Ordering::Relaxed);
        self.freed.reset_after_fork();
    }
}
