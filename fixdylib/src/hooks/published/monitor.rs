//! The lock of a published version, and what it protects.

use std::cell::UnsafeCell;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use agx_ledger::Counter;
use agx_policy::policies::LockKind;

use super::mutex::{Condition, Mutex};
use super::tables::Tables;
use crate::ledger::{self, count_locked};
use crate::lock::watch::{Holder, Watch};
use crate::os;

/// The mutex itself.
static MUTEX: Mutex = Mutex::new();
/// An encoder has ended.
static ENDED: Condition = Condition::new();
/// The thread that has the mutex; 0 for none.
static OWNER: AtomicUsize = AtomicUsize::new(0);
/// Who is told of long waits; null for nobody.
static WATCH: AtomicPtr<Watch> = AtomicPtr::new(ptr::null_mut());
/// The system's id of the owner, where there is a watch.
static HOLDER: Holder = Holder::new();
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

/// Makes the mutex one of this kind, with long waits told to `watch`. Called once, before the first hook is installed.
pub fn prepare(kind: LockKind, watch: Option<&'static Watch>) {
    if let Some(watch) = watch {
        WATCH.store(ptr::from_ref(watch).cast_mut(), Ordering::Release);
    }
    RECURSIVE.store(u8::from(kind != LockKind::Plain), Ordering::Relaxed);
    // SAFETY: no hook stands, so that nobody uses them.
    let made = unsafe { MUTEX.make(kind) && ENDED.make() };
    if !made {
        crate::say::say(format_args!(
            "the system has no memory for a mutex; a published version runs with a plain one"
        ));
    }
}

#[inline]
fn watch() -> Option<&'static Watch> {
    // SAFETY: null, or from a reference that holds for good.
    unsafe { WATCH.load(Ordering::Acquire).as_ref() }
}

/// Waits for the mutex, which another thread has; a plain one, the calling thread itself perhaps.
#[cold]
fn wait() {
    match watch() {
        None => MUTEX.lock(),
        Some(watch) => {
            watch.wait(os::NEVER, |until| MUTEX.lock_until(until), || HOLDER.get());
        }
    }
}

/// The thread `me` has the mutex now.
#[inline]
fn own(me: usize) {
    OWNER.store(me, Ordering::Relaxed);
    if watch().is_some() {
        HOLDER.set(os::thread_id());
    }
}

/// The owner is about to give the mutex back.
#[inline]
fn disown() {
    OWNER.store(0, Ordering::Relaxed);
    if watch().is_some() {
        HOLDER.clear();
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
            wait();
            comes();
        }
        let held = Self(());
        let outermost = held.with(|inside| {
            inside.depth += 1;
            inside.depth == 1
        });
        if contended {
            count_locked(Counter::LockContentions);
        }
        if outermost {
            own(me);
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
    #[allow(clippy::unused_self)] // its existence is the proof that the mutex is held
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
                disown();
            }
            // SAFETY: this thread has the mutex.
            unsafe {
                match left {
                    None => ENDED.wait(&MUTEX),
                    Some(left) => ENDED.wait_for(&MUTEX, left),
                }
            }
            if outermost {
                own(me);
                self.with(|inside| inside.depth = 1);
            }
        }
    }

    /// An encoder has ended: whoever waits looks again.
    #[allow(clippy::unused_self)] // as above
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
            disown();
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
            disown();
        }
    }
}

/// The calling thread's identity.
#[inline]
pub fn me() -> usize {
    ledger::thread() as usize
}
