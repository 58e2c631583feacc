//! The layout of the file, as the types that the library maps.
//!
//! The reader takes its offsets from these types with `offset_of!`, so that the two sides cannot disagree. Fields that
//! change while the file is mapped are atomics; the rest is written once, before the mapping. No type has padding.

mod counter;
mod numbers;

use std::sync::atomic::{AtomicU32, AtomicU64};

pub use counter::Counter;
pub use numbers::{
    architecture, census_flag, clock_kind, degraded, event_phase, exit_route, flag, phase,
    platform, state,
};

/// First eight bytes of every ledger.
pub const MAGIC: [u8; 8] = *b"AGXLEDGR";
/// Version of this layout. It changes when a reader of the old one would misread; fields added at an end do not.
pub const VERSION: u32 = 1;
/// Length of the header in bytes.
pub const HEADER_LEN: usize = 4096;
/// Ending of a ledger's file name, without the dot.
pub const EXTENSION: &str = "ledger";

/// Room for the name of a counter, in bytes, padded with NUL.
pub const COUNTER_NAME_LEN: usize = 32;
/// Room for counters in the header.
pub const COUNTER_CAPACITY: usize = 64;
/// Room for the executable's path, in bytes. A longer path is cut and [`flag::PATH_TRUNCATED`] is set.
pub const PATH_CAPACITY: usize = 1024;
/// Room for the build id, in bytes, padded with NUL.
pub const BUILD_ID_LEN: usize = 64;
/// Room for the policy's name, in bytes, padded with NUL.
pub const POLICY_LEN: usize = 16;

/// Entries in the census that the library of this version makes.
pub const CENSUS_CAPACITY: usize = 2048;
/// Bytes for the strings of the census.
pub const STRINGS_CAPACITY: usize = 256 * 1024;
/// Rings, one for each thread that calls a hooked method.
pub const RING_CAPACITY: usize = 128;
/// Events in one ring; a power of two.
pub const RING_EVENTS: usize = 64;

/// A thread's clock is read for each event whose number is a multiple of this.
pub const STAMP_EVERY: u64 = 16;

/// Where an array of records stands in the file.
#[repr(C)]
#[derive(Debug)]
pub struct Section {
    /// Bytes from the start of the file; 0 while the section does not exist.
    pub offset: AtomicU64,
    /// Bytes from one record to the next.
    pub stride: AtomicU32,
    /// Records for which there is room.
    pub capacity: AtomicU32,
    /// Records in use, published after their contents.
    pub used: AtomicU32,
    /// Zero.
    pub reserved: AtomicU32,
}

/// One counter.
#[repr(C)]
#[derive(Debug)]
pub struct CounterCell {
    /// Name in ASCII, padded with NUL.
    pub name: [u8; COUNTER_NAME_LEN],
    /// Value.
    pub value: AtomicU64,
}

/// One reading of the two clocks at the same moment.
#[repr(C)]
#[derive(Debug)]
pub struct ClockPair {
    /// The clock that stamps events: see [`clock_kind`].
    pub ticks: AtomicU64,
    /// Nanoseconds since 1970-01-01 UTC.
    pub epoch_ns: AtomicU64,
}

/// The first 4096 bytes.
#[repr(C)]
#[derive(Debug)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// [`VERSION`].
    pub version: u32,
    /// [`HEADER_LEN`].
    pub header_len: u32,
    /// One of [`platform`].
    pub platform: u32,
    /// One of [`architecture`].
    pub architecture: u32,
    /// The process.
    pub pid: u32,
    /// Its parent when the library was loaded.
    pub parent: u32,
    /// The process that was copied by `fork` into this one; 0 if the library was loaded afresh.
    pub forked_from: u32,
    /// One of [`phase`].
    pub phase: AtomicU32,
    /// Bits of [`degraded`].
    pub degraded: AtomicU32,
    /// Bits of [`flag`].
    pub flags: AtomicU32,
    /// Start of the process, nanoseconds since the epoch; 0 where the system does not tell.
    pub start_ns: u64,
    /// Load of the library (or the `fork`), nanoseconds since the epoch.
    pub load_ns: u64,
    /// End, nanoseconds since the epoch; 0 until then.
    pub exited_ns: AtomicU64,
    /// One of [`exit_route`]; 0 until the end.
    pub exit_route: AtomicU32,
    /// Status handed to `_exit`; only with [`exit_route::IMMEDIATE`].
    pub exit_status: AtomicU32,
    /// The clocks when the library was loaded.
    pub clock_first: ClockPair,
    /// The clocks at some later moment: at arming, at a commit, at the end.
    pub clock_last: ClockPair,
    /// [`CounterCell`]s.
    pub counters_at: Section,
    /// [`CensusRecord`]s.
    pub census_at: Section,
    /// Bytes (stride 1) that census records refer to.
    pub strings_at: Section,
    /// Rings: a [`RingHeader`] followed by its [`EventRecord`]s.
    pub rings_at: Section,
    /// Bytes of a [`RingHeader`].
    pub ring_header_len: u32,
    /// Bytes of an [`EventRecord`].
    pub event_stride: u32,
    /// Events in one ring.
    pub ring_events: u32,
    /// Bytes of [`Header::path`] in use.
    pub path_len: u32,
    /// Version and build of the library, padded with NUL.
    pub build_id: [u8; BUILD_ID_LEN],
    /// Name of the policy, padded with NUL.
    pub policy: [u8; POLICY_LEN],
    /// Path of the executable, as the system gives it: bytes, not text.
    pub path: [u8; PATH_CAPACITY],
    /// The counters. The reader finds them through [`Header::counters_at`].
    pub counters: [CounterCell; COUNTER_CAPACITY],
    /// One of [`clock_kind`].
    pub clock_kind: u32,
    /// Nanoseconds between two steps of the clock; 0 for finer than a microsecond, or unknown.
    pub clock_resolution_ns: u32,
    /// Zero.
    pub reserved: [u8; RESERVED],
}

