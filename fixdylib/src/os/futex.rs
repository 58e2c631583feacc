//! Linux: a lock and an event count, each one word on which threads sleep.

use super::{NEVER, monotonic_ns, park};
use crate::sync::{AtomicU32, Ordering, constant};

/// A lock in one word: free, taken, or taken with somebody asleep (Drepper, "Futexes are tricky", mutex 2).
pub struct RawLock(AtomicU32);

const FREE: u32 = 0;
const TAKEN: u32 = 1;
const AWAITED: u32 = 2;

impl RawLock {
    constant! {
        /// A free lock.
        pub fn new() -> Self {
            Self(AtomicU32::new(FREE))
        }
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_lock(&self) -> bool {
        self.0
            .compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Takes the lock, waiting for it. Asleep at once: looking at it a hundred times first gave no more calls a second with
    /// two threads and sections of 100 ns, and a tenth fewer with eight (Linux, two cores).
    #[cold]
    pub fn lock_slow(&self) {
        self.lock_until(NEVER);
    }

    /// Takes the lock, waiting for it at most until this time of [`monotonic_ns`]; whether it was had.
    #[cold]
    pub fn lock_until(&self, deadline_ns: u64) -> bool {
        // Who was woken tries once more before giving up: the wake was meant for one, and would be lost.
        while self.0.swap(AWAITED, Ordering::Acquire) != FREE {
            if deadline_ns != NEVER && monotonic_ns() >= deadline_ns {
                return false;
            }
            park::wait(&self.0, AWAITED, deadline_ns);
        }
        true
    }

    /// Gives the lock back. Only the holder may call it.
    #[inline]
    pub fn unlock(&self) {
        if self.0.swap(FREE, Ordering::Release) == AWAITED {
            self.wake();
        }
    }

    #[cold]
    #[inline(never)]
    fn wake(&self) {
        park::wake(&self.0, 1);
    }

    /// Forgets who waits, in the child of a `fork`: `held` tells whether the only thread left holds it.
    pub fn reset_after_fork(&self, held: bool) {
        self.0
            .store(if held { TAKEN } else { FREE }, Ordering::Relaxed);
    }
}

/// A count of events that threads can wait for (Reed and Kanodia, "Synchronization with eventcounts and sequencers").
pub struct EventCount(AtomicU32);

impl EventCount {
    constant! {
        /// A count without events.
        pub fn new() -> Self {
            Self(AtomicU32::new(0))
        }
    }

    /// The count now.
    pub fn read(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }

    /// Sleeps until the count is another than `seen`, or until this time of [`monotonic_ns`], when it is false.
    pub fn wait_past(&self, seen: u32, deadline_ns: u64) -> bool {
        while self.read() == seen {
            if deadline_ns != NEVER && monotonic_ns() >= deadline_ns {
                return false;
            }
            park::wait(&self.0, seen, deadline_ns);
        }
        true
    }

    /// Counts an event and wakes all who wait for one.
    pub fn advance(&self) {
        self.0.fetch_add(1, Ordering::Release);
        park::wake(&self.0, i32::MAX.cast_unsigned());
    }

    /// Forgets who waits, in the child of a `fork`.
    pub fn reset_after_fork(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}
