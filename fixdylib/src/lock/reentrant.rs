//! A re-entrant lock around a value.
//!
//! Re-entrant, because a driver's method calls `super` and its own other methods, which are hooked too. Threads are told apart
//! by a number that the caller gives, so that the common case asks the system nothing.

use std::ptr;

use super::watch::{Holder, Watch};
use crate::os::{self, RawLock};
use crate::sync::{AtomicPtr, AtomicU32, AtomicUsize, Guarded, Ordering, constant};

/// A re-entrant lock around a value. What every call touches stands in one cache line, which no other lock shares: 128 bytes
/// on Apple's arm64; on x86-64, 64 that are fetched in pairs.
#[repr(C, align(128))]
pub struct Reentrant<T> {
    raw: RawLock,
    depth: Guarded<u32>,
    /// Identity of the holder: an address that is unique among the living threads; 0 if free.
    owner: AtomicUsize,
    /// Threads that wait.
    waiting: AtomicU32,
    /// Null while nobody asked for diagnostics.
    watch: AtomicPtr<Watch>,
    /// Only kept while there is a watch.
    holder: Holder,
    value: Guarded<T>,
}

// SAFETY: `depth` and `value` are touched only by the thread that holds `raw`, so that the value moves between threads
// like one that is sent; the watch is for sharing, and never freed.
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
    constant! {
        /// A free lock around `value`.
        pub fn new(value: T) -> Self {
            Self {
                raw: RawLock::new(),
                owner: AtomicUsize::new(0),
                waiting: AtomicU32::new(0),
                watch: AtomicPtr::new(ptr::null_mut()),
                holder: Holder::new(),
                depth: Guarded::new(0),
                value: Guarded::new(value),
            }
        }
    }

    /// From now on, long waits are told and the holder's thread is noted.
    pub fn watch(&self, watch: &'static Watch) {
        self.watch
            .store(ptr::from_ref(watch).cast_mut(), Ordering::Release);
    }

    #[inline]
    fn watched(&self) -> Option<&'static Watch> {
        // SAFETY: null, or from `watch`.
        unsafe { self.watch.load(Ordering::Acquire).as_ref() }
    }

    /// Whether [`Self::watch`] was called.
    pub fn is_watched(&self) -> bool {
        self.watched().is_some()
    }

    /// [`Self::try_lock`] of a lock without a watch.
    #[inline]
    pub fn try_lock_unwatched(&self, me: usize) -> Option<Acquired> {
        let acquired = if self.is_held_by(me) {
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

    /// [`Self::unlock`] of a lock without a watch.
    ///
    /// # Safety
    /// The calling thread holds the lock.
    #[inline]
    pub unsafe fn unlock_unwatched(&self) {
        if self.rise() == 0 {
            self.owner.store(0, Ordering::Relaxed);
            self.raw.unlock();
        }
    }

    /// Takes the lock for the thread `me` (not 0), if no other has it. Each success needs one [`Self::unlock`].
    #[inline]
    pub fn try_lock(&self, me: usize) -> Option<Acquired> {
        let acquired = if self.is_held_by(me) {
            Acquired::Nested
        } else if self.raw.try_lock() {
            self.take(me);
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
        self.wait_until(me, os::NEVER);
    }

    /// [`Self::wait`], at most until this time of [`os::monotonic_ns`]; whether the lock was had.
    #[cold]
    #[inline(never)]
    pub fn wait_until(&self, me: usize, deadline_ns: u64) -> bool {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let had = match self.watched() {
            Some(watch) => watch.wait(
                deadline_ns,
                |until| self.raw.lock_until(until),
                || self.holder(),
            ),
            None => self.raw.lock_until(deadline_ns),
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        if had {
            self.take(me);
            self.deepen();
        }
        had
    }

    /// [`Self::try_lock`], and [`Self::wait`] if need be.
    pub fn lock(&self, me: usize) -> Acquired {
        self.try_lock(me).unwrap_or_else(|| {
            self.wait(me);
            Acquired::Waited
        })
    }

    /// The thread that holds the raw lock becomes the owner.
    #[inline]
    fn take(&self, me: usize) {
        self.owner.store(me, Ordering::Relaxed);
        if self.watched().is_some() {
            self.holder.set(os::thread_id());
        }
    }

    /// Whether the thread `me`, which is the calling one, has the lock.
    #[inline]
    pub fn is_held_by(&self, me: usize) -> bool {
        self.owner.load(Ordering::Relaxed) == me
    }

    /// Threads that wait, at some moment just now.
    #[allow(dead_code)] // asked by tests, which act when a thread has come to wait
    pub fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The system's id of the thread that has the lock, at some moment just now; `None` if none has, or without a watch.
    pub fn holder(&self) -> Option<u64> {
        self.holder.get()
    }

    #[inline]
    fn deepen(&self) {
        self.depth.with(|depth| {
            // SAFETY: called by the thread that holds `raw`.
            unsafe { *depth = (*depth).wrapping_add(1) };
        });
    }

    /// Gives one level back.
    ///
    /// # Safety
    /// The calling thread holds the lock.
    #[inline]
    pub unsafe fn unlock(&self) {
        if self.rise() == 0 {
            self.give();
        }
    }

    /// Levels that are left after one is given back.
    #[inline]
    fn rise(&self) -> u32 {
        self.depth.with(|depth| {
            // SAFETY: called by the thread that holds `raw`.
            unsafe {
                *depth = (*depth).wrapping_sub(1);
                *depth
            }
        })
    }

    #[inline]
    fn give(&self) {
        if self.watched().is_some() {
            self.holder.clear();
        }
        self.owner.store(0, Ordering::Relaxed);
        self.raw.unlock();
    }

    /// Gives the lock back however often it was taken: the depth, for [`Self::reacquire`].
    ///
    /// # Safety
    /// The calling thread holds the lock.
    pub unsafe fn release_all(&self) -> u32 {
        // SAFETY: this thread holds `raw`.
        let depth = self.depth.with(|depth| unsafe { depth.replace(0) });
        self.give();
        depth
    }

    /// Takes the lock, which the thread `me` does not have, waiting for it: as deep as before [`Self::release_all`].
    pub fn reacquire(&self, me: usize, depth: u32) -> Acquired {
        let acquired = self.lock(me);
        // SAFETY: locked in the line above.
        self.depth.with(|it| unsafe { *it = depth });
        acquired
    }

    /// The value, for `with`, which must not lock again.
    ///
    /// # Safety
    /// The calling thread holds the lock, and no other call of this function is open on it.
    #[inline]
    pub unsafe fn with<R>(&self, with: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the caller holds the lock and has no other reference.
        self.value.with(|value| with(unsafe { &mut *value }))
    }

    /// Puts the lock in order in the child of a `fork`, whose only thread is `me`: what another thread held is free.
    /// Returns whether `me` holds it. Async-signal-safe.
    pub fn reset_after_fork(&self, me: usize) -> bool {
        let held = self.is_held_by(me);
        self.waiting.store(0, Ordering::Relaxed);
        self.raw.reset_after_fork(held);
        self.holder.clear();
        if held {
            self.take(me);
        } else {
            self.owner.store(0, Ordering::Relaxed);
            // SAFETY: the child has one thread, and it is here.
            self.depth.with(|depth| unsafe { *depth = 0 });
        }
        held
    }
}

#[cfg(all(test, not(loom)))]
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

    #[test]
    fn a_wait_with_a_limit_ends_there() {
        let lock = Reentrant::new(());
        lock.lock(1);
        std::thread::scope(|scope| {
            let lock = &lock;
            let had = scope.spawn(move || lock.wait_until(2, os::deadline_in_ms(20)));
            assert!(!had.join().expect("no panic"));
        });
        assert_eq!(lock.waiting(), 0);
        assert!(lock.is_held_by(1), "a wait that failed changes nothing");
        assert_eq!(lock.try_lock(1), Some(Acquired::Nested));
    }

    #[test]
    fn a_wait_with_a_limit_has_the_lock_when_it_is_given_back() {
        let lock = Reentrant::new(());
        lock.lock(1);
        std::thread::scope(|scope| {
            let lock = &lock;
            let had = scope.spawn(move || {
                let had = lock.wait_until(2, os::deadline_in_ms(60_000));
                // SAFETY: had, or the test fails below.
                unsafe { lock.unlock() };
                had
            });
            while lock.waiting() == 0 {
                std::thread::yield_now();
            }
            // SAFETY: locked above.
            unsafe { lock.unlock() };
            assert!(had.join().expect("no panic"));
        });
    }

    #[test]
    fn all_levels_are_given_back_and_taken_again() {
        let lock = Reentrant::new(());
        for _ in 0..3 {
            lock.lock(1);
        }
        // SAFETY: locked above.
        let depth = unsafe { lock.release_all() };
        assert_eq!(depth, 3);
        assert_eq!(lock.try_lock(2), Some(Acquired::Free));
        // SAFETY: locked in the line above.
        unsafe { lock.unlock() };
        assert_eq!(lock.reacquire(1, depth), Acquired::Free);
        for left in (0..3).rev() {
            assert!(lock.is_held_by(1), "{left} more levels");
            // SAFETY: `reacquire` took it three times deep.
            unsafe { lock.unlock() };
        }
        assert!(!lock.is_held_by(1));
    }

    #[test]
    fn the_holder_is_known_where_there_is_a_watch() {
        static WATCH: Watch = Watch::new(
            crate::lock::watch::Limits {
                warn_ms: 1,
                interval_ms: 0,
                timeout_ms: 0,
                abort: false,
            },
            |_| {},
        );
        let lock = Reentrant::new(());
        lock.lock(1);
        assert_eq!(lock.holder(), None);
        // SAFETY: locked above.
        unsafe { lock.unlock() };
        lock.watch(&WATCH);
        lock.lock(1);
        assert_eq!(lock.holder(), Some(os::thread_id()));
        // SAFETY: locked above.
        unsafe { lock.unlock() };
        assert_eq!(lock.holder(), None);
    }
}
