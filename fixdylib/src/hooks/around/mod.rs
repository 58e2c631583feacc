//! The calls that need more than the fast way: other scopes, other roles, and encoders about which something is odd.
//!
//! Our own code runs inside `catch_unwind`; every message that we send does not, because an Objective-C exception must
//! pass through. It meets an [`Open`] call on its way, which gives the locks back.

mod commit;
mod complete;
mod event;
mod track;
mod work;

use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};

use agx_ledger::Counter;
use agx_policy::rules::Role;

use super::domains::{self, NONE, State, Taken};
use super::engine::{Call, Open, fact, finish, impl_is_null};
use super::expected;
use super::slots;
use super::tell::{self, Kind};
use super::{engine, published, receiver as receivers, tally};
use crate::ledger::{self, Entry, Thread, count, count_locked};
use crate::lifecycle::Entered;
use crate::lock::Acquired;

pub use commit::{configure as configure_throttle, reset_after_fork};
pub use event::configure as configure_events;
pub use track::leave_last;
pub use work::work;

/// What a call's lock protects. Every caller has seen [`fact::LOCKED`].
fn state<R>(call: Call, with: impl FnOnce(&mut State) -> R) -> R {
    // SAFETY: the call has its lock, and no closure in this room calls anything that locks.
    unsafe { call.with(with) }
}

/// Runs our own code; `None` if it panicked, which is counted.
fn caught<R>(run: impl FnOnce() -> R) -> Option<R> {
    let result = catch_unwind(AssertUnwindSafe(run));
    if result.is_err() {
        count(Counter::CaughtPanics, 1);
    }
    result.ok() // the panic has been counted; its text went to stderr
}

/// The calling thread's state.
fn thread() -> &'static Thread {
    // SAFETY: the thread's own state, alive as long as the thread, and used nowhere else.
    unsafe { &*ledger::thread() }
}

/// Writes what there is to tell, if this thread has no lock.
#[cold]
#[inline(never)]
pub fn tell() {
    if domains::holds_nothing(ledger::thread() as usize) {
        caught(tell::write);
    }
}

/// [`engine::enter`] for all but work in the scope `global`, and where calls are tallied.
#[inline(never)]
pub fn enter(number: usize, receiver: u64) -> Call {
    if tally::is_on() {
        return tally::around(number, receiver, || enter_untallied(number, receiver));
    }
    enter_untallied(number, receiver)
}

#[inline]
fn enter_untallied(number: usize, receiver: u64) -> Call {
    let slot = slots::get(number);
    let role = slot.role();
    match role {
        Role::Published => return published::enter(number, receiver),
        Role::Completion => {
            // Before the program's handlers run: they may commit, and wait for this one.
            commit::completed(receiver);
            return unlocked(number, receiver);
        }
        _ => {}
    }
    if receivers::is_odd(number, receiver) {
        return unlocked(number, receiver);
    }
    if !matches!(role, Role::Work | Role::BufferWork) {
        thread().stamp();
    }
    let entry = commit::admit(number, receiver);
    let call = take(number, receiver, entry);
    if role == Role::Work && call.has(fact::LOCKED) {
        return enter_work(number, receiver, call);
    }
    if matches!(role, Role::Init | Role::BufferWork) {
        return call;
    }
    if !call.has(fact::LOCKED) {
        return enter_unlocked(role, call, number);
    }
    let mut open = Open {
        number,
        receiver,
        call,
    };
    enter_locked(&mut open, role);
    let call = open.call;
    forget(open);
    call
}

/// Work on an encoder, its lock in hand.
#[inline(never)]
pub fn enter_work(number: usize, receiver: u64, call: Call) -> Call {
    let entered = state(call, |it| it.lifecycle.enter(receiver, thread().owner()));
    if let Entered::Open(index) = entered
        && !impl_is_null(slots::get(number), receiver)
    {
        return call.with_encoder(index);
    }
    work(number, receiver, call, entered)
}

