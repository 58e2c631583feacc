//! A lock for short sections of the library's own code, in which nothing is called that could lock.

use crate::os::RawLock;
use crate::sync::{Guarded, constant};

/// A value that one thread at a time may use. Unlike std's mutex it can be put in order after a `fork`.
pub struct Plain<T> {
    raw: RawLock,
    value: Guarded<T>,
}

// SAFETY: the value is touched only by the thread that holds `raw`.
unsafe impl<T: Send> Sync for Plain<T> {}

/// Gives the lock back, a panic or not.
struct Held<'a>(&'a RawLock);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.unlock();
    }
}

impl<T> Plain<T> {
    constant! {
        /// Around `value`.
        pub fn new(value: T) -> Self {
            Self {
                raw: RawLock::new(),
                value: Guarded::new(value),
            }
        }
    }

    /// The value, for `with`, which must not use this lock.
    pub fn with<R>(&self, with: impl FnOnce(&mut T) -> R) -> R {
        if !self.raw.try_lock() {
            self.raw.lock_slow();
        }
        let held = Held(&self.raw);
        // SAFETY: this thread holds `raw`.
        let result = self.value.with(|value| with(unsafe { &mut *value }));
        drop(held);
        result
    }

    /// Frees the lock in the child of a `fork`; the value may be half changed, and is `reset`. Async-signal-safe if that is.
    pub fn reset_after_fork(&self, reset: impl FnOnce(&mut T)) {
        self.raw.reset_after_fork(false);
        self.with(reset);
    }
}
