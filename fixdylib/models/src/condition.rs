//! Waiting for something that happens under a lock, as the library's events wait for encoders to end
//! (`hooks/domains.rs`), with one lock.

use crate::lock::Reentrant;
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
}
