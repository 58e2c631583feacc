//! The calls that need more than the lock: factories, commits, events, and encoders about which something is odd.
//!
//! Our own code runs inside `catch_unwind`; every message that we send does not, because an Objective-C exception must
//! pass through. It meets an [`Open`] call on its way, which gives the lock back.

use std::ffi::CStr;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use agx_ledger::Counter;
use agx_ledger::layout::{degraded, event_phase};

use super::engine::{Call, LOCK, Open, State, end_encoding, fact, finish, impl_is_null};
use super::slots::{self, Slot};
use crate::ledger::{self, Thread, count, count_locked, discount_locked};
use crate::lifecycle::{Commit, Entered, Opened};
use crate::runtime::{self, Id};
use crate::{os, say};
use agx_policy::rules::Role;

/// A call that was not made has been told.
static TOLD: AtomicBool = AtomicBool::new(false);

/// The tracked state, for `with`, which must not lock. Every function here is called with the lock held.
fn state<R>(with: impl FnOnce(&mut State) -> R) -> R {
    // SAFETY: the callers hold the lock, and no closure in this file calls anything that locks.
    unsafe { LOCK.with(with) }
}

/// Runs our own code; `None` if it panicked, which is counted.
fn caught<R>(run: impl FnOnce() -> R) -> Option<R> {
    let result = catch_unwind(AssertUnwindSafe(run));
    if result.is_err() {
        count(Counter::CaughtPanics, 1);
    }
    result.ok() // the panic has been counted; its text went to stderr
}

/// A work call on an encoder that is not open, or has no `_impl`.
#[cold]
#[inline(never)]
pub fn work(number: usize, receiver: u64, call: Call, entered: Entered) -> Call {
    let slot = slots::get(number);
    let mut open = Open {
        number,
        receiver,
        call,
    };
    match entered {
        Entered::Open(index) => open.call = call.with_encoder(index),
        Entered::AfterEnd(index) => {
            count_locked(Counter::CallsAfterEnd);
            open.call = call.with_encoder(index);
        }
        Entered::Untracked => {}
    }
    if impl_is_null(slot, receiver) {
        return skip(slot, receiver, open);
    }
    if entered == Entered::Untracked {
        if track(receiver, 0) {
            count_locked(Counter::EncodersAdopted);
            if let Entered::Open(index) | Entered::AfterEnd(index) =
                state(|it| it.lifecycle.enter(receiver))
            {
                open.call = open.call.with_encoder(index);
            }
        } else {
            count_locked(Counter::PassedUntouched);
        }
    }
    let call = open.call;
    forget(open);
    call
}

/// Leaves a call that is not made.
fn skip(slot: &Slot, receiver: u64, open: Open) -> Call {
    count_locked(Counter::NullImplSkips);
    ledger::count_skip(slot.census());
    let tell = !TOLD.swap(true, Ordering::Relaxed);
    let mut call = open.call;
    drop(open);
    call.entry().mark(event_phase::SKIPPED);
    call.set(fact::SKIPPED);
    if tell {
        tell_skip(slot, receiver);
    }
    call
}

fn tell_skip(slot: &Slot, receiver: u64) {
    let name = slot.selector();
    let name = if name.is_null() {
        c"?"
    } else {
        // SAFETY: a filled slot has its selector's name, which the runtime keeps.
        unsafe { CStr::from_ptr(name.cast()) }
    };
    say::say(format_args!(
        "work was dropped: {} on encoder {:#x} in thread {} was not called because its _impl is NULL; further ones are \
         only counted (null_impl_skips)",
        name.to_str().unwrap_or("?"),
        receiver,
        os::thread_id(),
    ));
}

/// A call that is passed on without the lock: it runs the program's own handlers, which may wait for a thread that waits for
/// the lock, or its receiver is no object of the hook's class.
#[cold]
#[inline(never)]
pub fn unlocked(number: usize, receiver: u64, me: *const Thread) -> Call {
    // SAFETY: the thread's own state, alive as long as the thread.
    let entry = unsafe { &*me }.begin(number as u32, receiver, event_phase::ENTERED);
    Call::unlocked(entry)
}

/// A call of one of the other roles.
#[cold]
#[inline(never)]
pub fn enter(number: usize, receiver: u64, call: Call) -> Call {
    let role = slots::get(number).role();
    let mut open = Open {
        number,
        receiver,
        call,
    };
    let call = &mut open.call;
    // A counter is given where the receiver's open encoders are to be ended.
    let ended = caught(|| plan(call, role, receiver)).flatten();
    if role == Role::Factory {
        give_abandoned_back(receiver);
    }
    if let Some(counter) = ended {
        while let Some(encoder) = state(|it| it.lifecycle.next_to_end(receiver)) {
            count_locked(counter);
            // SAFETY: the encoder is retained by us, and was found to respond when it was tracked.
            unsafe { runtime::send(encoder as Id, end_encoding()) };
        }
    }
    if role == Role::CommitBlocking {
        call.clear(fact::LOCKED);
        // SAFETY: locked when the call was entered.
        unsafe { LOCK.unlock() };
    }
    let call = open.call;
    forget(open);
    call
}

