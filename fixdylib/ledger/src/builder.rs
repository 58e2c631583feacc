//! Ledgers made in memory, for the tests of those who read them.
//!
//! The library does not write its file through this: it is a second, independent writer of the same layout.

use std::mem::offset_of;

use crate::Tally;
use crate::layout::{self, CensusRecord, CounterCell, EventRecord, Header, RingHeader, Section};

/// A ledger under construction. Every method returns the builder, so that a test reads as a sentence.
#[derive(Clone, Debug)]
pub struct Builder {
    bytes: Vec<u8>,
    strings_used: usize,
    census_used: usize,
    rings_used: usize,
}

impl Builder {
    /// A loaded, not armed process on Linux.
    #[allow(clippy::cast_possible_truncation)] // layout constants
    pub fn new(pid: u32, parent: u32, load_ns: u64) -> Self {
        let mut it = Self {
            bytes: vec![0; layout::HEADER_LEN],
            strings_used: 0,
            census_used: 0,
            rings_used: 0,
        };
        it.put(0, &layout::MAGIC);
        it.put32(offset_of!(Header, version), layout::VERSION);
        it.put32(offset_of!(Header, header_len), layout::HEADER_LEN as u32);
        it.put32(offset_of!(Header, platform), layout::platform::LINUX);
        it.put32(
            offset_of!(Header, architecture),
            layout::architecture::X86_64,
        );
        it.put32(offset_of!(Header, pid), pid);
        it.put32(offset_of!(Header, parent), parent);
        it.put32(offset_of!(Header, phase), layout::phase::LOADED);
        it.put64(offset_of!(Header, load_ns), load_ns);
        it.put64(offset_of!(Header, start_ns), load_ns);
        it.put32(
            offset_of!(Header, ring_header_len),
            size_of::<RingHeader>() as u32,
        );
        it.put32(
            offset_of!(Header, event_stride),
            size_of::<EventRecord>() as u32,
        );
        it.put32(offset_of!(Header, ring_events), layout::RING_EVENTS as u32);
        it.put(offset_of!(Header, policy), b"v3");
        it.put(offset_of!(Header, build_id), b"test");
        it.section(
            offset_of!(Header, counters_at),
            offset_of!(Header, counters),
            size_of::<CounterCell>(),
            layout::COUNTER_CAPACITY,
        );
        for (index, counter) in layout::Counter::ALL.iter().enumerate() {
            it.put(
                offset_of!(Header, counters) + index * size_of::<CounterCell>(),
                counter.name().as_bytes(),
            );
        }
        it.put32(
            offset_of!(Header, counters_at) + offset_of!(Section, used),
            layout::Counter::ALL.len() as u32,
        );
        it.clocks((0, load_ns), (1, load_ns + 1))
    }

    /// The executable.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // at most `PATH_CAPACITY`
    pub fn executable(mut self, path: &[u8]) -> Self {
        let kept = &path[..path.len().min(layout::PATH_CAPACITY)];
        self.put(offset_of!(Header, path), kept);
        self.put32(offset_of!(Header, path_len), kept.len() as u32);
        self
    }

    /// The process was made by `fork`.
    #[must_use]
    pub fn forked_from(mut self, pid: u32) -> Self {
        self.put32(offset_of!(Header, forked_from), pid);
        self
    }

    /// Bits of [`layout::flag`].
    #[must_use]
    pub fn flags(mut self, flags: u32) -> Self {
        self.put32(offset_of!(Header, flags), flags);
        self
    }

    /// Bits of [`layout::degraded`].
    #[must_use]
    pub fn degraded(mut self, bits: u32) -> Self {
        self.put32(offset_of!(Header, degraded), bits);
        self
    }

    /// Two readings of (ticks, nanoseconds since the epoch).
    #[must_use]
    pub fn clocks(mut self, first: (u64, u64), last: (u64, u64)) -> Self {
        for (at, pair) in [
            (offset_of!(Header, clock_first), first),
            (offset_of!(Header, clock_last), last),
        ] {
            self.put64(at, pair.0);
            self.put64(at + 8, pair.1);
        }
        self
    }

    /// Appends the body.
    #[must_use]
    pub fn armed(mut self) -> Self {
        let body = layout::BODY;
        self.bytes.resize(body.file_len, 0);
        self.put32(offset_of!(Header, phase), layout::phase::ARMED);
        self.section(
            offset_of!(Header, census_at),
            body.census,
            size_of::<CensusRecord>(),
            layout::CENSUS_CAPACITY,
        );
        self.section(
            offset_of!(Header, strings_at),
            body.strings,
            1,
            layout::STRINGS_CAPACITY,
        );
        self.section(
            offset_of!(Header, rings_at),
            body.rings,
            layout::RING_STRIDE,
            layout::RING_CAPACITY,
        );
        self
    }

    /// The process left by itself: one of [`layout::exit_route`].
    #[must_use]
    pub fn exited(mut self, at_ns: u64, route: u32, status: u32) -> Self {
        self.put32(offset_of!(Header, phase), layout::phase::EXITED);
        self.put64(offset_of!(Header, exited_ns), at_ns);
        self.put32(offset_of!(Header, exit_route), route);
        self.put32(offset_of!(Header, exit_status), status);
        self
    }

