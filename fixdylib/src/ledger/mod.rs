//! The process's ledger: made at load, given a body when there is something to hook, closed at the end.
//!
//! Without a ledger (none asked for, or no room) the library works all the same: counters then live in memory only.

mod census;
mod failure;
mod file;
mod reading;
mod ring;

use std::ffi::CStr;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use agx_ledger::Counter;
use agx_ledger::layout::{self, BODY, Header, degraded, exit_route, phase};

use crate::{arch, clock, os};

pub use census::{Finding, Tallied, add_to_census, count_skip, note_image, tally};
pub use failure::{Failure, Stage};
pub use reading::class_with_hook;
pub use ring::{Entry, Next, Thread, is_alive, keep_no_events, thread};

/// The header to count in: the mapped one, or [`UNFILED`].
static HEADER: AtomicPtr<Header> = AtomicPtr::new((&raw const UNFILED).cast_mut());
/// The mapped file with its body; null while there is no body.
static WHOLE: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
/// Counters of a process without a file. Zeros, which take no room in the library: nobody reads their names, nor a phase.
// SAFETY: a header is numbers, arrays of them and atomics; zero is a value of each.
static UNFILED: Header = unsafe { std::mem::zeroed() };
/// The folder, kept for the children of `fork`.
static FOLDER: OnceLock<&'static CStr> = OnceLock::new();

/// The header to count in.
#[inline]
pub fn header() -> &'static Header {
    // SAFETY: never null. A mapped header stays mapped until `replace_in_child`, when the process has one thread, and is
    // only changed through its atomics.
    unsafe { &*HEADER.load(Ordering::Acquire) }
}

/// Start of the mapped file, if it has a body.
#[inline]
fn whole() -> Option<*mut u8> {
    let mapped = WHOLE.load(Ordering::Acquire);
    (!mapped.is_null()).then_some(mapped)
}

#[inline]
fn cell(counter: Counter) -> &'static AtomicU64 {
    &header().counters[counter as usize].value
}

/// Adds to a counter from any thread.
pub fn count(counter: Counter, by: u64) {
    cell(counter).fetch_add(by, Ordering::Relaxed);
}

/// There are many locks, whose holders count at the same time.
static SHARED: AtomicBool = AtomicBool::new(false);

/// From now on, what is counted under a lock is counted under others too. Called before the first hook is installed.
pub fn share_counters() {
    SHARED.store(true, Ordering::Relaxed);
}

/// Adds 1 to a counter that is only ever changed under a lock: where there is one lock, no locked instruction is needed.
#[inline]
pub fn count_locked(counter: Counter) {
    if SHARED.load(Ordering::Relaxed) {
        return count(counter, 1);
    }
    let cell = cell(counter);
    cell.store(
        cell.load(Ordering::Relaxed).wrapping_add(1),
        Ordering::Relaxed,
    );
}

/// Makes a counter at least so great, from any thread.
pub fn raise(counter: Counter, to: u64) {
    cell(counter).fetch_max(to, Ordering::Relaxed);
}

/// Takes 1 from a counter, from any thread.
pub fn discount(counter: Counter) {
    let lower = |it: u64| it.checked_sub(1);
    // Not below 0: what was counted before a `fork` is the parent's.
    let (Ok(_) | Err(_)) = cell(counter).fetch_update(Ordering::Relaxed, Ordering::Relaxed, lower);
}

/// Takes 1 from a counter to which another thread adds it, perhaps only afterwards: in between it may be below 0, which its reader
/// takes for 0.
pub fn discount_ahead(counter: Counter) {
    cell(counter).fetch_sub(1, Ordering::Relaxed);
}

/// Takes 1 from a counter that is only ever changed under a lock.
pub fn discount_locked(counter: Counter) {
    let cell = cell(counter);
    if SHARED.load(Ordering::Relaxed) {
        cell.fetch_sub(1, Ordering::Relaxed);
        return;
    }
    cell.store(
        cell.load(Ordering::Relaxed).saturating_sub(1),
        Ordering::Relaxed,
    );
}

/// The value of a counter, with what the threads' rings have counted.
pub fn counted(counter: Counter) -> u64 {
    let value = cell(counter).load(Ordering::Relaxed);
    match counter {
        Counter::MethodCalls => value.wrapping_add(ring::totals().0),
        Counter::LockAcquisitions => value.wrapping_add(ring::totals().1),
        _ => value,
    }
}

/// Notes something that could not be done.
pub fn note_degraded(bit: u32) {
    header().degraded.fetch_or(bit, Ordering::Relaxed);
}

/// Sets bits of [`layout::flag`].
pub fn set_flag(bit: u32) {
    header().flags.fetch_or(bit, Ordering::Relaxed);
}

/// Reads both clocks again, so that the reader can relate ticks to time.
pub fn note_clocks() {
    let pair = &header().clock_last;
    pair.ticks.store(clock::stamp(), Ordering::Relaxed);
    pair.epoch_ns.store(os::epoch_ns(), Ordering::Relaxed);
}

