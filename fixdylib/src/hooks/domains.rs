//! The locks of the default policy and what each protects: one for the process, or many (`AGX_FIX_LOCK_SCOPE`).
//!
//! In the scopes `queue` and `buffer` a call takes the lock of its command queue or command buffer, which it reads from the
//! receiver's instance variables; an encoder that is tracked, that under which it is tracked ([`places`]). An object without
//! those variables, or with nothing in them, belongs to the caller's innermost lock, else to a common one. What the driver shares among all of them (the pool of `_impl`s: factories,
//! initialisers, `destroyImpl`, deferred ends) is under one further lock, taken last.
//!
//! Waiting for a second lock follows [`order`](crate::lock::order): without limit only upwards. A call that could not have
//! its lock within the limit goes on without, untracked, and is counted (`lock_order_escapes`).

mod objects;

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use agx_ledger::Counter;
use agx_policy::rules::Role;

use super::places::{self, Place};
use super::slots;
use super::tally;
use super::tell::{self, Kind};
use crate::config::Scope;
use crate::ledger::{self, count};
use crate::lifecycle::Lifecycle;
use crate::lock::order::{Domain, Held, Rule, SHARDS};
use crate::lock::watch::Watch;
use crate::lock::{Acquired, Reentrant};
use crate::os::{self, EventCount};

pub use objects::{buffer_of_encoder, commits, describe, is_encoder, is_proxy};
use objects::{is, kind, queue_of};

/// What a lock protects.
#[repr(C)]
pub struct State {
    pub lifecycle: Lifecycle,
    /// The command buffers inside whose event or handler calls the holder is: `super` is not counted again.
    pub busy: Busy,
}

/// A short stack of addresses.
pub struct Busy {
    addresses: [u64; Self::ROOM],
    len: usize,
}

impl Busy {
    const ROOM: usize = 16;

    /// Whether `address` was pushed: not if it is on top, or if there is no room.
    pub fn push(&mut self, address: u64) -> bool {
        if self.len == Self::ROOM || (self.len > 0 && self.addresses[self.len - 1] == address) {
            return false;
        }
        self.addresses[self.len] = address;
        self.len += 1;
        true
    }

    /// Takes the top away.
    pub fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
    }
}

impl State {
    const fn new() -> Self {
        Self {
            lifecycle: Lifecycle::new(),
            busy: Busy {
                addresses: [0; Busy::ROOM],
                len: 0,
            },
        }
    }
}

/// The lock of the scope `global`, which is also the common one of the others.
pub const COMMON: usize = 0;
/// The pool's place behind the others.
const POOL: usize = SHARDS;
/// No lock.
pub const NONE: usize = 0xff;

/// How long a wait is that could be part of a deadlock. Longer than any call of the driver but those that wait for the GPU.
const ORDER_WAIT_MS: u64 = 200;

static LOCKS: [Reentrant<State>; SHARDS] = [const { Reentrant::new(State::new()) }; SHARDS];
static POOL_LOCK: Reentrant<()> = Reentrant::new(());
static SCOPE: AtomicU8 = AtomicU8::new(0);
/// See [`is_general`].
static GENERAL: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Locks that the thread has, except in the scope `global`, and some that it had: who gives one back leaves it here, for
    /// the next call, which mostly takes the same. Without a destructor, as the ledger's.
    static HELD: UnsafeCell<Held> = const { UnsafeCell::new(Held::new()) };
}

/// Those locks, as they are listed.
#[inline]
fn listed<R>(with: impl FnOnce(&mut Held) -> R) -> R {
    // SAFETY: the thread's own, and no closure of this file comes back here.
    HELD.with(|it| with(unsafe { &mut *it.get() }))
}

/// The locks that the thread has now.
fn held<R>(with: impl FnOnce(&mut Held) -> R) -> R {
    let me = ledger::thread() as usize;
    listed(|it| {
        it.retain(|domain| {
            if domain == Domain::POOL {
                POOL_LOCK.is_held_by(me)
            } else {
                lock(domain.index()).is_held_by(me)
            }
        });
        with(it)
    })
}

