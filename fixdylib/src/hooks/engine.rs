//! What happens around every hooked call: enter, the original, leave.
//!
//! Most calls of work take a shorter way, [`super::quick`]. What more there is to other calls is in [`super::around`], out
//! of line.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use agx_ledger::layout::{EventRecord, event_phase};

use super::domains::{self, COMMON, State};
use super::published;
use super::receiver;
use super::slots::{self, Slot};
use super::{around, tally, tell};
use crate::ledger::{self, Entry};
use crate::lifecycle::Index;
use crate::lock::Acquired;
use crate::runtime;
use agx_policy::rules::Role;

/// The selector `endEncoding`, set before the first hook is installed.
static END_ENCODING: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Prepares for the hook layer. Called before the first hook is installed.
pub fn prepare() {
    runtime::known::prepare();
    END_ENCODING.store(
        runtime::selector(c"endEncoding").cast_mut(),
        Ordering::Release,
    );
}

/// The selector `endEncoding`.
pub fn end_encoding() -> runtime::Selector {
    END_ENCODING.load(Ordering::Acquire)
}

/// One hooked call on its way: two words, which stay in registers.
#[derive(Clone, Copy)]
pub struct Call {
    event: *mut EventRecord,
    /// From the low end: number of the tracked encoder plus 1 (16 bits), [`fact`]s (8), the entry's generation (8), the lock
    /// (7), [`fact::EXPECTS`], [`fact::QUICK`], the entry's number (23).
    word: u64,
}

/// What leaving has to know: bits of a [`Call`].
pub mod fact {
    /// The lock is held.
    pub const LOCKED: u64 = 1 << 16;
    /// The call ends its encoder.
    pub const ENDS: u64 = 1 << 17;
    /// The original is not called, and the call is over.
    pub const SKIPPED: u64 = 1 << 18;
    /// Leaving takes the slow way.
    pub const SLOW: u64 = 1 << 19;
    /// The outermost commit of its command buffer.
    pub const COMMITS: u64 = 1 << 20;
    /// The receiver was pushed on [`State::busy`](super::super::domains::State::busy).
    pub const BUSY: u64 = 1 << 21;
    /// A published version's: the low 16 bits are its own.
    pub const PUBLISHED: u64 = 1 << 22;
    /// The pool's lock is held.
    pub const POOL: u64 = 1 << 23;
    /// The receiver is announced as [`expected`](super::super::expected) in the call's domain.
    pub const EXPECTS: u64 = 1 << 39;
    /// It came in by the short way ([`super::super::quick`]).
    pub const QUICK: u64 = 1 << 40;
}

/// The bits of a domain in a [`Call`].
const DOMAIN: u64 = 0x7f;

impl Call {
    /// A call without a lock.
    #[inline]
    pub fn unlocked(entry: Entry) -> Self {
        let word = u64::from(entry.number) << 41 | u64::from(entry.generation) << 24;
        Self {
            event: entry.event,
            word,
        }
    }

    /// A call with a lock in hand.
    #[inline]
    pub fn locked(entry: Entry, domain: usize) -> Self {
        let mut call = Self::unlocked(entry);
        call.word |= (domain as u64 & DOMAIN) << 32 | fact::LOCKED;
        call
    }

    /// The same call, with a lock in hand that it did not have.
    pub fn now_locked(&mut self, domain: usize) {
        self.concerns(domain);
        self.set(fact::LOCKED);
    }

    /// The same call, which would have had this lock.
    pub fn concerns(&mut self, domain: usize) {
        self.word = self.word & !(DOMAIN << 32) | (domain as u64 & DOMAIN) << 32;
    }

    /// The lock that it has, had, or would have had.
    #[inline]
    pub fn domain(self) -> usize {
        (self.word >> 32 & DOMAIN) as usize
    }

    /// What its lock protects, for `with`, which must not lock.
    ///
    /// # Safety
    /// The call has its lock ([`fact::LOCKED`]), on this thread, and no other call of this function is open.
    #[inline]
    pub unsafe fn with<R>(self, with: impl FnOnce(&mut State) -> R) -> R {
        // SAFETY: promised by the caller.
        unsafe { domains::lock(self.domain()).with(with) }
    }

    /// A call of a published version, with what it notes for itself.
    pub fn published(entry: Entry, notes: u16) -> Self {
        let mut call = Self::unlocked(entry);
        call.word |= fact::PUBLISHED | fact::SLOW | u64::from(notes);
        call
    }

    /// What [`Self::published`] was given.
    pub fn notes(self) -> u16 {
        self.word as u16
    }

    /// Its event.
    #[inline]
    pub fn entry(self) -> Entry {
        Entry {
            event: self.event,
            number: (self.word >> 41) as u32,
            generation: (self.word >> 24) as u8,
        }
    }

    /// The receiver's entry, if it is a tracked encoder.
    #[inline]
    pub fn encoder(self) -> Option<Index> {
        let number = self.word as u16;
        (number != 0).then(|| number.wrapping_sub(1))
    }

