//! Tracking encoders: retained when they are handed out, or first seen, and given back when they have ended.

use agx_ledger::Counter;
use agx_ledger::layout::degraded;

use super::{Finishing, caught, state, thread};
use crate::hooks::domains::Taken;
use crate::hooks::engine::{Call, end_encoding, fact};
use crate::hooks::places::{self, Place};
use crate::hooks::{domains, expected, slots, tally};
use crate::ledger::{self, Entry, count_locked, discount_locked};
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
    if domains::is_narrow() && !take_place(call.domain(), encoder) {
        return matches!(places::of(encoder), Some(Place::Tracked(_)));
    }
    let owner = thread().owner();
    match caught(|| state(call, |it| it.lifecycle.opened(encoder, buffer, owner))) {
        Some(Opened::AlreadyOpen) => return true,
        Some(Opened::Full) => {
            places::ended(encoder);
            ledger::note_degraded(degraded::ENCODERS_FULL);
            return false;
        }
        Some(Opened::Reused) => count_locked(Counter::EncodersReused),
        Some(Opened::New) => {}
        None => return false,
    }
    // SAFETY: as above.
    if !unsafe { runtime::retain(encoder as Id) } {
        places::ended(encoder);
        state(call, |it| it.lifecycle.not_retained(encoder));
        return false;
    }
    count_locked(Counter::EncodersCreated);
    count_locked(Counter::EncodersOpen);
    true
}

/// Notes that an encoder is tracked in a domain; false if it is tracked in another, or there is no room to note it.
fn take_place(domain: usize, encoder: u64) -> bool {
    if let Some(Place::Tracked(place)) = places::of(encoder) {
        return place == domain;
    }
    let noted = places::tracks(encoder, domain);
    if !noted {
        ledger::note_degraded(degraded::ENCODERS_FULL);
    }
    noted
}

/// Gives our retain back.
fn give_back(encoder: u64) {
    count_locked(Counter::EncodersReleased);
    discount_locked(Counter::EncodersOpen);
    if domains::is_narrow() {
        places::ended(encoder);
    }
    domains::ended();
    tally::ended(encoder);
    // SAFETY: retained when it was tracked.
    unsafe { runtime::release(encoder as Id) };
}

/// Gives those open encoders of a command buffer back that nobody but this library holds, as it is asked for another.
///
/// The program let go of them without ending them. Without us the driver would have destroyed them there and then, and
/// said so ("Command encoder released without endEncoding"); our retain would keep them, and the fault, hidden. Those of
/// a command buffer that is committed are ended there; those of one that is never used again stay open, and are seen in
/// the ledger (`encoders_open`). None is given back that a waiting call is about to enter.
pub fn give_abandoned_back(call: Call, buffer: u64) {
    let mut from = 0;
    while let Some((position, encoder)) = state(call, |it| it.lifecycle.idle_of(buffer, from)) {
        // SAFETY: a tracked encoder is retained by us.
        let only_ours = unsafe { runtime::retain_count(encoder as Id) } == Some(1);
        if only_ours && !expected::is_expected(call.domain(), encoder) {
            state(call, |it| it.lifecycle.not_retained(encoder));
            count_locked(Counter::EncodersAbandoned);
            give_back(encoder);
            from = position;
        } else {
            from = position + 1;
        }
    }
}

/// Gives the retain of an encoder back that ended; keeps it while a call is about to enter the encoder.
pub fn let_go(call: Call, encoder: u64) {
    let domain = call.domain();
    if !expected::is_expected(domain, encoder) {
        return give_back(encoder);
    }
    let kept = state(call, |it| {
        it.lifecycle.keep(encoder);
        it.lifecycle.kept_count()
    });
    expected::keeps(domain, kept);
    if !expected::is_expected(domain, encoder) {
        give_kept_back(call);
    }
}

/// Gives those kept encoders back that no call is about to enter any more. The call has its lock.
pub fn give_kept_back(call: Call) {
    let domain = call.domain();
    if !expected::is_any_kept(domain) {
        return;
    }
    let mut from = 0;
    while let Some((position, encoder)) = state(call, |it| it.lifecycle.kept(from)) {
        if expected::is_expected(domain, encoder) {
            from = position + 1;
            continue;
        }
        state(call, |it| it.lifecycle.let_go(encoder));
        give_back(encoder);
        // Destroying it may have called hooked methods, and moved what was listed.
        from = 0;
    }
    expected::keeps(domain, state(call, |it| it.lifecycle.kept_count()));
}

/// Gives back what was kept for a call that was expected and is over. One without a lock takes it where something is kept; if
/// it cannot, who commits or asks for an encoder next gives that back.
pub fn settle(call: Call) {
    let domain = call.domain();
    if call.has(fact::LOCKED) {
        return give_kept_back(call);
    }
    if expected::is_any_kept(domain)
        && let Taken::Had(_) = domains::take(ledger::thread() as usize, domain, || {})
    {
        let call = Call::locked(Entry::NONE, domain);
        let finishing = Finishing(call);
        give_kept_back(call);
        drop(finishing);
    }
}

/// A call inside which the retain of an encoder that ended is given back.
#[cold]
#[inline(never)]
pub fn leave_last(call: Call, encoder: u64) {
    // `release` may throw, and destroys the encoder, which takes from the driver's pool: under the lock, and guarded.
    let finishing = Finishing(call);
    let_go(call, encoder);
    drop(finishing);
}