/// Sets the scope, and the watch over long waits. Called before the first hook is installed, and after it is known whether
/// calls are tallied.
pub fn configure(scope: Scope, watch: Option<&'static Watch>) {
    SCOPE.store(scope as u8, Ordering::Release);
    GENERAL.store(scope != Scope::Global || tally::is_on(), Ordering::Release);
    if scope != Scope::Global {
        ledger::share_counters();
    }
    if let Some(watch) = watch {
        POOL_LOCK.watch(watch);
        for lock in &LOCKS {
            lock.watch(watch);
        }
    }
}

/// Whether there are many locks.
#[inline]
pub fn is_narrow() -> bool {
    SCOPE.load(Ordering::Relaxed) != Scope::Global as u8
}

/// Whether every call takes the general way: there are many locks, or calls are tallied.
#[inline]
pub fn is_general() -> bool {
    GENERAL.load(Ordering::Relaxed)
}

/// Whether calls of a slot may take the short way ([`super::quick`]): they are work, take one lock alone, nobody watches
/// the locks, and calls are not tallied.
pub fn has_short_way(slot: usize) -> bool {
    let one_lock = !is_narrow() || objects::is_encoder_alone(slot);
    let plain = !LOCKS[COMMON].is_watched() && !tally::is_on();
    slots::get(slot).is(Role::Work) && one_lock && plain
}

/// One of the locks.
#[inline]
pub fn lock(domain: usize) -> &'static Reentrant<State> {
    &LOCKS[domain & (SHARDS - 1)]
}

/// The lock of a receiver whose variables are set: [`COMMON`] in the scope `global`.
pub fn of(slot: usize, receiver: u64) -> usize {
    let scope = SCOPE.load(Ordering::Relaxed);
    if scope == Scope::Global as u8 {
        return COMMON;
    }
    let mut place = None;
    let buffer = if is(slot, kind::ENCODER) {
        place = places::of(receiver);
        if let Some(Place::Tracked(domain)) = place {
            return domain;
        }
        buffer_of_encoder(slot, receiver)
    } else {
        receiver
    };
    let key = if scope == Scope::Queue as u8 {
        queue_of(buffer)
    } else {
        buffer
    };
    if key != 0 {
        return Domain::of(key).index();
    }
    if let Some(Place::Ended(domain)) = place {
        return domain;
    }
    let innermost = held(|it| {
        it.domains()
            .iter()
            .rev()
            .find(|it| **it != Domain::POOL)
            .copied()
    });
    innermost.map_or(COMMON, Domain::index)
}

/// The lock that a call takes, and whether it takes the pool's.
pub fn of_call(slot: usize, receiver: u64) -> (usize, bool) {
    if !is_narrow() {
        return (COMMON, false);
    }
    if is(slot, kind::PROXY) {
        return (NONE, false);
    }
    let pool = is(slot, kind::POOL);
    if is(slot, kind::INIT) {
        return (NONE, pool);
    }
    (of(slot, receiver), pool)
}

/// How a lock was had, or that it was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was.
    Had(Acquired),
    /// It was not: the call goes on without.
    Escaped,
}

/// Takes a lock; `waits` is called before a wait.
pub fn take(me: usize, domain: usize, waits: impl FnOnce()) -> Taken {
    take_lock(me, domain, lock(domain), waits)
}

/// Takes the pool's lock.
pub fn take_pool(me: usize, waits: impl FnOnce()) -> Taken {
    take_lock(me, POOL, &POOL_LOCK, waits)
}

fn take_lock<T>(me: usize, place: usize, lock: &Reentrant<T>, waits: impl FnOnce()) -> Taken {
    if let Some(how) = lock.try_lock(me) {
        if how == Acquired::Nested || !is_narrow() || held(|it| it.add(Domain::at(place))) {
            return Taken::Had(how);
        }
        // SAFETY: locked above. The thread has more locks than are followed.
        unsafe { lock.unlock() };
        return escaped();
    }
    let rule = if is_narrow() {
        held(|it| it.rule(Domain::at(place)))
    } else {
        Rule::Wait
    };
    if rule == Rule::Try {
        return escaped();
    }
    waits();
    if rule == Rule::WaitWithLimit {
        if !lock.wait_until(me, os::deadline_in_ms(ORDER_WAIT_MS)) {
            return escaped();
        }
    } else {
        lock.wait(me);
    }
    if is_narrow() && !held(|it| it.add(Domain::at(place))) {
        // SAFETY: locked above.
        unsafe { lock.unlock() };
        return escaped();
    }
    Taken::Had(Acquired::Waited)
}