/// Makes the ledger of a process into which the library was just loaded.
///
/// The executable's path stands there byte for byte, as others have to find the file by it; all other text is printable.
///
/// # Errors
/// Why the file could not be made.
pub fn open(folder: &'static CStr, policy: &str, flags: u32) -> Result<(), Failure> {
    let mut header = Header::new();
    stamp(&mut header);
    header.parent = os::parent_pid();
    header.start_ns = os::process_start_ns();
    header.flags = AtomicU32::new(flags);
    header.build_id = layout::padded(
        concat!(env!("CARGO_PKG_VERSION"), "+", env!("AGX_FIX_BUILD_HASH")).as_bytes(),
    );
    let fits = policy.floor_char_boundary(layout::POLICY_LEN);
    header.policy = layout::padded(&policy.as_bytes()[..fits]);
    let (len, truncated) = os::executable(&mut header.path);
    header.path_len = u32::try_from(len).unwrap_or(0); // at most PATH_CAPACITY
    if truncated {
        *header.flags.get_mut() |= layout::flag::PATH_TRUNCATED;
    }
    let mapped = file::create(folder, &header)?;
    FOLDER.get_or_init(|| folder);
    HEADER.store(mapped.as_ptr(), Ordering::Release);
    Ok(())
}

/// The parts of a header that belong to this process and this moment.
fn stamp(header: &mut Header) {
    let now = os::epoch_ns();
    let ticks = clock::stamp();
    header.clock_kind = clock::KIND;
    header.clock_resolution_ns = clock::resolution_ns();
    header.platform = os::PLATFORM;
    header.architecture = arch::ARCHITECTURE;
    header.pid = os::pid();
    header.load_ns = now;
    header.clock_first = layout::ClockPair::new(ticks, now);
    header.clock_last = layout::ClockPair::new(ticks, now);
}

/// Appends the body: there is something to hook.
///
/// # Errors
/// Why it could not be; the header then says so too, and the library goes on without events.
pub fn arm() -> Result<(), Failure> {
    ring::prepare();
    let header = header();
    if header.phase.load(Ordering::Relaxed) == phase::LOADED {
        header.phase.store(phase::ARMED, Ordering::Relaxed);
    }
    note_clocks();
    let Some(folder) = FOLDER.get() else {
        return Ok(());
    };
    if whole().is_some() {
        return Ok(());
    }
    append_body(folder, header, None)
}

fn append_body(
    folder: &'static CStr,
    header: &'static Header,
    from: Option<*const u8>,
) -> Result<(), Failure> {
    match file::append_body(folder, header, from) {
        Ok(mapped) => {
            file::publish_body(header);
            WHOLE.store(mapped.as_ptr(), Ordering::Release);
            Ok(())
        }
        Err(failure) => {
            let bit = if failure.cause.stage == Stage::Map {
                degraded::NO_BODY_MAPPING
            } else {
                degraded::NO_BODY_ROOM
            };
            header.degraded.fetch_or(bit, Ordering::Relaxed);
            Err(failure)
        }
    }
}

/// Notes that the process leaves by itself. Async-signal-safe.
///
/// A child of `vfork` runs in its parent's memory: it leaves without a word, the ledger being the parent's.
pub fn close(route: u32, status: i32) {
    let header = header();
    if header.pid != os::pid() || header.phase.load(Ordering::Relaxed) == phase::EXITED {
        return;
    }
    note_clocks();
    header.exited_ns.store(os::epoch_ns(), Ordering::Relaxed);
    header.exit_route.store(route, Ordering::Relaxed);
    if route == exit_route::IMMEDIATE {
        header
            .exit_status
            .store(status.cast_unsigned(), Ordering::Relaxed);
    }
    header.phase.store(phase::EXITED, Ordering::Release);
}

/// In the child of a `fork`: a ledger of its own in place of the parent's, which is never written here.
/// Async-signal-safe: no allocation, no lock.
pub fn replace_in_child() {
    let unfiled = (&raw const UNFILED).cast_mut();
    let parent = HEADER.swap(unfiled, Ordering::Relaxed);
    let parent_whole = WHOLE.swap(ptr::null_mut(), Ordering::Relaxed);
    ring::forget();
    if parent == unfiled {
        return;
    }
    if let Some(folder) = FOLDER.get() {
        // SAFETY: the parent's mapping was copied with the address space and is unmapped further down.
        let old = unsafe { &*parent };
        let mut new = Header::new();
        stamp(&mut new);
        new.parent = os::parent_pid();
        new.forked_from = old.pid;
        new.start_ns = new.load_ns;
        new.build_id = old.build_id;
        new.policy = old.policy;
        new.path = old.path;
        new.path_len = old.path_len;
        *new.flags.get_mut() = old.flags.load(Ordering::Relaxed) & !layout::flag::CENSUS_TAKEN;
        *new.phase.get_mut() = old.phase.load(Ordering::Relaxed).min(phase::ARMED);
        for counter in [
            Counter::HooksInstalled,
            Counter::HooksUnhooked,
            Counter::ClassesSeen,
            Counter::ClassesHooked,
        ] {
            *new.counters[counter as usize].value.get_mut() =
                old.counters[counter as usize].value.load(Ordering::Relaxed);
        }
        if let Ok(mapped) = file::create(folder, &new) {
            HEADER.store(mapped.as_ptr(), Ordering::Release);
            if !parent_whole.is_null() {
                let header = header();
                let census = old.census_at.used.load(Ordering::Relaxed);
                let strings = old.strings_at.used.load(Ordering::Relaxed);
                // A failure is noted in the header; there is no safe way to print here.
                if append_body(folder, header, Some(parent_whole)).is_ok() {
                    header.strings_at.used.store(strings, Ordering::Relaxed);
                    header.census_at.used.store(census, Ordering::Relaxed);
                    census::forget_calls();
                }
            }
        }
    }
    file::unmap(parent.cast(), layout::HEADER_LEN);
    file::unmap(parent_whole, BODY.file_len);
}
