//! Files of the first libraries, whose rings have a shorter head: the reader must take them for what they are.
//!
//! The bytes of the rings are laid out here by number, not by the types of today, so that a change of those is seen.

use agx_ledger::builder::Builder;
use agx_ledger::layout::{self, Header, Section, event_phase, state};
use agx_ledger::{Counter, Damage, Ledger};
use std::mem::offset_of;

const LOAD_NS: u64 = 1_700_000_000_000_000_000;
/// Then: thread, calls and head in eight bytes each, depth and owned in four.
const RING_HEAD: usize = 32;
/// Then as now: number, ticks and object in eight bytes each, slot and phase in four.
const EVENT: usize = 32;
const EVENTS: usize = 64;
const STRIDE: usize = RING_HEAD + EVENTS * EVENT;

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn put_section(bytes: &mut [u8], stride: usize, used: u32) {
    let at = offset_of!(Header, rings_at);
    let stride = u32::try_from(stride).expect("small");
    put(
        bytes,
        at + offset_of!(Section, stride),
        &stride.to_le_bytes(),
    );
    put(bytes, at + offset_of!(Section, used), &used.to_le_bytes());
}

/// An armed process with one thread: 1,000 calls in all, of which the last 70 have events; the last one is not over.
fn of_a_first_library() -> Vec<u8> {
    let mut bytes = Builder::new(42, 41, LOAD_NS)
        .clocks((0, LOAD_NS), (1_000, LOAD_NS + 1_000))
        .armed()
        .counter(Counter::MethodCalls, 5)
        .counter(Counter::LockAcquisitions, 900)
        .method(
            "AGXG16XFamilyComputeContext",
            "endEncoding",
            state::HOOKED,
            0,
        )
        .build();
    put(
        &mut bytes,
        offset_of!(Header, ring_header_len),
        &32_u32.to_le_bytes(),
    );
    put_section(&mut bytes, STRIDE, 1);
    let ring = layout::BODY.rings;
    for (at, value) in [(0, 1_234_u64), (8, 1_000), (16, 70)] {
        put(&mut bytes, ring + at, &value.to_le_bytes());
    }
    put(&mut bytes, ring + 24, &1_u32.to_le_bytes());
    put(&mut bytes, ring + 28, &1_u32.to_le_bytes());
    for number in 0..70_u64 {
        let index = usize::try_from(number).expect("small") % EVENTS;
        let event = ring + RING_HEAD + index * EVENT;
        let phase = if number == 69 {
            event_phase::ENTERED
        } else {
            event_phase::RETURNED
        };
        put(&mut bytes, event, &(number + 1).to_le_bytes());
        put(&mut bytes, event + 8, &(number * 10).to_le_bytes());
        put(&mut bytes, event + 16, &(0x1000 + number).to_le_bytes());
        put(&mut bytes, event + 24, &0_u32.to_le_bytes());
        put(&mut bytes, event + 28, &phase.to_le_bytes());
    }
    bytes
}

#[test]
fn the_calls_are_the_ring_s_number_of_calls() {
    let ledger = Ledger::parse(&of_a_first_library()).expect("the layout has the same version");
    assert!(ledger.damage.is_empty(), "{:?}", ledger.damage);
    let [ring] = &ledger.rings[..] else {
        panic!("{:?}", ledger.rings)
    };
    assert_eq!(
        (ring.thread, ring.calls, ring.depth, ring.owned),
        (1_234, 1_000, 1, true),
        "calls with an event are among the calls"
    );
    assert_eq!(ledger.counter("method_calls"), Some(1_000 + 5));
}

#[test]
fn what_stands_behind_the_shorter_head_is_no_lock() {
    let ledger = Ledger::parse(&of_a_first_library()).expect("a ledger");
    let ring = &ledger.rings[0];
    // Today's fields lie where the first event was.
    assert_eq!((ring.acquisitions, ring.holds, ring.waits), (0, None, None));
    assert_eq!(ledger.counter("lock_acquisitions"), Some(900));
}

#[test]
fn the_events_are_read_in_order_and_the_open_call_is_named() {
    let ledger = Ledger::parse(&of_a_first_library()).expect("a ledger");
    let events = &ledger.rings[0].events;
    let objects: Vec<_> = events.iter().map(|it| it.object).collect();
    assert_eq!(objects, (0x1000 + 6..0x1000 + 70).collect::<Vec<_>>());
    assert_eq!(events[0].time_ns, Some(LOAD_NS + 60));
    let lines: Vec<_> = ledger.in_flight().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        ["thread 1234 was inside -[AGXG16XFamilyComputeContext endEncoding] on 0x1045"]
    );
}

#[test]
fn a_head_that_is_shorter_still_is_damage() {
    let mut bytes = of_a_first_library();
    put(
        &mut bytes,
        offset_of!(Header, ring_header_len),
        &24_u32.to_le_bytes(),
    );
    let ledger = Ledger::parse(&bytes).expect("the header is whole");
    assert_eq!(ledger.damage, [Damage::Section("events")]);
    assert!(ledger.rings.is_empty());
}

/// Then: three strings of offset and length, state, reason, slot and flags in four bytes each, and skipped in eight.
const CENSUS_RECORD: usize = 48;

#[test]
fn the_census_of_a_first_library_has_no_tallies() {
    let whole = Builder::new(42, 41, LOAD_NS)
        .armed()
        .method(
            "AGXG16XFamilyComputeContext",
            "endEncoding",
            state::HOOKED,
            0,
        )
        .method(
            "AGXG16XFamilyComputeContext",
            "dealloc",
            state::LEFT_ALONE,
            2,
        )
        .build();
    let stride = size_of::<layout::CensusRecord>();
    let mut bytes = whole.clone();
    // Records that follow each other as they did then.
    for index in 0..2 {
        let from = layout::BODY.census + index * stride;
        let to = layout::BODY.census + index * CENSUS_RECORD;
        bytes.copy_within(from..from + CENSUS_RECORD, to);
    }
    // What was the rest of the first record must not be read as anything.
    let after = layout::BODY.census + 2 * CENSUS_RECORD;
    bytes[after..layout::BODY.census + 3 * stride].fill(0xff);
    let at = offset_of!(Header, census_at) + offset_of!(Section, stride);
    put(&mut bytes, at, &48_u32.to_le_bytes());
    let ledger = Ledger::parse(&bytes).expect("a ledger");
    assert_eq!(ledger.damage, []);
    assert_eq!(
        ledger.census,
        Ledger::parse(&whole).expect("a ledger").census
    );
}
