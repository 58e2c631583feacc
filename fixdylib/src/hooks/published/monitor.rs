//! The lock of a published version, and what it protects.

use std::cell::UnsafeCell;
use std::mem;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use agx_ledger::Counter;
use agx_policy::policies::LockKind;

use super::mutex::{Condition, Mutex};
use super::tables::Tables;
use crate::ledger::{self, count_locked};

/// The mutex itself.
static MUTEX: Mutex = Mutex::new();
/// An encoder has ended.
static ENDED: Condition = Condition::new();
/// The thread that has the mutex; 0 for none.
static OWNER: AtomicUsize = AtomicUsize::new(0);
/// Whether the mutex is re-entrant, for the child of a `fork`.
static RECURSIVE: AtomicU8 = AtomicU8::new(0);

/// What the mutex protects.
pub struct Inside {
    /// Encoders and command buffers.
    pub tables: Tables,
    /// The slot and the receiver of the first call that was not made, until it is told.
    pub untold: Option<(usize, u64)>,
    depth: u32,
}

struct Protected(UnsafeCell<Inside>);

// SAFETY: touched only by the thread that has the mutex.
unsafe impl Sync for Protected {}

static INSIDE: Protected = Protected(UnsafeCell::new(Inside {
    tables: Tables::new(),
    untold: None,
    depth: 0,
}));

/// Makes the mutex one of this kind. Called once, before the first hook is installed.
pub fn prepare(kind: LockKind) {
    RECURSIVE.store(u8::from(kind != LockKind::Plain), Ordering::Relaxed);
    // SAFETY: no hook stands, so that nobody uses them.
    let made = unsafe { MUTEX.make(kind) && ENDED.make() };
    if !made {
        crate::say::say(format_args!(
            "the system has no memory for a mutex; a published version runs with a plain one"
        ));
    }
}

/// One level of the mutex, given back when it is dropped, by an exception too.
pub struct Held(());

impl Held {
    /// Takes the mutex for the thread `me`, waiting for it; `waits` and `comes` are called around a wait.
    #[inline]
    pub fn take(me: usize, waits: impl FnOnce(), comes: impl FnOnce()) -> Self {
        let contended = !MUTEX.try_lock();
        if contended {
            waits();
            MUTEX.lock();
            comes();
        }
        OWNER.store(me, Ordering::Relaxed);
        let held = Self(());
        held.with(|inside| inside.depth += 1);
        if contended {
            count_locked(Counter::LockContentions);
        }
        if held.with(|inside| inside.depth == 1) {
            count_locked(Counter::LockAcquisitions);
        }
        held
    }

    /// Keeps the level past this value's life, for [`Self::again`].
    pub fn keep(self) {
        mem::forget(self);
    }

    /// A level that was kept.
    ///
    /// # Safety
    /// [`Self::keep`] was called on this thread, and this has not been called for it.
    pub unsafe fn again() -> Self {
        Self(())
    }

    /// What the mutex protects, for `with`, which must neither take the mutex nor send a message.
    #[inline]
    pub fn with<R>(&self, with: impl FnOnce(&mut Inside) -> R) -> R {
        // SAFETY: this thread has the mutex. No closure in this room nests another call of this function.
        with(unsafe { &mut *INSIDE.0.get() })
    }

    /// Waits until `done`, for at most `limit`; whether it is. Gives one level back meanwhile, and no more than one: a thread
    /// that has the mutex twice waits with the mutex in its hand, as in the published versions.
    pub fn wait_until(&self, limit: Option<Duration>, done: impl Fn(&Tables) -> bool) -> bool {
        let start = Instant::now();
        loop {
            if self.with(|inside| done(&inside.tables)) {
                return true;
            }
            let left = match limit.map(|limit| limit.checked_sub(start.elapsed())) {
                None => None,
                Some(Some(left)) if !left.is_zero() => Some(left),
                Some(_) => return false,
            };
            let me = OWNER.load(Ordering::Relaxed);
            let outermost = self.with(|inside| inside.depth == 1);
            if outermost {
                self.with(|inside| inside.depth = 0);
                OWNER.store(0, Ordering::Relaxed);
            }
            // SAFETY: this thread has the mutex.
            unsafe {
                match left {
                    None => ENDED.wait(&MUTEX),
                    Some(left) => ENDED.wait_for(&MUTEX, left),
                }
            }
            if outermost {
                OWNER.store(me, Ordering::Relaxed);
                self.with(|inside| inside.depth = 1);
            }
        }
    }

    /// An encoder has ended: whoever waits looks again.
    pub fn wake(&self) {
        ENDED.wake();
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        let untold = self.with(|inside| {
            inside.depth = inside.depth.saturating_sub(1);
            if inside.depth > 0 {
                return None;
            }
            OWNER.store(0, Ordering::Relaxed);
            inside.untold.take()
        });
        // SAFETY: this thread has the mutex.
        unsafe { MUTEX.unlock() };
        if let Some((slot, receiver)) = untold {
            super::calls::tell(slot, receiver);
        }
    }
}

/// In the child of a `fork`, whose only thread is `me`: what it had it still has, and what another had is free. The system
/// keeps a re-entrant mutex for a thread that the child does not have, so that a new one takes its place.
pub fn reset_after_fork(me: usize) {
    let owner = OWNER.load(Ordering::Relaxed);
    let kind = if RECURSIVE.load(Ordering::Relaxed) == 0 {
        LockKind::Plain
    } else {
        LockKind::Recursive
    };
    // SAFETY: the child has one thread, and it is here. A mutex that cannot be made anew stays as it was.
    unsafe {
        MUTEX.make(kind);
        ENDED.make();
        let inside = &mut *INSIDE.0.get();
        if owner == me {
            for _ in 0..inside.depth {
                MUTEX.lock();
            }
        } else {
            inside.depth = 0;
            if owner != 0 {
                // Another thread may have been in the middle of a change: abandoned, not freed.
                mem::forget(mem::replace(&mut inside.tables, Tables::new()));
            }
            OWNER.store(0, Ordering::Relaxed);
        }
    }
}

/// The calling thread's identity.
#[inline]
pub fn me() -> usize {
    ledger::thread() as usize
}