    /// With this entry, which [`Self::encoder`] then returns.
    #[inline]
    pub fn with_encoder(self, index: Index) -> Self {
        let word = self.word & !0xffff | (u64::from(index) + 1);
        Self { word, ..self }
    }

    /// Whether one of these [`fact`]s holds.
    #[inline]
    pub fn has(self, facts: u64) -> bool {
        self.word & facts != 0
    }

    /// The same call, noted to have come in by the short way.
    #[inline]
    pub fn quick(mut self) -> Self {
        self.word |= fact::QUICK;
        self
    }

    /// [`Self::encoder`], if leaving has to know nothing else but that the lock is held, and which.
    #[inline]
    pub fn plain_encoder(self) -> Option<Index> {
        const OTHERS: u64 = 0xff << 16 & !fact::LOCKED | fact::EXPECTS;
        self.encoder()
            .filter(|_| self.has(fact::LOCKED) && !self.has(OTHERS))
    }

    /// Notes [`fact`]s.
    pub fn set(&mut self, facts: u64) {
        self.word |= facts;
    }

    /// Takes [`fact`]s back.
    pub fn clear(&mut self, facts: u64) {
        self.word &= !facts;
    }
}

/// A call in which an exception may fly: unless forgotten, it is left without a result.
pub struct Open {
    pub number: usize,
    pub receiver: u64,
    pub call: Call,
}

impl Drop for Open {
    #[inline]
    fn drop(&mut self) {
        abandon(self.number, self.receiver, self.call);
    }
}

/// An exception left the original.
#[cold]
#[inline(never)]
fn abandon(number: usize, receiver: u64, call: Call) {
    if call.has(fact::SLOW) {
        tally::threw(number);
    }
    leave(number, receiver, call, 0);
}

/// Begins a call of the hook `number` on `receiver`. Unless it is skipped, [`leave`] must follow. The general way;
/// [`super::quick`] is the short one.
#[inline(never)]
pub fn enter(number: usize, receiver: u64) -> Call {
    let slot = slots::get(number);
    if !slot.is(Role::Work) || domains::is_general() {
        return around::enter(number, receiver);
    }
    if receiver::is_odd(number, receiver) {
        return around::unlocked(number, receiver);
    }
    let me = ledger::thread();
    // SAFETY: the thread's own state, alive as long as the thread.
    let thread = unsafe { &*me };
    let lock = domains::lock(COMMON);
    let entry = match lock.try_lock(me as usize) {
        Some(how) => thread.begin(number as u32, receiver, how == Acquired::Free),
        None => return around::wait(number, receiver),
    };
    around::enter_work(number, receiver, Call::locked(entry, COMMON))
}

/// Whether the receiver has a NULL `_impl` that the call would use.
#[inline]
pub fn impl_is_null(slot: &Slot, receiver: u64) -> bool {
    slot.impl_offset().is_some_and(|offset| {
        let field = (receiver as usize).wrapping_add(offset) as *const *const c_void;
        // SAFETY: the receiver is an instance of a class that has the variable at this offset. It is read as another
        // thread may write it: the driver stores it outside of any lock that we know.
        unsafe { field.read_volatile() }.is_null()
    })
}

/// Ends a call. `object` is the first integer register of the original's result; 0 if there is none.
#[inline(never)]
pub fn leave(number: usize, receiver: u64, call: Call, object: u64) {
    if call.has(fact::SLOW) {
        if tally::is_on() {
            tally::leaves(number, receiver, object);
        }
        return leave_slowly(number, receiver, call, object);
    }
    leave_plainly(call);
}

/// Ends a call that was begun, and is not made.
#[cold]
pub fn leave_unmade(number: usize, receiver: u64, call: Call) {
    if call.has(fact::SLOW) {
        return leave_slowly(number, receiver, call, 0);
    }
    leave_plainly(call);
}

fn leave_slowly(number: usize, receiver: u64, call: Call, object: u64) {
    if call.has(fact::PUBLISHED) {
        return published::leave(number, receiver, call, object);
    }
    around::leave(number, receiver, call, object);
}

#[inline]
fn leave_plainly(call: Call) {
    if let Some(index) = call.encoder() {
        let ends = call.has(fact::ENDS);
        // SAFETY: a call inside an encoder has its lock, and the closure calls nothing that locks.
        let released = unsafe { call.with(|state| state.lifecycle.leave(index, ends)) };
        if let Some(encoder) = released {
            return around::leave_last(call, encoder);
        }
    }
    finish(call);
}

/// The last step of a call: its event is over, and its locks are given back.
#[inline]
pub fn finish(call: Call) {
    call.entry().end(event_phase::RETURNED);
    // SAFETY: this call took them, on this thread.
    unsafe {
        if call.has(fact::POOL) {
            domains::give_pool();
        }
        if call.has(fact::LOCKED) {
            domains::give(call.domain());
        }
    }
    if tell::is_due() {
        around::tell();
    }
}
