//! What happens around a call of a published version: enter, the original, leave.

use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, Ordering};

use agx_ledger::Counter;
use agx_ledger::layout::event_phase;
use agx_policy::Policy;

use super::monitor::{self, Held};
use super::roles::{self, Role};
use super::{buffers, encoders};
use crate::hooks::engine::{Call, fact};
use crate::hooks::slots;
use crate::ledger::{self, Entry, count};
use crate::{os, say};

/// What leaving has to know: the notes of a [`Call`].
pub mod note {
    /// A level of the lock is held.
    pub const HELD: u16 = 1;
    /// The call counts as inside its encoder, which it has retained.
    pub const INSIDE: u16 = 2;
}

/// A call that was not made has been told.
static TOLD: AtomicBool = AtomicBool::new(false);

/// One call.
pub struct Context {
    /// The version that is followed.
    pub policy: &'static Policy,
    /// The hook's slot.
    pub number: usize,
    /// The receiver's address.
    pub receiver: u64,
    /// The thread.
    pub me: usize,
    entry: Entry,
}

impl Context {
    /// Takes the lock; the ledger shows a wait.
    #[inline]
    pub fn take(&self) -> Held {
        Held::take(
            self.me,
            || self.entry.mark(event_phase::WAITING),
            || self.entry.mark(event_phase::ENTERED),
        )
    }
}

/// Begins a call of the hook `number` on `receiver`. Unless it is skipped, [`leave`] must follow.
#[inline(never)]
pub fn enter(number: usize, receiver: u64) -> Call {
    // SAFETY: the thread's own state, alive as long as the thread.
    let entry = unsafe { &*ledger::thread() }.begin(number as u32, receiver, false);
    let Some(policy) = super::policy() else {
        count(Counter::PassedUntouched, 1);
        return Call::published(entry, 0);
    };
    let it = Context {
        policy,
        number,
        receiver,
        me: monitor::me(),
        entry,
    };
    let notes = match roles::get(number) {
        Role::Work => encoders::work(&it),
        Role::End => Some(encoders::end(&it)),
        Role::Destroy => encoders::destroy(&it),
        Role::Dealloc => Some(encoders::dealloc(&it)),
        Role::Init => Some(encoders::init(&it)),
        Role::Factory | Role::MpsFactory | Role::ParallelFactory | Role::SubFactory => Some(0),
        Role::Commit | Role::MpsCommit => Some(buffers::commit(&it)),
        Role::Signal | Role::Wait => Some(buffers::event(&it)),
    };
    if let Some(notes) = notes {
        return Call::published(entry, notes);
    }
    entry.end(event_phase::SKIPPED);
    let mut call = Call::published(entry, 0);
    call.set(fact::SKIPPED);
    call
}

/// Ends a call, or cleans up after one that an exception left. `object` is the first integer register of the result.
#[inline(never)]
pub fn leave(number: usize, receiver: u64, call: Call, object: u64) {
    let entry = call.entry();
    let notes = call.notes();
    // Ends the event last, and under an exception of `release` too.
    let _ending = Ending(entry);
    let Some(policy) = super::policy() else {
        return;
    };
    let it = Context {
        policy,
        number,
        receiver,
        me: monitor::me(),
        entry,
    };
    // SAFETY: the call was entered with a level that it kept.
    let held = (notes & note::HELD != 0).then(|| unsafe { Held::again() });
    match roles::get(number) {
        Role::Work => encoders::worked(&it, held, notes),
        Role::End => encoders::ended(&it, held, notes),
        Role::Factory | Role::MpsFactory | Role::ParallelFactory | Role::SubFactory => {
            buffers::made(&it, object);
        }
        Role::Destroy
        | Role::Dealloc
        | Role::Init
        | Role::Commit
        | Role::MpsCommit
        | Role::Signal
        | Role::Wait => drop(held),
    }
}

struct Ending(Entry);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end(event_phase::RETURNED);
    }
}

/// Leaves a call that is not made: counted, and the first one told when the lock is free.
pub fn skip(it: &Context, held: Held, counter: Counter) {
    ledger::count_locked(counter);
    ledger::count_skip(slots::get(it.number).census());
    if !TOLD.swap(true, Ordering::Relaxed) {
        held.with(|inside| inside.untold = Some((it.number, it.receiver)));
    }
    drop(held);
}

/// Tells of the first call that was not made. Called without the lock.
#[cold]
pub fn tell(number: usize, receiver: u64) {
    let name = slots::get(number).selector();
    let name = if name.is_null() {
        c"?"
    } else {
        // SAFETY: a filled slot has its selector's name, which the runtime keeps.
        unsafe { CStr::from_ptr(name.cast()) }
    };
    say::say(format_args!(
        "work was dropped: {} on encoder {:#x} in thread {} was not called, as {} does not make such calls; further ones \
         are only counted (dropped_untracked, dropped_ended, null_impl_skips)",
        name.to_str().unwrap_or("?"),
        receiver,
        os::thread_id(),
        super::policy().map_or("this version", |it| it.name),
    ));
    say::pass_on();
}
