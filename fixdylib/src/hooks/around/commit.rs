//! Commits: throttled before the lock, open encoders ended first, and the original under the lock.

use std::mem::forget;

use agx_ledger::Counter;
use agx_ledger::layout::event_phase;
use agx_policy::rules::Role;

use super::complete::{ByStatus, is_announced};
use super::{caught, end, state, thread, track};
use crate::hooks::domains;
use crate::hooks::engine::{Open, fact};
use crate::hooks::tell::{self, Kind};
use crate::ledger::{self, Entry, count, count_locked};
use crate::lifecycle::Commit;
use crate::throttle::{Admitted, Throttle};

static THROTTLE: Throttle = Throttle::new(0, 0);

/// Bounds the command buffers in flight; 0 for no bound. Called before the first hook is installed.
pub fn configure(limit: u32, patience_ms: u64) {
    THROTTLE.configure(limit, patience_ms);
}

/// In the child of a `fork`. Async-signal-safe.
pub fn reset_after_fork() {
    THROTTLE.reset_after_fork();
}

/// Waits, before a commit takes any lock, until there is room in flight; the call has then begun.
///
/// A commit inside another hooked call holds a lock, under which nothing may wait for a completion: it is followed if there
/// is room, and otherwise goes unfollowed.
pub fn admit(number: usize, receiver: u64) -> Option<Entry> {
    if !THROTTLE.is_on() {
        return None;
    }
    let buffer = domains::commits(number, receiver);
    let thread = thread();
    if buffer == 0 || !domains::holds_nothing(std::ptr::from_ref(thread) as usize) {
        return None;
    }
    let entry = thread.begin_waiting(number as u32, receiver, domains::NONE);
    let announced = caught(|| is_announced(buffer)).unwrap_or(true);
    let begun = Begun(entry);
    match THROTTLE.admit(buffer, announced, &ByStatus) {
        Admitted::AtOnce => {}
        Admitted::Waited(_) => count(Counter::ThrottleWaits, 1),
        Admitted::LetThrough => {
            count(Counter::ThrottleWaits, 1);
            count(Counter::ThrottleLetThrough, 1);
            tell::note(Kind::LetThrough, number, receiver, 0);
        }
    }
    ledger::raise(Counter::InFlightMost, u64::from(THROTTLE.most()));
    forget(begun);
    Some(entry)
}

/// A call of which a command buffer may throw while it is asked: it is then over.
struct Begun(Entry);

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.end(event_phase::RETURNED);
    }
}

/// The command buffer at this address is complete, or gone: an unknown one is ignored.
pub fn completed(buffer: u64) {
    THROTTLE.completed(buffer, &ByStatus);
}

/// A commit under its lock.
pub fn begin(open: &mut Open, role: Role) {
    let receiver = open.receiver;
    open.call.set(fact::SLOW);
    let begun = state(open.call, |it| it.lifecycle.commit_begins(receiver));
    if begun != Commit::Nested {
        open.call.set(fact::COMMITS);
        count_locked(Counter::Commits);
        ledger::note_clocks();
        if begun == Commit::Again {
            count_locked(Counter::CommitAfterCommit);
            tell::note(Kind::CommitAgain, open.number, receiver, 0);
        }
        track::give_kept_back(open.call);
        while let Some(encoder) = state(open.call, |it| it.lifecycle.next_to_end(receiver, None)) {
            count_locked(Counter::CommitForcedEnds);
            end(encoder);
        }
    }
    if role == Role::CommitBlocking {
        open.call.clear(fact::LOCKED);
        thread().holds(None);
        // SAFETY: locked when the call was entered.
        unsafe { domains::give(open.call.domain()) };
    }
}
