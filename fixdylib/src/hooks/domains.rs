//! The locks of the default policy and what each protects: one for the process, or many (`AGX_FIX_LOCK_SCOPE`).
//!
//! In the scopes `queue` and `buffer` a call takes the lock of its command queue or command buffer, which it reads from the
//! receiver's instance variables; an encoder that is tracked, that under which it is tracked ([`places`]). An object without
//! those variables, or with nothing in them, belongs to the caller's innermost lock, else to a common one. What the driver shares among all of them (the pool of `_impl`s: factories,
//! initialisers, `destroyImpl`, deferred ends) is under one further lock, taken last.
//!
//! Waiting for a second lock follows [`order`](crate::lock::order): without limit only upwards. A call that could not have
//! its lock within the limit goes on without, untracked, and is counted (`lock_order_escapes`).

use std::cell::UnsafeCell;
use std::ffi::CStr;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU32, Ordering};

use agx_ledger::Counter;
use agx_policy::rules::{Family, Role};

use super::forward::SLOTS;
use super::places::{self, Place};
use super::slots;
use super::tell::{self, Kind};
use crate::config::Scope;
use crate::ledger::{self, count};
use crate::lifecycle::Lifecycle;
use crate::lock::order::{Domain, Held, Rule, SHARDS};
use crate::lock::watch::Watch;
use crate::lock::{Acquired, Reentrant};
use crate::os::{self, EventCount};
use crate::runtime::{self, Class};

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

/// Where the instance variable is by which a slot's receivers are told apart; negative for none.
static OFFSETS: [AtomicI32; SLOTS] = [const { AtomicI32::new(-1) }; SLOTS];
/// Bits of [`kind`].
static KINDS: [AtomicU8; SLOTS] = [const { AtomicU8::new(0) }; SLOTS];
/// `_queue` in a command buffer: 0 while unknown, offset + 1, or `u32::MAX` where two classes differ.
static QUEUE: AtomicU32 = AtomicU32::new(0);

mod kind {
    pub const ENCODER: u8 = 1;
    pub const PROXY: u8 = 2;
    pub const POOL: u8 = 4;
    pub const COMMITS: u8 = 8;
    /// The receiver is under construction: its variables are not set.
    pub const INIT: u8 = 16;
}

thread_local! {
    /// Locks that the thread has, except in the scope `global`. Without a destructor, as the ledger's.
    static HELD: UnsafeCell<Held> = const { UnsafeCell::new(Held::new()) };
}

fn held<R>(with: impl FnOnce(&mut Held) -> R) -> R {
    // SAFETY: the thread's own, and no closure of this file comes back here.
    HELD.with(|it| with(unsafe { &mut *it.get() }))
}

/// Sets the scope, and the watch over long waits. Called before the first hook is installed.
pub fn configure(scope: Scope, watch: Option<&'static Watch>) {
    SCOPE.store(scope as u8, Ordering::Release);
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

/// Whether calls of a slot may take the short way ([`super::quick`]): they are work, take one lock alone, and nobody watches
/// the locks.
pub fn has_short_way(slot: usize) -> bool {
    let one_lock = !is_narrow() || KINDS[slot].load(Ordering::Relaxed) == kind::ENCODER;
    slots::get(slot).is(Role::Work) && one_lock && !LOCKS[COMMON].is_watched()
}

/// One of the locks.
#[inline]
pub fn lock(domain: usize) -> &'static Reentrant<State> {
    &LOCKS[domain & (SHARDS - 1)]
}

