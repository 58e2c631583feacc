//! `encodeSignalEvent:` and `encodeWaitForEvent:`: the driver asserts that no encoder of the command buffer is open.

use std::sync::atomic::{AtomicU64, Ordering};

use agx_ledger::Counter;

use super::{end, is_outermost, state, thread};
use crate::hooks::domains::{self, Waiter};
use crate::hooks::engine::Open;
use crate::hooks::tell::{self, Kind};
use crate::ledger::{self, count_locked};
use crate::os;

static WAIT_MS: AtomicU64 = AtomicU64::new(10_000);

/// Sets the longest wait for another thread's encoder. Called before the first hook is installed.
pub fn configure(wait_ms: u64) {
    WAIT_MS.store(wait_ms, Ordering::Relaxed);
}

/// Before the original: the thread's own encoders are ended; another thread's are waited for, within the limit.
///
/// At the limit they are ended too: the driver would end the process otherwise, and the encoder's thread finds its later
/// calls counted (`calls_after_end`, `null_impl_skips`). The same holds for those of a thread that is no more, and where
/// this call is inside a call on an encoder, whose lock cannot be given back.
pub fn begin(open: &mut Open, counter: Counter) {
    let buffer = open.receiver;
    if !is_outermost(&mut open.call, buffer) {
        return;
    }
    count_locked(counter);
    let me = thread().owner();
    end_all(open, Some(me));
    wait_for_others(open, me);
}

fn end_all(open: &Open, whose: Option<u64>) {
    let buffer = open.receiver;
    while let Some(encoder) = state(open.call, |it| it.lifecycle.next_to_end(buffer, whose)) {
        count_locked(Counter::EventForcedEnds);
        end(encoder);
    }
}

fn wait_for_others(open: &Open, me: u64) {
    let (buffer, call) = (open.receiver, open.call);
    let others = |it: &mut domains::State| it.lifecycle.others_open(buffer, me);
    if state(call, others).is_none() {
        return;
    }
    let thread = thread();
    let mut deadline = None;
    loop {
        let waiter = Waiter::new();
        let Some((encoder, owner)) = state(call, others) else {
            return;
        };
        if !ledger::is_alive(owner) {
            end_all(open, Some(owner));
            continue;
        }
        if state(call, |it| it.lifecycle.is_inside()) {
            return end_all(open, None);
        }
        let deadline = *deadline.get_or_insert_with(|| {
            count_locked(Counter::EventEncoderWaits);
            os::deadline_in_ms(WAIT_MS.load(Ordering::Relaxed))
        });
        thread.waits(call.entry(), domains::NONE);
        thread.holds(None);
        // SAFETY: this thread has the call's lock, and no `with` is open.
        let woken = unsafe { waiter.wait(std::ptr::from_ref(thread) as usize, deadline) };
        thread.goes_on(call.entry(), false);
        thread.holds(Some(call.domain()));
        if !woken && state(call, others).is_some() {
            count_locked(Counter::EventWaitTimeouts);
            tell::note(Kind::EventTimeout, open.number, buffer, encoder);
            return end_all(open, None);
        }
    }
}
