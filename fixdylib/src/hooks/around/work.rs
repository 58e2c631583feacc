//! Work calls on an encoder that is not open, or has no `_impl`.

use std::mem::forget;

use agx_ledger::Counter;
use agx_ledger::layout::event_phase;

use super::{state, thread, track};
use crate::hooks::domains;
use crate::hooks::engine::{Call, Open, fact, impl_is_null, leave_unmade};
use crate::hooks::slots;
use crate::hooks::tell::{self, Kind};
use crate::ledger::{self, count_locked};
use crate::lifecycle::Entered;

/// A work call that [`Lifecycle::enter`](crate::lifecycle::Lifecycle::enter) answered so. The call has its lock.
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
        return skip(number, receiver, open);
    }
    if entered == Entered::Untracked {
        if track::track(call, receiver, domains::buffer_of_encoder(number, receiver)) {
            count_locked(Counter::EncodersAdopted);
            let owner = thread().owner();
            if let Entered::Open(index) | Entered::AfterEnd(index) =
                state(call, |it| it.lifecycle.enter(receiver, owner))
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
fn skip(number: usize, receiver: u64, open: Open) -> Call {
    count_locked(Counter::NullImplSkips);
    ledger::count_skip(slots::get(number).census());
    tell::note(Kind::Skip, number, receiver, 0);
    let mut call = open.call;
    forget(open);
    leave_unmade(number, receiver, call);
    call.entry().mark(event_phase::SKIPPED);
    call.set(fact::SKIPPED);
    call
}