fn plan(call: &mut Call, role: Role, receiver: u64) -> Option<Counter> {
    match role {
        Role::End => {
            call.set(fact::ENDS);
            if let Entered::Open(index) | Entered::AfterEnd(index) =
                state(|it| it.lifecycle.enter(receiver))
            {
                *call = call.with_encoder(index);
            }
            None
        }
        Role::Work | Role::Init | Role::BufferWork | Role::Completion | Role::Published => None,
        Role::Continue => {
            count_locked(Counter::CommitAndContinues);
            None
        }
        Role::Factory | Role::SubFactory => {
            call.set(fact::SLOW);
            None
        }
        Role::BufferInit => {
            state(|it| it.lifecycle.born(receiver));
            None
        }
        Role::Commit | Role::CommitReusable | Role::CommitBlocking => {
            call.set(fact::SLOW);
            let begun = state(|it| it.lifecycle.commit_begins(receiver));
            if begun == Commit::Nested {
                return None;
            }
            call.set(fact::COMMITS);
            count_locked(Counter::Commits);
            ledger::note_clocks();
            if begun == Commit::Again {
                count_locked(Counter::CommitAfterCommit);
            }
            Some(Counter::CommitForcedEnds)
        }
        Role::Signal => event(call, receiver, Counter::EventSignals),
        Role::Wait => event(call, receiver, Counter::EventWaits),
        Role::Handler => {
            if is_outermost(call, receiver) && state(|it| it.lifecycle.is_committed(receiver)) {
                count_locked(Counter::HandlerAfterCommit);
            }
            None
        }
    }
}

fn event(call: &mut Call, receiver: u64, counter: Counter) -> Option<Counter> {
    if !is_outermost(call, receiver) {
        return None;
    }
    count_locked(counter);
    Some(Counter::EventForcedEnds)
}

/// Whether this is not a call of `super` from the same method; remembered until the call leaves.
fn is_outermost(call: &mut Call, receiver: u64) -> bool {
    let outermost = state(|it| it.busy.push(receiver));
    if outermost {
        call.set(fact::BUSY | fact::SLOW);
    }
    outermost
}

/// Tracks and retains an encoder of `buffer` (0 if unknown); false if it cannot be.
fn track(encoder: u64, buffer: u64) -> bool {
    // SAFETY: a receiver or a factory's result is an object.
    let end = unsafe { runtime::implementation_for(encoder as Id, end_encoding()) };
    // An encoder whose end cannot be seen would stay open for ever.
    if !end.is_some_and(slots::is_hook) {
        return false;
    }
    match caught(|| state(|it| it.lifecycle.opened(encoder, buffer))) {
        Some(Opened::AlreadyOpen) => return true,
        Some(Opened::Full) => {
            ledger::note_degraded(degraded::ENCODERS_FULL);
            return false;
        }
        Some(Opened::Reused) => count_locked(Counter::EncodersReused),
        Some(Opened::New) => {}
        None => return false,
    }
    // SAFETY: as above.
    if !unsafe { runtime::retain(encoder as Id) } {
        state(|it| it.lifecycle.not_retained(encoder));
        return false;
    }
    count_locked(Counter::EncodersCreated);
    count_locked(Counter::EncodersOpen);
    true
}

/// Gives our retain back.
fn give_back(encoder: u64) {
    count_locked(Counter::EncodersReleased);
    discount_locked(Counter::EncodersOpen);
    // SAFETY: retained when it was tracked.
    unsafe { runtime::release(encoder as Id) };
}

/// Gives those open encoders of a command buffer back that nobody but this library holds, as it is asked for another.
///
/// The program let go of them without ending them. Without us the driver would have destroyed them there and then, and
/// said so ("Command encoder released without endEncoding"); our retain would keep them, and the fault, hidden. Those of
/// a command buffer that is committed are ended there; those of one that is never used again stay open, and are seen in
/// the ledger (`encoders_open`). Nothing is given back while a thread waits for the lock: it may be about to use an
/// encoder that it does not retain.
fn give_abandoned_back(buffer: u64) {
    if LOCK.is_awaited() {
        return;
    }
    let mut from = 0;
    while let Some((position, encoder)) = state(|it| it.lifecycle.idle_of(buffer, from)) {
        // SAFETY: a tracked encoder is retained by us.
        if unsafe { runtime::retain_count(encoder as Id) } == Some(1) {
            state(|it| it.lifecycle.not_retained(encoder));
            count_locked(Counter::EncodersAbandoned);
            give_back(encoder);
            from = position;
        } else {
            from = position + 1;
        }
    }
}

/// A call inside which the retain of an encoder that ended is given back.
#[cold]
#[inline(never)]
pub fn leave_last(call: Call, encoder: u64) {
    // `release` may throw, and destroys the encoder, which takes from the driver's pool: under the lock, and guarded.
    let finishing = Finishing(call);
    give_back(encoder);
    drop(finishing);
}

struct Finishing(Call);

impl Drop for Finishing {
    fn drop(&mut self) {
        finish(self.0);
    }
}

/// Ends a call that does more on leaving.
#[cold]
#[inline(never)]
pub fn leave(number: usize, receiver: u64, mut call: Call, object: u64) {
    let slot = slots::get(number);
    let role = slot.role();
    if call.has(fact::COMMITS) && !call.has(fact::LOCKED) {
        let me = ledger::thread() as usize;
        LOCK.lock(me);
        call.set(fact::LOCKED);
    }
    let finishing = Finishing(call);
    if role == Role::Factory && object != 0 {
        track(object, receiver);
    } else if role == Role::SubFactory && object != 0 {
        let buffer = state(|it| it.lifecycle.buffer_of(receiver));
        track(object, buffer);
    }
    caught(|| {
        if call.has(fact::COMMITS) {
            let reusable = role == Role::CommitReusable;
            state(|it| it.lifecycle.commit_ends(receiver, reusable));
        }
        if call.has(fact::BUSY) {
            state(|it| it.busy.pop());
        }
    });
    drop(finishing);
}
