//! The short way through a call of work: one lock that is free or the thread's own, an open encoder that stands at its hash,
//! an event that needs no clock. All else goes on by the general way ([`engine`]), which does the same and more; what is
//! tested before the lock is had is tested there again.
//!
//! Every call to another function is a last one, so that no register has to be saved here.

use agx_ledger::layout::event_phase;

use super::domains::{self, COMMON};
use super::engine::{self, Call, fact, impl_is_null};
use super::{around, receiver, slots, tell};
use crate::ledger;
use crate::lifecycle::Entered;
use crate::lock::Acquired;

/// Begins a call of the hook `number` on `receiver`. Unless it is skipped, [`leave`] must follow.
#[inline(never)]
pub fn enter(number: usize, receiver: u64) -> Call {
    let slot = slots::get(number);
    if !receiver::is_quick(slot, receiver) {
        return engine::enter(number, receiver);
    }
    let me = ledger::thread();
    // SAFETY: the thread's own state, alive as long as the thread.
    let thread = unsafe { &*me };
    let Some(next) = thread.next() else {
        return engine::enter(number, receiver);
    };
    let lock = domains::lock(COMMON);
    let Some(how) = lock.try_lock_unwatched(me as usize) else {
        return engine::enter(number, receiver);
    };
    let entry = next.begin(number as u32, receiver, how == Acquired::Free);
    let call = Call::locked(entry, COMMON);
    // SAFETY: locked above, and the closure calls nothing that locks.
    let entered =
        unsafe { lock.with(|state| state.lifecycle.enter_at_home(receiver, thread.owner())) };
    match entered {
        None => around::enter_work(number, receiver, call),
        Some(index) if impl_is_null(slot, receiver) => {
            around::work(number, receiver, call, Entered::Open(index))
        }
        Some(index) => call.with_encoder(index).quick(),
    }
}

/// Ends a call. `object` is the first integer register of the original's result; 0 if there is none.
#[inline(never)]
pub fn leave(number: usize, receiver: u64, call: Call, object: u64) {
    let Some(index) = call.encoder() else {
        return engine::leave(number, receiver, call, object);
    };
    if !call.has(fact::QUICK) || tell::is_due() {
        return engine::leave(number, receiver, call, object);
    }
    let lock = domains::lock(COMMON);
    // SAFETY: the call has the common lock, and the closure calls nothing that locks.
    if !unsafe { lock.with(|state| state.lifecycle.leave_open(index)) } {
        return engine::leave(number, receiver, call, object);
    }
    call.entry().end(event_phase::RETURNED);
    // SAFETY: this call took it, on this thread, and no watch was set since: that is done before the first hook.
    unsafe { lock.unlock_unwatched() };
}
