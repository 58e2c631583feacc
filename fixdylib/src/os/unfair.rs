//! macOS: `os_unfair_lock`, and an event count on a condition of POSIX threads.
//!
//! `os_sync_wait_on_address` would do for the count, but exists from macOS 14.4 on only (os/os_sync_wait_on_address.h).

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::bounded::Bounded;
use super::{NEVER, monotonic_ns};

unsafe extern "C" {
    fn os_unfair_lock_lock(lock: *mut u32);
    fn os_unfair_lock_trylock(lock: *mut u32) -> bool;
    fn os_unfair_lock_unlock(lock: *mut u32);
}

/// An `os_unfair_lock`, whose initial value is zero (os/lock.h).
pub struct RawLock {
    word: AtomicU32,
    bounded: Bounded,
}

impl RawLock {
    /// A free lock.
    pub const fn new() -> Self {
        Self {
            word: AtomicU32::new(0),
            bounded: Bounded::new(),
        }
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_lock(&self) -> bool {
        // SAFETY: the word is a valid lock that does not move while it is shared.
        unsafe { os_unfair_lock_trylock(self.word.as_ptr()) }
    }

    /// Takes the lock, waiting for it.
    #[cold]
    pub fn lock_slow(&self) {
        // SAFETY: as above; the caller does not hold it.
        unsafe { os_unfair_lock_lock(self.word.as_ptr()) }
    }

    /// Takes the lock, waiting for it at most until this time of [`monotonic_ns`]; whether it was had.
    #[cold]
    pub fn lock_until(&self, deadline_ns: u64) -> bool {
        if deadline_ns == NEVER {
            self.lock_slow();
            return true;
        }
        self.bounded.lock_until(deadline_ns, || self.try_lock())
    }

    /// Gives the lock back. Only the holder may call it.
    #[inline]
    pub fn unlock(&self) {
        // SAFETY: the calling thread holds the lock.
        unsafe { os_unfair_lock_unlock(self.word.as_ptr()) }
        self.bounded.unlocked();
    }

    /// Forgets who waits, in the child of a `fork`: `held` tells whether the only thread left holds it.
    ///
    /// The word holds the owner's Mach port, which the child's thread does not keep: it is taken afresh.
    pub fn reset_after_fork(&self, held: bool) {
        self.word.store(0, Ordering::Relaxed);
        self.bounded.reset_after_fork();
        if held {
            self.lock_slow();
        }
    }
}

/// A count of events that threads can wait for (Reed and Kanodia, "Synchronization with eventcounts and sequencers").
///
/// A new one is all zeroes, so that a static table of them takes no room in the library's file. The initial values of a
/// mutex and a condition are not zero here (`_PTHREAD_MUTEX_SIG_init` of pthread.h): the first thread to come writes them.
pub struct EventCount {
    count: AtomicU32,
    /// An `os_unfair_lock`, held while the mutex and the condition are made.
    making: AtomicU32,
    made: AtomicBool,
    mutex: UnsafeCell<MaybeUninit<libc::pthread_mutex_t>>,
    counted: UnsafeCell<MaybeUninit<libc::pthread_cond_t>>,
}

// SAFETY: the mutex and the condition are written under a lock before any thread has them, and then only handed to the
// functions that are made for sharing them. The child of a `fork`, which starts afresh, has one thread.
unsafe impl Sync for EventCount {}

impl EventCount {
    /// A count without events.
    pub const fn new() -> Self {
        Self {
            count: AtomicU32::new(0),
            making: AtomicU32::new(0),
            made: AtomicBool::new(false),
            mutex: UnsafeCell::new(MaybeUninit::zeroed()),
            counted: UnsafeCell::new(MaybeUninit::zeroed()),
        }
    }

    /// The mutex and the condition, made if no thread has been here yet.
    fn made(&self) -> (*mut libc::pthread_mutex_t, *mut libc::pthread_cond_t) {
        if !self.made.load(Ordering::Acquire) {
            self.make();
        }
        (self.mutex.get().cast(), self.counted.get().cast())
    }

    #[cold]
    fn make(&self) {
        // SAFETY: the word is a valid lock that does not move while it is shared; given back below. Until `made` is true
        // only its holder touches the mutex and the condition.
        unsafe {
            os_unfair_lock_lock(self.making.as_ptr());
            if !self.made.load(Ordering::Relaxed) {
                (*self.mutex.get()).write(libc::PTHREAD_MUTEX_INITIALIZER);
                (*self.counted.get()).write(libc::PTHREAD_COND_INITIALIZER);
                self.made.store(true, Ordering::Release);
            }
            os_unfair_lock_unlock(self.making.as_ptr());
        }
    }

    /// The count now.
    pub fn read(&self) -> u32 {
        self.count.load(Ordering::Acquire)
    }

    /// Sleeps until the count is another than `seen`, or until this time of [`monotonic_ns`], when it is false.
    pub fn wait_past(&self, seen: u32, deadline_ns: u64) -> bool {
        let (mutex, counted) = self.made();
        // SAFETY: initialised, and at a place that does not move while it is shared; given back further down.
        unsafe { libc::pthread_mutex_lock(mutex) };
        let advanced = loop {
            if self.read() != seen {
                break true;
            }
            if deadline_ns == NEVER {
                // SAFETY: both are initialised, and this thread has the mutex.
                unsafe { libc::pthread_cond_wait(counted, mutex) };
                continue;
            }
            let left = deadline_ns.saturating_sub(monotonic_ns());
            if left == 0 {
                break false;
            }
            let left = libc::timespec {
                tv_sec: (left / 1_000_000_000).cast_signed(),
                tv_nsec: (left % 1_000_000_000).cast_signed(),
            };
            // SAFETY: as above. Whatever it returns, count and clock are looked at again.
            unsafe { libc::pthread_cond_timedwait_relative_np(counted, mutex, &raw const left) };
        };
        // SAFETY: taken at the beginning.
        unsafe { libc::pthread_mutex_unlock(mutex) };
        advanced
    }

    /// Counts an event and wakes all who wait for one.
    pub fn advance(&self) {
        let (mutex, counted) = self.made();
        // SAFETY: initialised, and unlocked in the same block. Under the mutex the count cannot change between a waiter's
        // look at it and its sleep.
        unsafe {
            libc::pthread_mutex_lock(mutex);
            self.count.fetch_add(1, Ordering::Release);
            libc::pthread_mutex_unlock(mutex);
            libc::pthread_cond_broadcast(counted);
        }
    }

    /// Forgets who waits, in the child of a `fork`.
    pub fn reset_after_fork(&self) {
        self.count.store(0, Ordering::Relaxed);
        // What the parent's threads did with the two is void: they are made afresh.
        self.making.store(0, Ordering::Relaxed);
        self.made.store(false, Ordering::Relaxed);
    }
}
