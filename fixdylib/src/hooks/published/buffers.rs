//! Calls on command buffers: factories, commits, events.

use std::time::Duration;

use agx_ledger::Counter;
use agx_policy::policies::{Commit, Events, Retain};

use super::calls::{Context, note};
use super::encoders;
use super::roles::{self, Role};
use super::tables::Made;
use crate::guarded;
use crate::hooks::engine::end_encoding;
use crate::ledger::{count_locked, note_clocks};
use crate::runtime::{self, Id};

/// A factory handed `encoder` out; 0 if it did not.
pub fn made(it: &Context, encoder: u64) {
    if encoder == 0 {
        return;
    }
    let role = roles::get(it.number);
    let held = it.take();
    let mut made = Made::Known;
    guarded(|| {
        made = held.with(|inside| {
            let buffer = if role == Role::SubFactory {
                inside.tables.buffer_of(it.receiver)
            } else {
                it.receiver
            };
            inside.tables.made(it.policy, encoder, buffer)
        });
    });
    if role == Role::MpsFactory {
        count_locked(Counter::MpsEncoderCreates);
    }
    if made == Made::Known {
        return;
    }
    if made == Made::Reopened {
        count_locked(Counter::EncodersReused);
    }
    if matches!(role, Role::Factory | Role::ParallelFactory) {
        count_locked(Counter::AgxEncoderCreates);
    }
    if role == Role::ParallelFactory {
        count_locked(Counter::ParallelEncoderCreates);
    }
    let retains = matches!(it.policy.retain, Retain::Creation | Retain::CreationAndCall);
    if made == Made::New && retains {
        encoders::retain(&held, encoder);
    }
}

/// A commit. Its notes.
pub fn commit(it: &Context) -> u16 {
    let held = it.take();
    if roles::get(it.number) == Role::Commit {
        count_locked(Counter::Commits);
        note_clocks();
    }
    let leaks = it.policy.commit == Commit::EndLeakingLocked;
    loop {
        let mut open = None;
        guarded(|| open = held.with(|inside| inside.tables.next_to_end(it.receiver, leaks)));
        let Some(encoder) = open else { break };
        count_locked(Counter::CommitForcedEnds);
        // SAFETY: a factory handed it out, its end was not seen, and it is retained by us.
        unsafe { runtime::send(encoder as Id, end_encoding()) };
    }
    if it.policy.commit == Commit::EndThenUnlocked {
        return 0;
    }
    held.keep();
    note::HELD
}

/// An event is signalled or waited for. Its notes.
pub fn event(it: &Context) -> u16 {
    let held = it.take();
    count_locked(if roles::get(it.number) == Role::Signal {
        Counter::EventSignals
    } else {
        Counter::EventWaits
    });
    let limit = match it.policy.events {
        Events::WaitAtMost(milliseconds) => Some(Duration::from_millis(milliseconds.into())),
        Events::WaitForEver => None,
        Events::Alone | Events::EndOwnWaitForOthers => Some(Duration::ZERO),
    };
    if held.with(|inside| inside.tables.has_open(it.receiver)) {
        count_locked(Counter::EventEncoderWaits);
        if !held.wait_until(limit, |tables| !tables.has_open(it.receiver)) {
            count_locked(Counter::EventWaitTimeouts);
        }
    }
    held.keep();
    note::HELD
}
