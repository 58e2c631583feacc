//! Calls on encoders.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use agx_ledger::Counter;
use agx_policy::policies::{Destroy, Events, Retain};

use super::calls::{Context, note, skip};
use super::monitor::Held;
use super::tables::{Admission, End};
use crate::guarded;
use crate::hooks::engine::impl_is_null;
use crate::hooks::slots;
use crate::ledger::{count_locked, discount_locked};
use crate::runtime::{self, Id};

/// The selectors `retain` and `release`, set before the first hook is installed.
static RETAIN: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static RELEASE: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Prepares for hooked calls.
pub fn prepare() {
    for (selector, name) in [(&RETAIN, c"retain"), (&RELEASE, c"release")] {
        selector.store(runtime::selector(name).cast_mut(), Ordering::Release);
    }
}

/// A work call. Its notes, or `None` if it is not made.
pub fn work(it: &Context) -> Option<u16> {
    let held = it.take();
    let mut admission = Admission::Run;
    guarded(|| {
        admission = held.with(|inside| inside.tables.admit(it.policy, it.receiver, it.me));
    });
    match admission {
        Admission::Run => {}
        Admission::RetainAndRun => retain(&held, it.receiver),
        Admission::RegisterAndRun => count_locked(Counter::EncodersAdopted),
        Admission::AdoptAndRun => {
            count_locked(Counter::EncodersAdopted);
            retain(&held, it.receiver);
        }
        Admission::CountAndRun => count_locked(Counter::UntrackedCalls),
        Admission::Drop(counter) => {
            skip(it, held, counter);
            return None;
        }
    }
    if impl_is_null(slots::get(it.number), it.receiver) {
        skip(it, held, Counter::NullImplSkips);
        return None;
    }
    if !it.policy.methods_locked {
        return Some(0);
    }
    Some(go_in(it, held))
}

/// Enters the encoder with the lock held, and retained where each call retains.
fn go_in(it: &Context, held: Held) -> u16 {
    let mut notes = note::HELD;
    if it.policy.retain == Retain::CreationAndCall
        && held.with(|inside| inside.tables.entered(it.receiver))
    {
        notes |= note::INSIDE | note::RETAINED;
        // SAFETY: the encoder was retained before, so that it responds.
        unsafe { runtime::send(it.receiver as Id, RETAIN.load(Ordering::Relaxed)) };
    }
    held.keep();
    notes
}

/// A work call is over.
pub fn worked(it: &Context, held: Option<Held>, notes: u16) {
    if let Some(held) = held {
        go_out(it, &held, notes);
        let_go(it, notes);
    }
}

/// The call is no longer inside its encoder, which is released if it has ended and this was the last call out.
fn go_out(it: &Context, held: &Held, notes: u16) {
    if notes & note::INSIDE != 0 {
        let mut retains = 0;
        guarded(|| retains = held.with(|inside| inside.tables.left(it.receiver)));
        give_back(it, retains);
    }
}

/// Gives the call's own retain back.
fn let_go(it: &Context, notes: u16) {
    if notes & note::RETAINED != 0 && it.policy.gives_back {
        // SAFETY: retained when the call went in.
        unsafe { runtime::send(it.receiver as Id, RELEASE.load(Ordering::Relaxed)) };
    }
}

/// `endEncoding` or `deferredEndEncoding`. Its notes.
pub fn end(it: &Context) -> u16 {
    let held = it.take();
    if it.policy.methods_locked {
        go_in(it, held)
    } else {
        0
    }
}

/// `endEncoding` or `deferredEndEncoding` is over.
pub fn ended(it: &Context, held: Option<Held>, notes: u16) {
    let held = held.unwrap_or_else(|| it.take());
    go_out(it, &held, notes);
    let mut end = End::Nothing;
    guarded(|| end = held.with(|inside| inside.tables.ended(it.policy, it.receiver)));
    wake(it, &held);
    match end {
        End::Release(retains) => give_back(it, retains),
        End::Defer => count_locked(Counter::DeferredReleases),
        End::Nothing | End::Leak => {}
    }
    let_go(it, notes);
}

/// `destroyImpl`. Its notes, or `None` if it is not made.
pub fn destroy(it: &Context) -> Option<u16> {
    let held = it.take();
    let notes = match it.policy.destroy {
        Destroy::Locked | Destroy::End => note::HELD,
        Destroy::MarkLocked => {
            guarded(|| held.with(|inside| inside.tables.mark_destroyed(it.receiver)));
            note::HELD
        }
        Destroy::ReleaseLocked => {
            release(it, &held);
            note::HELD
        }
        Destroy::ReleaseUnlocked => {
            release(it, &held);
            0
        }
        Destroy::Unlocked => {
            forget(it, &held);
            0
        }
        Destroy::Blocked => {
            count_locked(Counter::DestroysBlocked);
            return None;
        }
    };
    if notes & note::HELD != 0 {
        held.keep();
    }
    Some(notes)
}

/// Releases a tracked encoder, whatever is inside it.
fn release(it: &Context, held: &Held) {
    let retains = forget(it, held);
    give_back(it, retains);
}

/// Forgets a tracked encoder. Its retains.
fn forget(it: &Context, held: &Held) -> u32 {
    let mut retains = 0;
    guarded(|| retains = held.with(|inside| inside.tables.destroyed(it.receiver)));
    wake(it, held);
    retains
}

/// `dealloc`. Its notes. Nothing is given back: the last reference is gone, ours among them.
pub fn dealloc(it: &Context) -> u16 {
    let held = it.take();
    if forget(it, &held) > 0 {
        discount_locked(Counter::EncodersOpen);
    }
    let unlocked = matches!(
        it.policy.destroy,
        Destroy::ReleaseUnlocked | Destroy::Unlocked
    );
    if unlocked {
        return 0;
    }
    held.keep();
    note::HELD
}

/// An initialiser. Its notes.
pub fn init(it: &Context) -> u16 {
    let held = it.take();
    guarded(|| held.with(|inside| inside.tables.constructed(it.receiver)));
    held.keep();
    note::HELD
}

/// Retains an encoder that is tracked.
pub fn retain(held: &Held, encoder: u64) {
    // SAFETY: a receiver or a factory's result. That an untracked receiver is still an object is what its version relies on.
    if unsafe { runtime::retain(encoder as Id) }
        && held.with(|inside| inside.tables.retained(encoder))
    {
        count_locked(Counter::EncodersCreated);
        count_locked(Counter::EncodersOpen);
    }
}

/// Gives so many retains of the receiver back, with the lock held; none, where a version never does.
fn give_back(it: &Context, retains: u32) {
    if retains == 0 || !it.policy.gives_back {
        return;
    }
    count_locked(Counter::EncodersReleased);
    discount_locked(Counter::EncodersOpen);
    for _ in 0..retains {
        // SAFETY: retained as often when it was tracked.
        unsafe { runtime::send(it.receiver as Id, RELEASE.load(Ordering::Relaxed)) };
    }
}

fn wake(it: &Context, held: &Held) {
    if it.policy.events != Events::Alone {
        held.wake();
    }
}