const RESERVED: usize = 200;
const _: () = assert!(size_of::<Header>() == HEADER_LEN);
const _: () = assert!(RING_EVENTS.is_power_of_two());

/// One method, hooked or not.
#[repr(C)]
#[derive(Debug)]
pub struct CensusRecord {
    /// Offset and length of the class's name in the strings.
    pub class: [AtomicU32; 2],
    /// Offset and length of the selector in the strings.
    pub selector: [AtomicU32; 2],
    /// Offset and length of the type encoding in the strings; length 0 where it did not fit.
    pub encoding: [AtomicU32; 2],
    /// One of [`state`], stored last.
    pub state: AtomicU32,
    /// [`Reason`](crate::Reason) as a number; 0 where hooked.
    pub reason: AtomicU32,
    /// Number of the hook, by which events name the method.
    pub slot: AtomicU32,
    /// Bits of [`census_flag`].
    pub flags: AtomicU32,
    /// Calls of this method that were not made.
    pub skipped: AtomicU64,
    /// Calls that came in. This and what follows is zero unless [`flag::CENSUS_ASKED`] is set, and missing in the files of
    /// earlier libraries.
    pub calls: AtomicU64,
    /// Of those, the ones that are over, however they ended.
    pub left: AtomicU64,
    /// Of these, the ones that an exception left.
    pub threw: AtomicU64,
    /// Encoders that became shared by a call of this method: the first by a second thread.
    pub shared: AtomicU32,
    /// Calls that came while another thread was in a hooked call on the same encoder, or waited to get in.
    pub overlapped: AtomicU32,
    /// Encoders of which nothing was seen before a call of this method.
    pub first_seen: AtomicU32,
    /// The most threads of an encoder that became known by a call of this method.
    pub threads_most: AtomicU32,
    /// Offset and length in the strings: the file that has the code in place of the hook, or of a method that was never
    /// hooked; length 0 where that is not known.
    pub image: [AtomicU32; 2],
}

/// Bytes of a census record in the files of the first libraries: up to [`CensusRecord::skipped`].
pub const FIRST_CENSUS_RECORD_LEN: usize = std::mem::offset_of!(CensusRecord, calls);

/// Head of one thread's ring. One thread writes it.
#[repr(C)]
#[derive(Debug)]
pub struct RingHeader {
    /// The system's id of the thread; 0 while the ring is free and was never used.
    pub thread: AtomicU64,
    /// Calls of hooked methods without an event, of every thread that ever had the ring. In files of earlier libraries, which
    /// have no [`Self::acquisitions`]: all calls.
    pub calls: AtomicU64,
    /// Events ever written, each a call. Event number `n` stands at `n % ring_events`.
    pub head: AtomicU64,
    /// Hooked calls that are open on the thread now.
    pub depth: AtomicU32,
    /// 1 while a living thread owns the ring.
    pub owned: AtomicU32,
    /// Outermost acquisitions of a lock, of every thread that ever had the ring.
    pub acquisitions: AtomicU64,
    /// The clock as the thread read it last.
    pub ticks: AtomicU64,
    /// Number of the lock that the thread took first and has, plus 1; 0 for none. A file without events has none.
    pub holds: AtomicU32,
    /// Number of the lock for which the thread waits, plus 1; 0 for none.
    pub waits: AtomicU32,
}

/// Bytes of a ring's head in the files of the first libraries: up to [`RingHeader::owned`].
pub const FIRST_RING_HEADER_LEN: usize = std::mem::offset_of!(RingHeader, acquisitions);
/// Value of [`RingHeader::holds`] and [`RingHeader::waits`] for something that is no lock: an encoder's end, or room for a
/// command buffer in flight.
pub const NO_LOCK: u32 = 0x100;