/// [`engine::enter`] for work in the scope `global` while another thread has the lock.
#[cold]
#[inline(never)]
pub fn wait(number: usize, receiver: u64) -> Call {
    let call = take(number, receiver, None);
    enter_work(number, receiver, call)
}

/// A call that is passed on without a lock: it runs the program's own handlers, which may wait for a thread that waits for
/// the lock, or its receiver is no object of the hook's class.
#[cold]
pub fn unlocked(number: usize, receiver: u64) -> Call {
    Call::unlocked(thread().begin(number as u32, receiver, false))
}

/// Says that a call is about to enter its receiver, if that is an encoder.
fn announce(number: usize, receiver: u64, domain: usize) -> bool {
    let expects = domains::is_encoder(number);
    if expects {
        expected::expect(domain, receiver);
    }
    expects
}

/// Takes the locks of a call; `entry` if it has begun already.
fn take(number: usize, receiver: u64, entry: Option<Entry>) -> Call {
    let thread = thread();
    let me = std::ptr::from_ref(thread) as usize;
    let (domain, pool) = domains::of_call(number, receiver);
    let mut entry = entry;
    let mut how = None;
    let mut expects = false;
    if domain != NONE {
        let taken = domains::take(me, domain, || {
            expects = announce(number, receiver, domain);
            let it =
                *entry.get_or_insert_with(|| thread.begin_waiting(number as u32, receiver, domain));
            thread.waits(it, domain);
        });
        match taken {
            Taken::Had(acquired) => how = Some(acquired),
            Taken::Escaped if !expects => expects = announce(number, receiver, domain),
            Taken::Escaped => {}
        }
    }
    let outermost = matches!(how, Some(Acquired::Free | Acquired::Waited));
    let entry = match entry {
        Some(entry) => {
            if how == Some(Acquired::Waited) {
                thread.waited(entry, outermost);
            } else {
                thread.goes_on(entry, outermost);
            }
            entry
        }
        None => thread.begin(number as u32, receiver, outermost),
    };
    let mut call = match how {
        Some(_) => Call::locked(entry, domain),
        None => Call::unlocked(entry),
    };
    if expects {
        call.concerns(domain);
        call.set(fact::EXPECTS | fact::SLOW);
    }
    if pool {
        let taken = domains::take_pool(me, || thread.waits(entry, domain));
        if let Taken::Had(acquired) = taken {
            call.set(fact::POOL);
            if acquired == Acquired::Waited {
                thread.waited(entry, false);
            }
        }
    }
    call
}

/// A call that has no lock: of a proxy, under construction, or one that escaped.
fn enter_unlocked(role: Role, mut call: Call, number: usize) -> Call {
    match role {
        Role::BufferInit => call.set(fact::SLOW),
        Role::Continue => count(Counter::CommitAndContinues, 1),
        Role::Commit | Role::CommitReusable | Role::CommitBlocking
            if !domains::is_proxy(number) =>
        {
            count(Counter::Commits, 1);
        }
        _ if !domains::is_proxy(number) => {
            // Escaped: passed on, its receiver untracked.
            count(Counter::PassedUntouched, 1);
        }
        _ => {}
    }
    call
}

/// What comes before the original, under the lock.
fn enter_locked(open: &mut Open, role: Role) {
    let (number, receiver) = (open.number, open.receiver);
    match role {
        Role::End => {
            open.call.set(fact::ENDS);
            let owner = thread().owner();
            if let Entered::Open(index) | Entered::AfterEnd(index) =
                state(open.call, |it| it.lifecycle.enter(receiver, owner))
            {
                open.call = open.call.with_encoder(index);
            }
        }
        Role::Factory | Role::SubFactory => {
            open.call.set(fact::SLOW);
            track::give_kept_back(open.call);
            if role == Role::Factory {
                track::give_abandoned_back(open.call, receiver);
            }
        }
        Role::BufferInit => open.call.set(fact::SLOW),
        Role::Continue => count_locked(Counter::CommitAndContinues),
        Role::Commit | Role::CommitReusable | Role::CommitBlocking => commit::begin(open, role),
        Role::Signal => event::begin(open, Counter::EventSignals),
        Role::Wait => event::begin(open, Counter::EventWaits),
        Role::Handler => {
            if is_outermost(&mut open.call, receiver)
                && state(open.call, |it| it.lifecycle.is_committed(receiver))
            {
                count_locked(Counter::HandlerAfterCommit);
                tell::note(Kind::LateHandler, number, receiver, 0);
            }
        }
        Role::Work | Role::Init | Role::BufferWork | Role::Completion | Role::Published => {}
    }
}