#[cold]
fn escaped() -> Taken {
    count(Counter::LockOrderEscapes, 1);
    tell::note(Kind::Escape, 0, 0, 0);
    Taken::Escaped
}

/// Gives one level of a lock back.
///
/// # Safety
/// The calling thread has the lock.
#[inline]
pub unsafe fn give(domain: usize) {
    // SAFETY: promised by the caller.
    unsafe { lock(domain).unlock() };
}

/// Gives one level of the pool's lock back.
///
/// # Safety
/// The calling thread has it.
pub unsafe fn give_pool() {
    // SAFETY: promised by the caller.
    unsafe { POOL_LOCK.unlock() };
}

/// The calling thread has taken the lock of a domain that it did not have. False if it has more than are followed: the lock
/// must then be given back at once.
#[inline]
pub fn holds_too(domain: usize) -> bool {
    let domain = Domain::at(domain);
    listed(|it| it.ends_with(domain)) || holds_another(domain)
}

#[inline(never)]
fn holds_another(domain: Domain) -> bool {
    held(|it| it.add(domain))
}

/// Whether the thread `me` has none of the locks.
pub fn holds_nothing(me: usize) -> bool {
    if is_narrow() {
        held(|it| it.domains().is_empty())
    } else {
        !LOCKS[COMMON].is_held_by(me)
    }
}

/// Encoders that ended, and threads: what an event waits for.
static ENDED: EventCount = EventCount::new();
/// Threads that wait for [`ENDED`].
static WAITING: AtomicU32 = AtomicU32::new(0);

/// A thread that may be about to wait until an encoder ends.
pub struct Waiter {
    seen: u32,
}

impl Waiter {
    /// From here on every end is seen. To be made before looking at what is open.
    pub fn new() -> Self {
        WAITING.fetch_add(1, Ordering::SeqCst);
        Self { seen: ENDED.read() }
    }

    /// Gives every lock of the thread `me` back, all levels, waits for an end, and takes them again; false at the deadline,
    /// a time of [`os::monotonic_ns`].
    ///
    /// # Safety
    /// The thread is the calling one, it has locks, and no call of [`Reentrant::with`] is open on them.
    pub unsafe fn wait(&self, me: usize, deadline_ns: u64) -> bool {
        let mut places = [NONE; Held::ROOM];
        if is_narrow() {
            held(|it| {
                for (place, domain) in places.iter_mut().zip(it.domains()) {
                    *place = domain.index();
                }
            });
            // Upwards, so that taking them again can wait.
            places.sort_unstable();
        } else {
            places[0] = COMMON;
        }
        let mut depths = [0; Held::ROOM];
        for (place, depth) in places.iter().zip(&mut depths) {
            *depth = match *place {
                NONE => 0,
                // SAFETY: the thread has it, as `held` says.
                POOL => unsafe { POOL_LOCK.release_all() },
                // SAFETY: the thread has it, as the caller promises and `held` says.
                domain => unsafe { lock(domain).release_all() },
            };
        }
        let woken = ENDED.wait_past(self.seen, deadline_ns);
        for (place, depth) in places.iter().zip(depths) {
            match *place {
                NONE => {}
                POOL => drop(POOL_LOCK.reacquire(me, depth)),
                domain => drop(lock(domain).reacquire(me, depth)),
            }
        }
        woken
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An encoder is no longer open, or a thread is no more.
#[inline]
pub fn ended() {
    if WAITING.load(Ordering::SeqCst) != 0 {
        ENDED.advance();
    }
}

/// In the child of a `fork`, whose only thread is `me`: what was tracked is the parent's. Async-signal-safe.
pub fn reset_after_fork(me: usize) {
    WAITING.store(0, Ordering::Relaxed);
    ENDED.reset_after_fork();
    POOL_LOCK.reset_after_fork(me);
    for lock in &LOCKS {
        lock.reset_after_fork(me);
        lock.lock(me);
        // SAFETY: locked in the line above; this thread forked in the program's code, outside of every `with`.
        unsafe {
            lock.with(|state| {
                state.lifecycle.reset();
                state.busy.len = 0;
            });
            lock.unlock();
        }
    }
}