    /// Sets a counter.
    #[must_use]
    pub fn counter(mut self, counter: layout::Counter, value: u64) -> Self {
        let cell = offset_of!(Header, counters) + counter as usize * size_of::<CounterCell>();
        self.put64(cell + offset_of!(CounterCell, value), value);
        self
    }

    /// Adds a census entry to an armed ledger. Its slot is its position.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // positions within a file of less than a megabyte
    pub fn method(mut self, class: &str, selector: &str, state: u32, reason: u32) -> Self {
        let at = layout::BODY.census + self.census_used * size_of::<CensusRecord>();
        for (field, text) in [
            (offset_of!(CensusRecord, class), class),
            (offset_of!(CensusRecord, selector), selector),
        ] {
            self.put(layout::BODY.strings + self.strings_used, text.as_bytes());
            self.put32(at + field, self.strings_used as u32);
            self.put32(at + field + 4, text.len() as u32);
            self.strings_used += text.len();
        }
        self.put32(at + offset_of!(CensusRecord, state), state);
        self.put32(at + offset_of!(CensusRecord, reason), reason);
        self.put32(at + offset_of!(CensusRecord, slot), self.census_used as u32);
        self.census_used += 1;
        self.put32(
            offset_of!(Header, strings_at) + offset_of!(Section, used),
            self.strings_used as u32,
        );
        self.put32(
            offset_of!(Header, census_at) + offset_of!(Section, used),
            self.census_used as u32,
        );
        self
    }

    /// What the calls of the method that was added last amounted to.
    #[must_use]
    pub fn tally(mut self, tally: Tally) -> Self {
        let at = self.last_method();
        for (field, value) in [
            (offset_of!(CensusRecord, calls), tally.calls),
            (offset_of!(CensusRecord, left), tally.left),
            (offset_of!(CensusRecord, threw), tally.threw),
        ] {
            self.put64(at + field, value);
        }
        for (field, value) in [
            (offset_of!(CensusRecord, shared), tally.shared),
            (offset_of!(CensusRecord, overlapped), tally.overlapped),
            (offset_of!(CensusRecord, first_seen), tally.first_seen),
            (offset_of!(CensusRecord, threads_most), tally.threads_most),
        ] {
            self.put32(at + field, value);
        }
        self
    }

    /// Bits of [`layout::census_flag`] for the method that was added last, and the file that has its code.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // positions within a file of less than a megabyte
    pub fn found(mut self, flags: u32, image: &str) -> Self {
        let at = self.last_method();
        self.put32(at + offset_of!(CensusRecord, flags), flags);
        self.put(layout::BODY.strings + self.strings_used, image.as_bytes());
        self.put32(
            at + offset_of!(CensusRecord, image),
            self.strings_used as u32,
        );
        self.put32(at + offset_of!(CensusRecord, image) + 4, image.len() as u32);
        self.strings_used += image.len();
        self.put32(
            offset_of!(Header, strings_at) + offset_of!(Section, used),
            self.strings_used as u32,
        );
        self
    }

    /// Where the record of the method that was added last stands.
    fn last_method(&self) -> usize {
        let last = self.census_used.checked_sub(1);
        let last = last.expect("a method was added before");
        layout::BODY.census + last * size_of::<CensusRecord>()
    }

    /// Adds a thread with its events, each (ticks, slot, object, one of [`layout::event_phase`]).
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // at most `RING_CAPACITY`
    pub fn thread(mut self, thread: u64, events: &[(u64, u32, u64, u32)]) -> Self {
        let ring = layout::BODY.rings + self.rings_used * layout::RING_STRIDE;
        self.put64(ring + offset_of!(RingHeader, thread), thread);
        self.put64(ring + offset_of!(RingHeader, head), events.len() as u64);
        self.put32(ring + offset_of!(RingHeader, owned), 1);
        for (number, (ticks, slot, object, phase)) in events.iter().enumerate() {
            let index = number % layout::RING_EVENTS;
            let at = ring + size_of::<RingHeader>() + index * size_of::<EventRecord>();
            self.put64(at + offset_of!(EventRecord, number), number as u64 + 1);
            self.put64(at + offset_of!(EventRecord, ticks), *ticks);
            self.put64(at + offset_of!(EventRecord, object), *object);
            self.put32(at + offset_of!(EventRecord, slot), *slot);
            self.put32(at + offset_of!(EventRecord, phase), *phase);
        }
        self.rings_used += 1;
        self.put32(
            offset_of!(Header, rings_at) + offset_of!(Section, used),
            self.rings_used as u32,
        );
        self
    }

    /// The bytes of the file.
    pub fn build(self) -> Vec<u8> {
        self.bytes
    }

    #[allow(clippy::cast_possible_truncation)] // layout constants
    fn section(&mut self, at: usize, offset: usize, stride: usize, capacity: usize) {
        self.put64(at + offset_of!(Section, offset), offset as u64);
        self.put32(at + offset_of!(Section, stride), stride as u32);
        self.put32(at + offset_of!(Section, capacity), capacity as u32);
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn put32(&mut self, at: usize, value: u32) {
        self.put(at, &value.to_le_bytes());
    }

    fn put64(&mut self, at: usize, value: u64) {
        self.put(at, &value.to_le_bytes());
    }
}