/// Notes where the receivers of a slot keep what tells them apart. Called before the hook is installed.
///
/// # Safety
/// `class` is a class of the runtime.
pub unsafe fn describe(slot: usize, class: Class, family: Family, role: Role, selector: &CStr) {
    // SAFETY: promised by the caller.
    let offset = |name| unsafe { runtime::ivar_offset(class, name) };
    let name = selector.to_bytes();
    let mut kinds = 0;
    let at = match family {
        Family::Encoder => {
            kinds |= kind::ENCODER;
            offset(c"_commandBuffer")
        }
        Family::Buffer => {
            let queue = offset(c"_queue");
            if let Some(found) = queue.and_then(|it| u32::try_from(it + 1).ok()) {
                let known = QUEUE.load(Ordering::Relaxed);
                if known != found {
                    QUEUE.store(if known == 0 { found } else { u32::MAX }, Ordering::Relaxed);
                }
            }
            queue
        }
        Family::Proxy => {
            kinds |= kind::PROXY;
            if name.starts_with(b"commit") {
                kinds |= kind::COMMITS;
            }
            offset(c"_commandBuffer")
        }
    };
    if matches!(
        role,
        Role::Commit | Role::CommitReusable | Role::CommitBlocking
    ) {
        kinds |= kind::COMMITS;
    }
    if matches!(role, Role::Init | Role::Factory | Role::SubFactory)
        || name == b"destroyImpl"
        || name.starts_with(b"deferredEnd")
    {
        kinds |= kind::POOL;
    }
    if matches!(role, Role::Init | Role::BufferInit) {
        kinds |= kind::INIT;
    }
    OFFSETS[slot].store(
        at.and_then(|it| i32::try_from(it).ok()).unwrap_or(-1),
        Ordering::Relaxed,
    );
    KINDS[slot].store(kinds, Ordering::Relaxed);
}

fn is(slot: usize, kinds: u8) -> bool {
    KINDS[slot].load(Ordering::Relaxed) & kinds != 0
}

/// The word at an offset of an object; 0 where there is none.
fn word(object: u64, offset: i32) -> u64 {
    let Ok(offset) = usize::try_from(offset) else {
        return 0;
    };
    if object == 0 {
        return 0;
    }
    let field = (object as usize).wrapping_add(offset) as *const u64;
    // SAFETY: the object is an instance of a class that has the variable at this offset. It is read as another thread may
    // write it.
    unsafe { field.read_volatile() }
}

/// Whether a slot is a proxy's, whose calls reach the real command buffer.
pub fn is_proxy(slot: usize) -> bool {
    is(slot, kind::PROXY)
}

/// Whether a slot's receivers are encoders.
pub fn is_encoder(slot: usize) -> bool {
    is(slot, kind::ENCODER)
}

/// The command buffer that a call commits, itself or through the one that it is a proxy for; 0 if it commits none.
pub fn commits(slot: usize, receiver: u64) -> u64 {
    if !is(slot, kind::COMMITS) {
        0
    } else if is_proxy(slot) {
        word(receiver, OFFSETS[slot].load(Ordering::Relaxed))
    } else {
        receiver
    }
}

/// The command buffer of an encoder, as the encoder says; 0 where it does not.
pub fn buffer_of_encoder(slot: usize, encoder: u64) -> u64 {
    if is(slot, kind::ENCODER) {
        word(encoder, OFFSETS[slot].load(Ordering::Relaxed))
    } else {
        0
    }
}

fn queue_of(buffer: u64) -> u64 {
    match QUEUE.load(Ordering::Relaxed) {
        0 | u32::MAX => 0,
        at => word(buffer, i32::try_from(at - 1).unwrap_or(-1)),
    }
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
    let lock = lock(domain);
    // SAFETY: promised by the caller.
    unsafe { lock.unlock() };
    if is_narrow() {
        forget_if_free(domain, lock);
    }
}

/// Gives one level of the pool's lock back.
///
/// # Safety
/// The calling thread has it.
pub unsafe fn give_pool() {
    // SAFETY: promised by the caller.
    unsafe { POOL_LOCK.unlock() };
    forget_if_free(POOL, &POOL_LOCK);
}

/// The calling thread has taken the lock of a domain that it did not have. False if it has more than are followed: the lock
/// must then be given back at once.
#[inline]
pub fn holds_too(domain: usize) -> bool {
    held(|it| it.add(Domain::at(domain)))
}

/// The calling thread has given the lock of a domain back, all levels.
#[inline]
pub fn holds_no_more(domain: usize) {
    held(|it| it.remove(Domain::at(domain)));
}

fn forget_if_free<T>(place: usize, lock: &Reentrant<T>) {
    if !lock.is_held_by(ledger::thread() as usize) {
        held(|it| it.remove(Domain::at(place)));
    }
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