/// Whether this is not a call of `super` from the same method; remembered until the call leaves.
fn is_outermost(call: &mut Call, receiver: u64) -> bool {
    let outermost = state(*call, |it| it.busy.push(receiver));
    if outermost {
        call.set(fact::BUSY | fact::SLOW);
    }
    outermost
}

/// Finishes a call when it is dropped, by an exception too.
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
    let role = slots::get(number).role();
    if call.has(fact::COMMITS) && !call.has(fact::LOCKED) {
        let me = ledger::thread() as usize;
        let domain = call.domain();
        if matches!(domains::take(me, domain, || {}), Taken::Had(_)) {
            call.now_locked(domain);
        }
    }
    let finishing = Finishing(call);
    if call.has(fact::EXPECTS) {
        expected::met(call.domain(), receiver);
    }
    match role {
        Role::BufferInit => born(number, receiver),
        Role::Factory | Role::SubFactory if object != 0 && call.has(fact::LOCKED) => {
            let buffer = if role == Role::Factory {
                receiver
            } else {
                match domains::buffer_of_encoder(number, receiver) {
                    0 => state(call, |it| it.lifecycle.buffer_of(receiver)),
                    buffer => buffer,
                }
            };
            track::track(call, object, buffer);
            count_made(number, role);
        }
        _ => {}
    }
    if call.has(fact::LOCKED) {
        caught(|| {
            if call.has(fact::COMMITS) {
                let reusable = role == Role::CommitReusable;
                state(call, |it| it.lifecycle.commit_ends(receiver, reusable));
            }
            if call.has(fact::BUSY) {
                state(call, |it| it.busy.pop());
            }
        });
    }
    if call.has(fact::LOCKED)
        && let Some(index) = call.encoder()
    {
        let ends = call.has(fact::ENDS);
        let released = state(call, |it| it.lifecycle.leave(index, ends));
        if let Some(encoder) = released {
            track::let_go(call, encoder);
        }
    }
    if call.has(fact::EXPECTS) {
        track::settle(call);
    }
    drop(finishing);
}

fn count_made(number: usize, role: Role) {
    if role == Role::SubFactory {
        count_locked(Counter::ParallelEncoderCreates);
    } else if domains::is_proxy(number) {
        count_locked(Counter::MpsEncoderCreates);
    } else {
        count_locked(Counter::AgxEncoderCreates);
    }
}

/// A command buffer was made where another may have been: what was known about the address is void.
fn born(number: usize, receiver: u64) {
    let me = ledger::thread() as usize;
    let domain = domains::of(number, receiver);
    if matches!(domains::take(me, domain, || {}), Taken::Had(_)) {
        let entry = Entry::NONE;
        state(Call::locked(entry, domain), |it| {
            it.lifecycle.born(receiver);
        });
        // SAFETY: taken above.
        unsafe { domains::give(domain) };
    }
    commit::completed(receiver);
}

/// Sends `endEncoding` to an encoder that is tracked, and so retained by us.
fn end(encoder: u64) {
    tally::ended(encoder);
    // SAFETY: the encoder is retained by us, and was found to respond when it was tracked.
    unsafe { crate::runtime::send(encoder as crate::runtime::Id, engine::end_encoding()) };
}