/// One event.
#[repr(C)]
#[derive(Debug)]
pub struct EventRecord {
    /// Number of the event in its ring, plus 1: a slot that was never written holds 0.
    pub number: AtomicU64,
    /// When the call entered, in ticks. Calls that make, end or commit something read the clock, and so does every
    /// [`STAMP_EVERY`]th event; work in between has the stamp of the reading before, and its order from its number.
    pub ticks: AtomicU64,
    /// Address of the receiver.
    pub object: AtomicU64,
    /// Number of the hook.
    pub slot: AtomicU32,
    /// One of [`event_phase`].
    pub phase: AtomicU32,
}

/// Bytes from one ring, with its events, to the next: each thread writes to its own with every call, so that no cache line
/// (128 bytes on Apple's arm64, 64 on x86-64) may hold something of two.
pub const RING_STRIDE: usize = (size_of::<RingHeader>() + RING_EVENTS * size_of::<EventRecord>())
    .next_multiple_of(RING_ALIGNMENT);
const RING_ALIGNMENT: usize = 128;

const _: () = assert!(Counter::ALL.len() <= COUNTER_CAPACITY);

impl Section {
    /// A section that does not exist yet.
    pub const fn absent() -> Self {
        Self::new(0, 0, 0, 0)
    }

    /// A section of `capacity` records of `stride` bytes from `offset`, `used` of them in use.
    pub const fn new(offset: u64, stride: u32, capacity: u32, used: u32) -> Self {
        Self {
            offset: AtomicU64::new(offset),
            stride: AtomicU32::new(stride),
            capacity: AtomicU32::new(capacity),
            used: AtomicU32::new(used),
            reserved: AtomicU32::new(0),
        }
    }
}

impl ClockPair {
    /// A reading of both clocks.
    pub const fn new(ticks: u64, epoch_ns: u64) -> Self {
        Self {
            ticks: AtomicU64::new(ticks),
            epoch_ns: AtomicU64::new(epoch_ns),
        }
    }
}

/// `N` bytes that start with `text`, cut if need be, and end in NUL.
pub const fn padded<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    let mut at = 0;
    while at < text.len() && at < N {
        out[at] = text[at];
        at += 1;
    }
    out
}

impl Header {
    /// A header in the phase *loaded*, with every counter named and at 0, no process, and no body.
    #[allow(clippy::cast_possible_truncation, clippy::large_stack_frames)] // constants of a few thousand at most
    pub const fn new() -> Self {
        let mut counters = [const {
            CounterCell {
                name: [0; COUNTER_NAME_LEN],
                value: AtomicU64::new(0),
            }
        }; COUNTER_CAPACITY];
        let mut at = 0;
        while at < Counter::ALL.len() {
            counters[at].name = padded(Counter::ALL[at].name().as_bytes());
            at += 1;
        }
        Self {
            magic: MAGIC,
            version: VERSION,
            header_len: HEADER_LEN as u32,
            platform: 0,
            architecture: 0,
            pid: 0,
            parent: 0,
            forked_from: 0,
            phase: AtomicU32::new(phase::LOADED),
            degraded: AtomicU32::new(0),
            flags: AtomicU32::new(0),
            start_ns: 0,
            load_ns: 0,
            exited_ns: AtomicU64::new(0),
            exit_route: AtomicU32::new(0),
            exit_status: AtomicU32::new(0),
            clock_first: ClockPair::new(0, 0),
            clock_last: ClockPair::new(0, 0),
            counters_at: Section::new(
                std::mem::offset_of!(Header, counters) as u64,
                size_of::<CounterCell>() as u32,
                COUNTER_CAPACITY as u32,
                Counter::ALL.len() as u32,
            ),
            census_at: Section::absent(),
            strings_at: Section::absent(),
            rings_at: Section::absent(),
            ring_header_len: size_of::<RingHeader>() as u32,
            event_stride: size_of::<EventRecord>() as u32,
            ring_events: RING_EVENTS as u32,
            path_len: 0,
            build_id: [0; BUILD_ID_LEN],
            policy: [0; POLICY_LEN],
            path: [0; PATH_CAPACITY],
            counters,
            clock_kind: clock_kind::TICKS,
            clock_resolution_ns: 0,
            reserved: [0; RESERVED],
        }
    }
}

impl Default for Header {
    fn default() -> Self {
        Self::new()
    }
}

/// Offsets of the body's parts, in bytes from the start of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Body {
    /// First census record.
    pub census: usize,
    /// First byte of the strings.
    pub strings: usize,
    /// First ring.
    pub rings: usize,
    /// Length of the whole file.
    pub file_len: usize,
}

/// The body that the library of this version appends. The length is a multiple of the header's.
pub const BODY: Body = {
    let census = HEADER_LEN;
    let strings = census + CENSUS_CAPACITY * size_of::<CensusRecord>();
    let rings = (strings + STRINGS_CAPACITY).next_multiple_of(RING_ALIGNMENT);
    let end = rings + RING_CAPACITY * RING_STRIDE;
    Body {
        census,
        strings,
        rings,
        file_len: end.next_multiple_of(HEADER_LEN),
    }
};
