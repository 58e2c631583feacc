//! What users are told once of each kind: noted wherever it is seen, and written when the thread has no lock.

use std::ffi::CStr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::slots;
use crate::os;
use crate::say::{self, say};

/// A kind of thing to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A work call was not made: hook, encoder.
    Skip,
    /// An event met an open encoder at the end of its wait: hook, command buffer, encoder.
    EventTimeout,
    /// A call went on without a lock.
    Escape,
    /// A commit went on although as many buffers as are allowed are in flight: hook, command buffer.
    LetThrough,
    /// A command buffer was committed twice: hook, command buffer.
    CommitAgain,
    /// A handler was added after the commit: hook, command buffer.
    LateHandler,
}

const KINDS: [Kind; 6] = [
    Kind::Skip,
    Kind::EventTimeout,
    Kind::Escape,
    Kind::LetThrough,
    Kind::CommitAgain,
    Kind::LateHandler,
];

/// What was seen.
struct Note {
    slot: AtomicU32,
    receiver: AtomicU64,
    other: AtomicU64,
    thread: AtomicU64,
}

static NOTES: [Note; KINDS.len()] = [const {
    Note {
        slot: AtomicU32::new(0),
        receiver: AtomicU64::new(0),
        other: AtomicU64::new(0),
        thread: AtomicU64::new(0),
    }
}; KINDS.len()];
/// Kinds that were noted, a bit each.
static NOTED: AtomicU32 = AtomicU32::new(0);
/// Kinds that are to be written.
static READY: AtomicU32 = AtomicU32::new(0);

/// Notes the first of a kind. Takes no lock and writes nothing.
#[cold]
pub fn note(kind: Kind, slot: usize, receiver: u64, other: u64) {
    let bit = 1 << kind as u32;
    if NOTED.fetch_or(bit, Ordering::Relaxed) & bit != 0 {
        return;
    }
    let note = &NOTES[kind as usize];
    note.slot.store(slot as u32, Ordering::Relaxed);
    note.receiver.store(receiver, Ordering::Relaxed);
    note.other.store(other, Ordering::Relaxed);
    note.thread.store(os::thread_id(), Ordering::Relaxed);
    READY.fetch_or(bit, Ordering::Release);
}

/// Whether something is to be written.
#[inline]
pub fn is_due() -> bool {
    READY.load(Ordering::Relaxed) != 0
}

/// Writes what was noted. Called without a lock.
#[cold]
#[inline(never)]
pub fn write() {
    let ready = READY.swap(0, Ordering::Acquire);
    for kind in KINDS {
        if ready & (1 << kind as u32) != 0 {
            write_one(kind);
        }
    }
    say::pass_on();
}

fn write_one(kind: Kind) {
    let note = &NOTES[kind as usize];
    let name = slots::get(note.slot.load(Ordering::Relaxed) as usize).selector();
    let name = if name.is_null() {
        "?"
    } else {
        // SAFETY: a filled slot has its selector's name, which the runtime keeps.
        unsafe { CStr::from_ptr(name.cast()) }
            .to_str()
            .unwrap_or("?")
    };
    let receiver = note.receiver.load(Ordering::Relaxed);
    let other = note.other.load(Ordering::Relaxed);
    let thread = note.thread.load(Ordering::Relaxed);
    match kind {
        Kind::Skip => say(format_args!(
            "work was dropped: {name} on encoder {receiver:#x} in thread {thread} was not called because its _impl is NULL; \
             further ones are only counted (null_impl_skips)"
        )),
        Kind::EventTimeout => say(format_args!(
            "error: {name} on command buffer {receiver:#x} in thread {thread} waited for encoder {other:#x}, which another \
             thread keeps open; at the limit (AGX_FIX_EVENT_WAIT_MS) the encoder was ended; further ones are only counted \
             (event_wait_timeouts)"
        )),
        Kind::Escape => say(format_args!(
            "a call in thread {thread} went on without its lock because waiting for it could have been a deadlock; further \
             ones are only counted (lock_order_escapes; AGX_FIX_LOCK_SCOPE=global has none)"
        )),
        Kind::LetThrough => say(format_args!(
            "{name} of command buffer {receiver:#x} in thread {thread} was let through above AGX_FIX_MAX_INFLIGHT after \
             AGX_FIX_THROTTLE_WAIT_MS; further ones are only counted (throttle_let_through)"
        )),
        Kind::CommitAgain => say(format_args!(
            "{name} in thread {thread}: command buffer {receiver:#x} was committed before; the driver asserts on that; \
             further ones are only counted (commit_after_commit)"
        )),
        Kind::LateHandler => say(format_args!(
            "{name} in thread {thread}: command buffer {receiver:#x} is committed already; the driver asserts on that; \
             further ones are only counted (handler_after_commit)"
        )),
    }
}
