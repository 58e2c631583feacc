//! The census: which methods are hooked, and why the others are not.

use std::sync::atomic::Ordering;

use agx_ledger::Reason;
use agx_ledger::layout::{BODY, CENSUS_CAPACITY, CensusRecord, STRINGS_CAPACITY, degraded, state};

use super::{header, note_degraded, whole};
use crate::say::{self, Printable};

/// What was decided about one method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Hooked, with its slot.
    Hooked(u32),
    /// None of ours.
    LeftAlone(Reason),
    /// It should be hooked.
    Unhooked(Reason),
}

/// Adds an entry; its number, or `None` where there is no ledger or no room.
///
/// Called by one thread at a time: the one that installs hooks.
pub fn add_to_census(
    class: &[u8],
    selector: &[u8],
    encoding: &[u8],
    finding: Finding,
) -> Option<u32> {
    let start = whole()?;
    let used = header().census_at.used.load(Ordering::Relaxed);
    if used as usize >= CENSUS_CAPACITY {
        note_degraded(degraded::CENSUS_FULL);
        return None;
    }
    let class = add_string(start, class, LONGEST_NAME)?;
    let selector = add_string(start, selector, LONGEST_NAME)?;
    let encoding = add_string(start, encoding, LONGEST_ENCODING).unwrap_or([0; 2]);
    let record = record(start, used);
    for (field, value) in [
        (&record.class, class),
        (&record.selector, selector),
        (&record.encoding, encoding),
    ] {
        field[0].store(value[0], Ordering::Relaxed);
        field[1].store(value[1], Ordering::Relaxed);
    }
    let (state, reason, slot) = match finding {
        Finding::Hooked(slot) => (state::HOOKED, 0, slot),
        Finding::LeftAlone(reason) => (state::LEFT_ALONE, reason.number(), 0),
        Finding::Unhooked(reason) => (state::UNHOOKED, reason.number(), 0),
    };
    record.reason.store(reason, Ordering::Relaxed);
    record.slot.store(slot, Ordering::Relaxed);
    record.state.store(state, Ordering::Release);
    header().census_at.used.store(used + 1, Ordering::Release);
    Some(used)
}

/// What a call of a method showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tallied {
    /// It came in.
    Call,
    /// It is over.
    Left,
    /// An exception left it; [`Self::Left`] follows.
    Threw,
    /// It is the first of its encoder by a second thread.
    Shared,
    /// Another thread was in a call on the same encoder, or on its way in.
    Overlap,
    /// It is the first that was seen of its encoder.
    FirstSeen,
    /// With it, the encoder has so many threads.
    Threads(u32),
}

/// Adds a call to what the method with this entry has seen.
pub fn tally(entry: u32, what: Tallied) {
    let Some(start) = whole().filter(|_| (entry as usize) < CENSUS_CAPACITY) else {
        return;
    };
    let record = record(start, entry);
    let calls = match what {
        Tallied::Call => &record.calls,
        Tallied::Left => &record.left,
        Tallied::Threw => &record.threw,
        _ => return tally_encoder(record, what),
    };
    calls.fetch_add(1, Ordering::Relaxed);
}

fn tally_encoder(record: &CensusRecord, what: Tallied) {
    let encoders = match what {
        Tallied::Shared => &record.shared,
        Tallied::Overlap => &record.overlapped,
        Tallied::FirstSeen => &record.first_seen,
        Tallied::Threads(now) => {
            record.threads_most.fetch_max(now, Ordering::Relaxed);
            return;
        }
        Tallied::Call | Tallied::Left | Tallied::Threw => return,
    };
    encoders.fetch_add(1, Ordering::Relaxed);
}

/// In the child of a `fork`, whose census is a copy of the parent's: what the parent's calls amounted to is not its own.
/// Async-signal-safe.
pub(super) fn forget_calls() {
    let Some(start) = whole() else { return };
    let used = header().census_at.used.load(Ordering::Relaxed) as usize;
    for index in 0..used.min(CENSUS_CAPACITY) {
        let record = record(start, index as u32); // below `CENSUS_CAPACITY`
        for count in [&record.skipped, &record.calls, &record.left, &record.threw] {
            count.store(0, Ordering::Relaxed);
        }
        for count in [
            &record.shared,
            &record.overlapped,
            &record.first_seen,
            &record.threads_most,
        ] {
            count.store(0, Ordering::Relaxed);
        }
    }
}

/// Notes bits of [`census_flag`](agx_ledger::layout::census_flag) for a method, and the file that has its code now; empty
/// where that is not known. Called by one thread at a time, as [`add_to_census`].
pub fn note_image(entry: u32, flags: u32, image: &[u8]) {
    let Some(start) = whole().filter(|_| (entry as usize) < CENSUS_CAPACITY) else {
        return;
    };
    let record = record(start, entry);
    if let Some([at, len]) = add_string(start, image, LONGEST_NAME) {
        record.image[0].store(at, Ordering::Relaxed);
        record.image[1].store(len, Ordering::Relaxed);
    }
    record.flags.fetch_or(flags, Ordering::Release);
}

/// Counts a call of the method with this entry that was not made.
pub fn count_skip(entry: u32) {
    if let Some(start) = whole()
        && (entry as usize) < CENSUS_CAPACITY
    {
        record(start, entry).skipped.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) fn record(start: *mut u8, index: u32) -> &'static CensusRecord {
    // SAFETY: the body holds `CENSUS_CAPACITY` records, which callers stay within; records are changed through atomics
    // only, and the mapping outlives every use (it goes away in a child of `fork` after being withdrawn).
    unsafe {
        &*start
            .add(BODY.census)
            .cast::<CensusRecord>()
            .add(index as usize)
    }
}

/// Longest name of a class or selector that is kept whole, in bytes. Selectors of the class dumps have up to 314.
const LONGEST_NAME: usize = 512;
/// Longest type encoding that is kept whole, in bytes. Those of the class dumps have up to 632.
const LONGEST_ENCODING: usize = 2_048;

/// Copies a string, made printable and cut behind so many bytes; its offset and length.
///
/// The runtime takes any name for a class, and one that is long would leave no room for the others.
fn add_string(start: *mut u8, text: &[u8], most: usize) -> Option<[u32; 2]> {
    if text.len() <= most && say::is_plain(text) {
        return add_plain(start, text);
    }
    let text = &String::from_utf8_lossy(text);
    add_plain(start, Printable { text, most }.to_string().as_bytes())
}

fn add_plain(start: *mut u8, text: &[u8]) -> Option<[u32; 2]> {
    let section = &header().strings_at;
    let used = section.used.load(Ordering::Relaxed);
    let at = used as usize;
    if text.len() > STRINGS_CAPACITY - at.min(STRINGS_CAPACITY) {
        note_degraded(degraded::CENSUS_FULL);
        return None;
    }
    // SAFETY: the room was checked; nobody reads these bytes before `used` is moved.
    unsafe {
        start
            .add(BODY.strings + at)
            .copy_from_nonoverlapping(text.as_ptr(), text.len());
    }
    let len = u32::try_from(text.len()).ok()?; // at most `STRINGS_CAPACITY`
    section.used.store(used + len, Ordering::Release);
    Some([used, len])
}
