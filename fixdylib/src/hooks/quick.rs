//! The short way through a call of work: one lock that is free or the thread's own, an open encoder that stands at its hash.
//! All else goes on by the general way ([`engine`]), which does the same and more; what is tested before the lock is had
//! is tested there again.
//!
//! In the scope `global` the lock is known, and costs no more than it must; in the others it is that of the domain in which
//! the encoder is tracked ([`places`]), if its place stands at its hash too.
//!
//! Every call to another function is a last one but that for the thread's state, and the seldom one for its list of locks,
//! so that few registers have to be saved.

use agx_ledger::layout::event_phase;

use super::domains::{self, COMMON};
use super::engine::{self, Call, fact, impl_is_null};
use super::{around, places, receiver, slots, tell};
use crate::ledger::{self, Next, Thread};
use crate::lifecycle::{Entered, Index};
use crate::lock::Acquired;

/// Begins a call of the hook `number` on `receiver`. Unless it is skipped, [`leave`] must follow.
#[inline(never)]
pub fn enter(number: usize, receiver: u64) -> Call {
    if domains::is_narrow() {
        return enter_narrow(number, receiver);
    }
    if !receiver::is_quick(slots::get(number), receiver) {
        return engine::enter(number, receiver);
    }
    let thread = thread();
    match thread.next() {
        Some(next) => enter_as(false, number, receiver, COMMON, thread, next),
        None => enter_stamped(number, receiver, COMMON),
    }
}

/// [`enter`] where there are many locks.
#[inline(never)]
fn enter_narrow(number: usize, receiver: u64) -> Call {
    if !receiver::is_quick_in_domain(slots::get(number), receiver) {
        return engine::enter(number, receiver);
    }
    let Some(domain) = places::at_home(receiver) else {
        return engine::enter(number, receiver);
    };
    let thread = thread();
    match thread.next() {
        Some(next) => enter_as(true, number, receiver, domain, thread, next),
        None => enter_stamped(number, receiver, domain),
    }
}

/// A call for whose event the clock is read, or the first of a thread.
#[inline(never)]
fn enter_stamped(number: usize, receiver: u64, domain: usize) -> Call {
    let thread = thread();
    match thread.next_stamped() {
        Some(next) => {
            let narrow = domains::is_narrow();
            enter_as(narrow, number, receiver, domain, thread, next)
        }
        None => engine::enter(number, receiver),
    }
}

#[inline]
fn thread() -> &'static Thread {
    // SAFETY: the thread's own state, alive as long as the thread, and used nowhere else.
    unsafe { &*ledger::thread() }
}

/// A call of work in this domain; `narrow` if it is one of many.
#[inline(always)]
#[allow(clippy::inline_always)] // one body for the three ways in, each with what it knows folded in
fn enter_as(
    narrow: bool,
    number: usize,
    receiver: u64,
    domain: usize,
    thread: &Thread,
    next: Next<'_>,
) -> Call {
    let me = std::ptr::from_ref(thread) as usize;
    let lock = domains::lock(domain);
    let Some(how) = lock.try_lock_unwatched(me) else {
        return engine::enter(number, receiver);
    };
    let outermost = how == Acquired::Free;
    if narrow && outermost && !domains::holds_too(domain) {
        // SAFETY: locked above.
        unsafe { lock.unlock_unwatched() };
        return engine::enter(number, receiver);
    }
    let entry = next.begin(number as u32, receiver, outermost);
    let call = Call::locked(entry, domain);
    // SAFETY: locked above, and the closure calls nothing that locks.
    let entered =
        unsafe { lock.with(|state| state.lifecycle.enter_at_home(receiver, thread.owner())) };
    match entered {
        None => around::enter_work(number, receiver, call),
        Some(index) if impl_is_null(slots::get(number), receiver) => {
            around::work(number, receiver, call, Entered::Open(index))
        }
        Some(index) if narrow => call.with_encoder(index),
        Some(index) => call.with_encoder(index).quick(),
    }
}

/// Ends a call. `object` is the first integer register of the original's result; 0 if there is none.
#[inline(never)]
pub fn leave(number: usize, receiver: u64, call: Call, object: u64) {
    match call.encoder() {
        Some(index) if call.has(fact::QUICK) && left(call, COMMON, index) => {
            // SAFETY: this call took it, on this thread, and no watch was set since: that is done before the first hook.
            unsafe { domains::lock(COMMON).unlock_unwatched() };
        }
        _ => leave_narrow(number, receiver, call, object),
    }
}

/// [`leave`] where there are many locks. Whichever way the call came in, it goes if leaving has no more to do.
#[inline(never)]
fn leave_narrow(number: usize, receiver: u64, call: Call, object: u64) {
    let domain = call.domain();
    let lock = domains::lock(domain);
    match call.plain_encoder() {
        Some(index) if domains::is_narrow() && !lock.is_watched() && left(call, domain, index) => {
            // SAFETY: this call took it, on this thread.
            unsafe { lock.unlock_unwatched() };
        }
        _ => engine::leave(number, receiver, call, object),
    }
}

/// A call has left its encoder, and its event is over; false, and nothing changed, if there is more to do.
#[inline]
fn left(call: Call, domain: usize, index: Index) -> bool {
    if tell::is_due() {
        return false;
    }
    // SAFETY: the call has this lock, and the closure calls nothing that locks.
    let left = unsafe { domains::lock(domain).with(|state| state.lifecycle.leave_open(index)) };
    if left {
        call.entry().end(event_phase::RETURNED);
    }
    left
}
