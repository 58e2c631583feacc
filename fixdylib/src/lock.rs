//! The lock under which the driver's encoders are used: one for the process, re-entrant.
//!
//! Re-entrant, because a driver's method calls `super` and its own other methods, which are hooked too.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::os::RawLock;

/// A re-entrant lock around a value.
pub struct Reentrant<T> {
    raw: RawLock,
    /// Identity of the holder: an address that is unique among the living threads; 0 if free.
    owner: AtomicUsize,
    /// Threads that wait.
    waiting: AtomicU32,
    depth: UnsafeCell<u32>,
    value: UnsafeCell<T>,
}

// SAFETY: `depth` and `value` are touched only by the thread that holds `raw`, so that the value moves between threads
// like one that is sent.
unsafe impl<T: Send> Sync for Reentrant<T> {}

/// How the lock was had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// The thread had it already.
    Nested,
    /// It was free.
    Free,
    /// Another thread had it, and was waited for.
    Waited,
}

impl<T> Reentrant<T> {
    /// A free lock around `value`.
    pub const fn new(value: T) -> Self {
        Self {
            raw: RawLock::new(),
            owner: AtomicUsize::new(0),
            waiting: AtomicU32::new(0),
            depth: UnsafeCell::new(0),
            value: UnsafeCell::new(value),
        }
    }

    /// Takes the lock for the thread `me` (not 0), if no other has it. Each success needs one [`Self::unlock`].
    #[inline]
    pub fn try_lock(&self, me: usize) -> Option<Acquired> {
        let acquired = if self.owner.load(Ordering::Relaxed) == me {
            Acquired::Nested
        } else if self.raw.try_lock() {
            self.owner.store(me, Ordering::Relaxed);
            Acquired::Free
        } else {
            return None;
        };
        self.deepen();
        Some(acquired)
    }

    /// Takes the lock for the thread `me`, which does not have it, waiting for it. Needs one [`Self::unlock`].
    #[cold]
    #[inline(never)]
    pub fn wait(&self, me: usize) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.raw.lock_slow();
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.owner.store(me, Ordering::Relaxed);
        self.deepen();
    }

    /// [`Self::try_lock`], and [`Self::wait`] if need be.
    pub fn lock(&self, me: usize) -> Acquired {
        self.try_lock(me).unwrap_or_else(|| {
            self.wait(me);
            Acquired::Waited
        })
    }

    /// Whether a thread waits for the lock. It may have stopped, or begun, when the caller looks at the answer.
    pub fn is_awaited(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) != 0
    }

    #[inline]
    fn deepen(&self) {
        // SAFETY: called by the thread that holds `raw`.
        let depth = unsafe { &mut *self.depth.get() };
        *depth = depth.wrapping_add(1);
    }

    /// Gives one level back.
    ///
    /// # Safety
    /// The calling thread holds the lock.
    #[inline]
    pub unsafe fn unlock(&self) {
        // SAFETY: this thread holds `raw`.
        let depth = unsafe { &mut *self.depth.get() };
        *depth = depth.wrapping_sub(1);
        if *depth == 0 {
            self.owner.store(0, Ordering::Relaxed);
            self.raw.unlock();
        }
    }

    /// The value, for `with`, which must not lock again.
    ///
    /// # Safety
    /// The calling thread holds the lock, and no other call of this function is open on it.
    #[inline]
    pub unsafe fn with<R>(&self, with: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the caller holds the lock and has no other reference.
        with(unsafe { &mut *self.value.get() })
    }

    /// Puts the lock in order in the child of a `fork`, whose only thread is `me`: what another thread held is free.
    /// Returns whether `me` holds it. Async-signal-safe.
    pub fn reset_after_fork(&self, me: usize) -> bool {
        let held = self.owner.load(Ordering::Relaxed) == me;
        self.waiting.store(0, Ordering::Relaxed);
        self.raw.reset_after_fork(held);
        if !held {
            self.owner.store(0, Ordering::Relaxed);
            // SAFETY: the child has one thread, and it is here.
            unsafe { *self.depth.get() = 0 };
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn it_nests_on_one_thread() {
        let lock = Reentrant::new(0);
        assert_eq!(lock.lock(1), Acquired::Free);
        assert_eq!(lock.lock(1), Acquired::Nested);
        // SAFETY: locked twice above; the references do not overlap.
        unsafe {
            lock.with(|value| *value += 1);
            lock.unlock();
            lock.unlock();
        }
        assert_eq!(lock.lock(2), Acquired::Free);
    }

    #[test]
    fn threads_take_turns() {
        let lock = Reentrant::new(0_u64);
        std::thread::scope(|scope| {
            for me in 1..=4 {
                let lock = &lock;
                scope.spawn(move || {
                    for _ in 0..20_000 {
                        lock.lock(me);
                        // SAFETY: locked in the line above.
                        unsafe {
                            lock.with(|value| *value += 1);
                            lock.unlock();
                        }
                    }
                });
            }
        });
        lock.lock(9);
        // SAFETY: locked in the line above.
        assert_eq!(unsafe { lock.with(|value| *value) }, 80_000);
    }

    #[test]
    fn after_a_fork_a_strangers_hold_is_gone_and_ones_own_stays() {
        let lock = Reentrant::new(());
        lock.lock(1);
        assert!(!lock.reset_after_fork(2));
        assert_eq!(lock.lock(2), Acquired::Free);
        assert!(lock.reset_after_fork(2));
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            let lock = &lock;
            scope.spawn(move || {
                sender
                    .send(lock.raw.try_lock())
                    .expect("the receiver waits below");
            });
            assert!(!receiver.recv().expect("the thread sends"));
        });
    }
}
