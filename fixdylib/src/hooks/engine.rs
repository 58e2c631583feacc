//! What happens around every hooked call: enter, the original, leave.
//!
//! The common case is here and cannot panic: it indexes by masks and wraps its sums. The rest is in
//! [`super::around`], out of line.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use agx_ledger::Counter;
use agx_ledger::layout::{EventRecord, event_phase};

use super::around;
use super::published;
use super::receiver;
use super::slots::{self, Slot};
use crate::ledger::{self, Entry, Thread, count_locked};
use crate::lifecycle::{Entered, Index, Lifecycle};
use crate::lock::{Acquired, Reentrant};
use crate::runtime;
use agx_policy::rules::Role;

/// What the lock protects.
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

/// The lock under which hooked calls run.
pub static LOCK: Reentrant<State> = Reentrant::new(State {
    lifecycle: Lifecycle::new(),
    busy: Busy {
        addresses: [0; Busy::ROOM],
        len: 0,
    },
});
/// The selector `endEncoding`, set before the first hook is installed.
static END_ENCODING: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Prepares for the hook layer. Called before the first hook is installed.
pub fn prepare() {
    END_ENCODING.store(
        runtime::selector(c"endEncoding").cast_mut(),
        Ordering::Release,
    );
}

/// The selector `endEncoding`.
pub fn end_encoding() -> runtime::Selector {
    END_ENCODING.load(Ordering::Acquire)
}

/// In the child of a `fork`, whose only thread is `me`: what was tracked is the parent's. Async-signal-safe.
pub fn reset_after_fork(me: usize) {
    LOCK.reset_after_fork(me);
    LOCK.lock(me);
    // SAFETY: locked in the line above; this thread forked in the program's code, outside of every `with`.
    unsafe {
        LOCK.with(|state| {
            state.lifecycle.reset();
            state.busy.len = 0;
        });
        LOCK.unlock();
    }
}

/// One hooked call on its way: two words, which stay in registers.
#[derive(Clone, Copy)]
pub struct Call {
    event: *mut EventRecord,
    /// From the low end: number of the tracked encoder plus 1 (16 bits), [`fact`]s (8), the entry's generation (8) and
    /// number (32).
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
    /// The receiver was pushed on [`State::busy`](super::State::busy).
    pub const BUSY: u64 = 1 << 21;
    /// A published version's: the low 16 bits are its own.
    pub const PUBLISHED: u64 = 1 << 22;
}

impl Call {
    /// A call with the lock in hand.
    #[inline]
    pub fn locked(entry: Entry) -> Self {
        let word = u64::from(entry.number) << 32 | u64::from(entry.generation) << 24 | fact::LOCKED;
        Self {
            event: entry.event,
            word,
        }
    }

    /// A call of a published version, with what it notes for itself.
    pub fn published(entry: Entry, notes: u16) -> Self {
        let word = u64::from(entry.number) << 32
            | u64::from(entry.generation) << 24
            | fact::PUBLISHED
            | fact::SLOW
            | u64::from(notes);
        Self {
            event: entry.event,
            word,
        }
    }

    /// What [`Self::published`] was given.
    pub fn notes(self) -> u16 {
        self.word as u16
    }

    /// A call without the lock.
    pub fn unlocked(entry: Entry) -> Self {
        let mut call = Self::locked(entry);
        call.clear(fact::LOCKED);
        call
    }

    /// Its event.
    #[inline]
    pub fn entry(self) -> Entry {
        Entry {
            event: self.event,
            number: (self.word >> 32) as u32,
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
    leave(number, receiver, call, 0);
}

/// Begins a call of the hook `number` on `receiver`. Unless it is skipped, [`leave`] must follow.
#[inline(never)]
pub fn enter(number: usize, receiver: u64) -> Call {
    let slot = slots::get(number);
    if slot.is(Role::Published) {
        return published::enter(number, receiver);
    }
    let me = ledger::thread();
    if slot.is(Role::Completion) || receiver::is_odd(slot, receiver) {
        return around::unlocked(number, receiver, me);
    }
    let entry = match LOCK.try_lock(me as usize) {
        Some(how) => {
            if how == Acquired::Free {
                count_locked(Counter::LockAcquisitions);
            }
            // SAFETY: the thread's own state, alive as long as the thread.
            unsafe { &*me }.begin(number as u32, receiver, event_phase::ENTERED)
        }
        None => wait(number, receiver, me),
    };
    let call = Call::locked(entry);
    if slot.is(Role::Work) {
        // SAFETY: locked above, and the closure calls nothing that locks.
        let entered = unsafe { LOCK.with(|state| state.lifecycle.enter(receiver)) };
        if let Entered::Open(index) = entered
            && !impl_is_null(slot, receiver)
        {
            return call.with_encoder(index);
        }
        return around::work(number, receiver, call, entered);
    }
    if slot.is(Role::Init) || slot.is(Role::BufferWork) {
        return call;
    }
    around::enter(number, receiver, call)
}

/// Another thread has the lock.
#[cold]
#[inline(never)]
fn wait(number: usize, receiver: u64, me: *const Thread) -> Entry {
    // Before the wait, so that the ledger of a process that hangs says who waits.
    // SAFETY: the thread's own state, alive as long as the thread.
    let entry = unsafe { &*me }.begin(number as u32, receiver, event_phase::WAITING);
    LOCK.wait(me as usize);
    count_locked(Counter::LockAcquisitions);
    count_locked(Counter::LockContentions);
    entry.mark(event_phase::ENTERED);
    entry
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
        if call.has(fact::PUBLISHED) {
            return published::leave(number, receiver, call, object);
        }
        return around::leave(number, receiver, call, object);
    }
    if let Some(index) = call.encoder() {
        let ends = call.has(fact::ENDS);
        // SAFETY: this call holds the lock, and the closure calls nothing that locks.
        let released = unsafe { LOCK.with(|state| state.lifecycle.leave(index, ends)) };
        if let Some(encoder) = released {
            return around::leave_last(call, encoder);
        }
    }
    finish(call);
}

/// The last step of a call: its event is over, and the lock is given back.
#[inline]
pub fn finish(call: Call) {
    call.entry().end(event_phase::RETURNED);
    if call.has(fact::LOCKED) {
        // SAFETY: this call locked, on this thread.
        unsafe { LOCK.unlock() };
    }
}
