//! Tracking encoders: retained when they are handed out, or first seen, and given back when they have ended.

use agx_ledger::Counter;
use agx_ledger::layout::degraded;

use super::{Finishing, caught, state, thread};
use crate::hooks::engine::{Call, end_encoding};
use crate::hooks::{domains, slots};
use crate::ledger::{self, count_locked, discount_locked};
use crate::lifecycle::Opened;
use crate::runtime::{self, Id};

/// Tracks and retains an encoder of `buffer` (0 if unknown); false if it cannot be. The call has its lock.
pub fn track(call: Call, encoder: u64, buffer: u64) -> bool {
    // SAFETY: a receiver or a factory's result is an object.
    let end = unsafe { runtime::implementation_for(encoder as Id, end_encoding()) };
    // An encoder whose end cannot be seen would stay open for ever.
    if !end.is_some_and(slots::is_hook) {
        return false;
    }
    let owner = thread().owner();
    match caught(|| state(call, |it| it.lifecycle.opened(encoder, buffer, owner))) {
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
        state(call, |it| it.lifecycle.not_retained(encoder));
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
    domains::ended();
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
pub fn give_abandoned_back(call: Call, buffer: u64) {
    if domains::is_awaited(call.domain()) {
        return;
    }
    let mut from = 0;
    while let Some((position, encoder)) = state(call, |it| it.lifecycle.idle_of(buffer, from)) {
        // SAFETY: a tracked encoder is retained by us.
        if unsafe { runtime::retain_count(encoder as Id) } == Some(1) {
            state(call, |it| it.lifecycle.not_retained(encoder));
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
