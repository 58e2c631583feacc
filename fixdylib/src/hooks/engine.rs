//! What happens around every hooked call: enter, the original, leave.
//!
//! Our own code runs inside `catch_unwind`; the original and every message that we send do not, because an Objective-C
//! exception must pass through. A [`Call`] is a guard: however the original is left, the lock is given back.

use std::ffi::{CStr, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use agx_ledger::Counter;
use agx_ledger::layout::{degraded, event_phase};

use super::rules::Role;
use super::slots::{self, Slot};
use crate::ledger::{self, Entry, Thread, count, count_locked};
use crate::lifecycle::{Commit, Entered, Index, Lifecycle, Opened};
use crate::lock::{Acquired, Reentrant};
use crate::runtime::{self, Id, Imp};
use crate::{os, say};

/// What the lock protects.
struct State {
    lifecycle: Lifecycle,
    /// The command buffer inside whose event or handler call this thread is: `super` is not counted again.
    busy: u64,
}

static LOCK: Reentrant<State> = Reentrant::new(State {
    lifecycle: Lifecycle::new(),
    busy: 0,
});
/// The selector `endEncoding`, set before the first hook is installed.
static END_ENCODING: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
/// A call that was not made has been told.
static TOLD: AtomicBool = AtomicBool::new(false);

/// What planning found that needs messages.
enum Todo {
    Nothing,
    /// Track the receiver, which was not known.
    Adopt,
    /// End the receiver's open encoders, counting them there.
    EndOpen(Counter),
}

/// One hooked call on its way.
#[allow(clippy::struct_excessive_bools)] // independent facts of one call
pub struct Call {
    slot: &'static Slot,
    number: usize,
    receiver: u64,
    result: u64,
    thread: *const Thread,
    entry: Entry,
    /// The receiver's entry, if it is a tracked encoder.
    encoder: Option<Index>,
    /// `busy` before an event or handler call.
    outer: u64,
    locked: bool,
    skipped: bool,
    /// The outermost commit of its command buffer.
    commits: bool,
    tell: bool,
}

/// Prepares for the hook layer. Called before the first hook is installed.
pub fn prepare() {
    END_ENCODING.store(
        runtime::selector(c"endEncoding").cast_mut(),
        Ordering::Release,
    );
}

/// In the child of a `fork`, whose only thread is `me`: what was tracked is the parent's. Async-signal-safe.
pub fn reset_after_fork(me: usize) {
    LOCK.reset_after_fork(me);
    LOCK.lock(me);
    // SAFETY: locked in the line above; this thread forked in the program's code, outside of every `with`.
    unsafe {
        LOCK.with(|state| {
            state.lifecycle.reset();
            state.busy = 0;
        });
        LOCK.unlock();
    }
}

/// Begins a call of the hook `number` on `receiver`.
#[inline(never)]
pub fn enter(number: usize, receiver: u64) -> Call {
    let mut call = Call {
        slot: slots::get(number),
        number,
        receiver,
        result: 0,
        thread: ptr::null(),
        entry: Entry::NONE,
        encoder: None,
        outer: 0,
        locked: false,
        skipped: false,
        commits: false,
        tell: false,
    };
    match catch_unwind(AssertUnwindSafe(|| call.plan())) {
        Ok(Todo::Nothing) => {}
        Ok(todo) => call.act(&todo),
        Err(_) => count(Counter::CaughtPanics, 1),
    }
    if !call.skipped {
        Thread::mark(call.entry, event_phase::ENTERED);
    }
    call
}

impl Call {
    /// The code to call.
    #[inline]
    pub fn original(&self) -> Imp {
        self.slot.original()
    }

    /// Whether the original must not be called.
    #[inline]
    pub fn is_skipped(&self) -> bool {
        self.skipped
    }

    /// The original came back, with this in its first result register.
    #[inline]
    pub fn returned(&mut self, object: u64) {
        self.result = object;
    }

    #[inline]
    fn lock(&mut self) {
        match LOCK.lock(self.thread as usize) {
            Acquired::Nested => {}
            Acquired::Free => count_locked(Counter::LockAcquisitions),
            Acquired::Waited => {
                count_locked(Counter::LockAcquisitions);
                count_locked(Counter::LockContentions);
            }
        }
        self.locked = true;
    }

    #[inline]
    fn unlock(&mut self) {
        if std::mem::take(&mut self.locked) {
            // SAFETY: this call locked, on this thread.
            unsafe { LOCK.unlock() };
        }
    }

    /// The tracked state. Only between [`Self::lock`] and [`Self::unlock`].
    #[inline]
    fn state<R>(&self, with: impl FnOnce(&mut State) -> R) -> R {
        debug_assert!(self.locked, "the state is touched under the lock");
        // SAFETY: this call holds the lock, and the closures given here call nothing that locks.
        unsafe { LOCK.with(with) }
    }

    #[inline]
    fn plan(&mut self) -> Todo {
        self.thread = ledger::thread();
        // SAFETY: the thread's own state, alive as long as the thread.
        self.entry = unsafe { &*self.thread }.begin(
            u32::try_from(self.number).unwrap_or(u32::MAX),
            self.receiver,
        );
        self.lock();
        match self.slot.role() {
            Role::Work => self.plan_work(),
            Role::End => {
                self.encoder = match self.state(|state| state.lifecycle.enter(self.receiver)) {
                    Entered::Open(index) | Entered::AfterEnd(index) => Some(index),
                    Entered::Untracked => None,
                };
                Todo::Nothing
            }
            Role::Init | Role::BufferWork | Role::Factory => Todo::Nothing,
            Role::BufferInit => {
                self.state(|state| state.lifecycle.born(self.receiver));
                Todo::Nothing
            }
            Role::Commit | Role::CommitReusable | Role::CommitBlocking => self.plan_commit(),
            Role::Signal => self.plan_event(Counter::EventSignals),
            Role::Wait => self.plan_event(Counter::EventWaits),
            Role::Handler => {
                if self.is_outermost()
                    && self.state(|state| state.lifecycle.is_committed(self.receiver))
                {
                    count_locked(Counter::HandlerAfterCommit);
                }
                Todo::Nothing
            }
        }
    }

    #[inline]
    fn plan_work(&mut self) -> Todo {
        let entered = self.state(|state| state.lifecycle.enter(self.receiver));
        let known = match entered {
            Entered::Open(index) => Some(index),
            Entered::AfterEnd(index) => {
                count_locked(Counter::CallsAfterEnd);
                Some(index)
            }
            Entered::Untracked => None,
        };
        self.encoder = known;
        if let Some(offset) = self.slot.impl_offset() {
            let field = (self.receiver as usize + offset) as *const *const c_void;
            // SAFETY: the receiver is an instance of a class that has the variable at this offset. It is read as another
            // thread may write it: the driver stores it outside of any lock that we know.
            if unsafe { field.read_volatile() }.is_null() {
                self.skip();
                return Todo::Nothing;
            }
        }
        if known.is_none() {
            Todo::Adopt
        } else {
            Todo::Nothing
        }
    }

    #[cold]
    fn skip(&mut self) {
        self.skipped = true;
        count_locked(Counter::NullImplSkips);
        ledger::count_skip(self.slot.census());
        self.tell = !TOLD.swap(true, Ordering::Relaxed);
    }

    fn plan_commit(&mut self) -> Todo {
        let begun = self.state(|state| state.lifecycle.commit_begins(self.receiver));
        if begun == Commit::Nested {
            if self.slot.role() == Role::CommitBlocking {
                self.unlock();
            }
            return Todo::Nothing;
        }
        self.commits = true;
        count_locked(Counter::Commits);
        ledger::note_clocks();
        if begun == Commit::Again {
            count_locked(Counter::CommitAfterCommit);
        }
        Todo::EndOpen(Counter::CommitForcedEnds)
    }

    fn plan_event(&mut self, counter: Counter) -> Todo {
        if !self.is_outermost() {
            return Todo::Nothing;
        }
        count_locked(counter);
        Todo::EndOpen(Counter::EventForcedEnds)
    }

    /// Whether this is not a call of `super` from the same method; remembered until the call leaves.
    fn is_outermost(&mut self) -> bool {
        let receiver = self.receiver;
        self.outer = self.state(|state| std::mem::replace(&mut state.busy, receiver));
        self.outer != receiver
    }

    /// Sends what messages the plan asks for. An exception from them leaves through the guard.
    #[cold]
    fn act(&mut self, todo: &Todo) {
        match todo {
            Todo::Nothing => {}
            Todo::Adopt => {
                if self.track(self.receiver, 0) {
                    count_locked(Counter::EncodersAdopted);
                    self.encoder = match self.state(|state| state.lifecycle.enter(self.receiver)) {
                        Entered::Open(index) | Entered::AfterEnd(index) => Some(index),
                        Entered::Untracked => None,
                    };
                } else {
                    count_locked(Counter::PassedUntouched);
                }
            }
            Todo::EndOpen(counter) => {
                while let Some(encoder) =
                    self.state(|state| state.lifecycle.next_to_end(self.receiver))
                {
                    count_locked(*counter);
                    // SAFETY: the encoder is retained by us, and was found to respond when it was tracked.
                    unsafe { runtime::send(encoder as Id, END_ENCODING.load(Ordering::Acquire)) };
                }
                if self.slot.role() == Role::CommitBlocking {
                    self.unlock();
                }
            }
        }
    }

    /// Tracks and retains an encoder of `buffer` (0 if unknown); false if it cannot be.
    fn track(&self, encoder: u64, buffer: u64) -> bool {
        // SAFETY: a receiver or a factory's result is an object.
        let end = unsafe {
            runtime::implementation_for(encoder as Id, END_ENCODING.load(Ordering::Acquire))
        };
        // An encoder whose end cannot be seen would stay open for ever.
        if !end.is_some_and(slots::is_hook) {
            return false;
        }
        match self.state(|state| state.lifecycle.opened(encoder, buffer)) {
            Opened::AlreadyOpen => return true,
            Opened::Full => {
                ledger::note_degraded(degraded::ENCODERS_FULL);
                return false;
            }
            Opened::Reused => count_locked(Counter::EncodersReused),
            Opened::New => {}
        }
        // SAFETY: as above.
        if !unsafe { runtime::retain(encoder as Id) } {
            self.state(|state| state.lifecycle.not_retained(encoder));
            return false;
        }
        count_locked(Counter::EncodersCreated);
        true
    }

    /// Bookkeeping after the original; the encoder to release, if it is time.
    #[inline]
    fn finish(&mut self) -> Option<u64> {
        let mut released = None;
        match self.slot.role() {
            role @ (Role::Work | Role::End) => {
                if let Some(index) = self.encoder.take() {
                    released = self.state(|state| state.lifecycle.leave(index, role == Role::End));
                }
            }
            role @ (Role::Commit | Role::CommitReusable | Role::CommitBlocking) => {
                if self.commits {
                    if !self.locked {
                        self.lock();
                    }
                    let reusable = role == Role::CommitReusable;
                    self.state(|state| state.lifecycle.commit_ends(self.receiver, reusable));
                }
            }
            Role::Signal | Role::Wait | Role::Handler => {
                let outer = self.outer;
                self.state(|state| state.busy = outer);
            }
            Role::Factory | Role::Init | Role::BufferInit | Role::BufferWork => {}
        }
        released
    }

    #[cold]
    fn tell(&self) {
        let name = self.slot.selector();
        let name = if name.is_null() {
            c"?"
        } else {
            // SAFETY: a filled slot has its selector's name, which the runtime keeps.
            unsafe { CStr::from_ptr(name.cast()) }
        };
        say::say(format_args!(
            "work was dropped: {} on encoder {:#x} in thread {} was not called because its _impl is NULL; further ones are \
             only counted (null_impl_skips)",
            name.to_str().unwrap_or("?"),
            self.receiver,
            os::thread_id(),
        ));
    }
}

impl Drop for Call {
    #[inline]
    fn drop(&mut self) {
        leave(self);
    }
}

#[inline(never)]
fn leave(call: &mut Call) {
    if call.thread.is_null() {
        return; // planning panicked before it took anything
    }
    if call.result != 0 && call.slot.role() == Role::Factory {
        call.track(call.result, call.receiver);
    }
    match catch_unwind(AssertUnwindSafe(|| call.finish())) {
        Ok(None) => {}
        Ok(Some(encoder)) => {
            count_locked(Counter::EncodersReleased);
            // SAFETY: retained when it was tracked.
            unsafe { runtime::release(encoder as Id) };
        }
        Err(_) => count(Counter::CaughtPanics, 1),
    }
    let phase = if call.skipped {
        event_phase::SKIPPED
    } else {
        event_phase::RETURNED
    };
    // SAFETY: the thread's own state, alive as long as the thread.
    unsafe { &*call.thread }.end(call.entry, phase);
    call.unlock();
    if call.tell {
        call.tell();
    }
}
