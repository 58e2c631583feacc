//! Ledgers as a reader meets them: whole, longer, cut, and damaged at any byte.

use agx_ledger::builder::Builder;
use agx_ledger::layout::{self, census_flag, event_phase, flag, state};
use agx_ledger::{
    Counter, Damage, EventPhase, ExitRoute, Ledger, ParseError, Phase, Reason, State, Tally,
};
use proptest::prelude::*;

const LOAD_NS: u64 = 1_700_000_000_000_000_000;

fn armed() -> Builder {
    Builder::new(42, 41, LOAD_NS)
        .executable(b"/opt/bin/python\xff3")
        .flags(flag::OBJC_SEEN | flag::METAL_SEEN)
        .clocks((1_000, LOAD_NS), (3_000, LOAD_NS + 1_000))
        .armed()
        .counter(Counter::NullImplSkips, 3)
        .counter(Counter::MethodCalls, 5)
        .method(
            "AGXG16XFamilyComputeContext",
            "setComputePipelineState:",
            state::HOOKED,
            0,
        )
        .method(
            "AGXG16XFamilyComputeContext",
            "dealloc",
            state::LEFT_ALONE,
            Reason::LifeCycle.number(),
        )
        .method(
            "AGXG16XFamilyComputeContext",
            "endEncoding",
            state::HOOKED,
            0,
        )
        .thread(
            1234,
            &[
                (2_000, 2, 0x10, event_phase::RETURNED),
                (2_500, 0, 0x600_000, event_phase::ENTERED),
            ],
        )
        .thread(1235, &[(2_600, 2, 0x600_000, event_phase::WAITING)])
}

#[test]
fn a_loaded_process_is_named() {
    let ledger = Ledger::parse(
        &Builder::new(7, 6, LOAD_NS)
            .executable(b"/bin/true")
            .forked_from(5)
            .build(),
    )
    .unwrap();
    assert_eq!(
        (ledger.pid, ledger.parent, ledger.forked_from),
        (7, 6, Some(5))
    );
    assert_eq!(
        (ledger.phase, ledger.armed, ledger.exited_ns),
        (Phase::Loaded, false, None)
    );
    assert_eq!(ledger.executable, b"/bin/true");
    assert_eq!(ledger.counters.len(), Counter::ALL.len());
    assert!(ledger.damage.is_empty());
}

#[test]
fn the_calls_in_flight_are_named() {
    let ledger = Ledger::parse(&armed().build()).unwrap();
    let lines: Vec<_> = ledger.in_flight().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "thread 1234 was inside -[AGXG16XFamilyComputeContext setComputePipelineState:] on 0x600000",
            "thread 1235 was waiting to enter -[AGXG16XFamilyComputeContext endEncoding] on 0x600000",
        ]
    );
    assert_eq!(ledger.in_flight()[0].since_ns, Some(LOAD_NS + 750));
}

#[test]
fn rings_add_to_the_calls() {
    let ledger = Ledger::parse(&armed().build()).unwrap();
    assert_eq!(ledger.counter("method_calls"), Some(5 + 3));
    assert_eq!(ledger.counter("null_impl_skips"), Some(3));
    assert_eq!(ledger.counter("no such counter"), None);
}

#[test]
fn the_census_tells_rules_from_failures() {
    let ledger = Ledger::parse(&armed().build()).unwrap();
    assert_eq!(ledger.in_state(State::Hooked).count(), 2);
    let left: Vec<_> = ledger
        .in_state(State::LeftAlone)
        .map(|entry| (entry.method(), entry.reason))
        .collect();
    assert_eq!(
        left,
        [(
            "-[AGXG16XFamilyComputeContext dealloc]".to_owned(),
            Some(Reason::LifeCycle)
        )]
    );
    assert_eq!(ledger.in_state(State::Unhooked).count(), 0);
}

#[test]
fn a_census_that_was_taken_tells_what_became_of_each_method() {
    let tally = Tally {
        calls: 10,
        left: 9,
        threw: 2,
        shared: 3,
        overlapped: 4,
        first_seen: 5,
        threads_most: 6,
    };
    let bytes = armed()
        .flags(flag::CENSUS_ASKED | flag::CENSUS_TAKEN)
        .tally(tally)
        .found(census_flag::REPLACED, "libother.so")
        .method(
            "AGXG16XFamilyComputeContext",
            "dispatchLater:",
            state::UNHOOKED,
            Reason::Late.number(),
        )
        .found(census_flag::LATE, "libplugin.so")
        .build();
    let ledger = Ledger::parse(&bytes).unwrap();
    assert!(ledger.census_asked && ledger.census_taken && ledger.damage.is_empty());
    let [first, _, replaced, late] = &ledger.census[..] else {
        panic!("{:?}", ledger.census)
    };
    assert_eq!((first.tally, first.replaced), (Tally::default(), false));
    assert_eq!((replaced.tally, replaced.replaced), (tally, true));
    assert_eq!(replaced.image.as_deref(), Some("libother.so"));
    assert_eq!((late.late, late.reason), (true, Some(Reason::Late)));
    assert_eq!(late.image.as_deref(), Some("libplugin.so"));
}

#[test]
fn an_exit_tells_its_route() {
    let bytes = armed()
        .exited(LOAD_NS + 9, layout::exit_route::IMMEDIATE, 3)
        .build();
    let ledger = Ledger::parse(&bytes).unwrap();
    assert_eq!((ledger.phase, ledger.armed), (Phase::Exited, true));
    assert_eq!(
        (ledger.exited_ns, ledger.exit_route, ledger.exit_status),
        (Some(LOAD_NS + 9), Some(ExitRoute::Immediate), Some(3))
    );
}

#[test]
fn a_ring_that_went_round_is_read_in_order() {
    let count = layout::RING_EVENTS as u64 + 10;
    let events: Vec<_> = (0..count)
        .map(|n| (n, 0, n, event_phase::RETURNED))
        .collect();
    let ledger = Ledger::parse(
        &Builder::new(1, 0, LOAD_NS)
            .armed()
            .thread(9, &events)
            .build(),
    )
    .unwrap();
    let objects: Vec<_> = ledger.rings[0]
        .events
        .iter()
        .map(|event| event.object)
        .collect();
    assert_eq!(objects, (10..count).collect::<Vec<_>>());
    assert!(
        ledger.rings[0]
            .events
            .iter()
            .all(|event| event.phase == EventPhase::Returned)
    );
}

#[test]
fn a_longer_file_reads_the_same() {
    let mut bytes = armed().build();
    let whole = Ledger::parse(&bytes).unwrap();
    bytes.extend_from_slice(&[0xaa; 5000]);
    assert_eq!(Ledger::parse(&bytes).unwrap(), whole);
}

#[test]
fn a_cut_body_leaves_the_header_readable() {
    let mut bytes = armed().build();
    bytes.truncate(layout::BODY.strings + 8);
    let ledger = Ledger::parse(&bytes).unwrap();
    assert_eq!(
        (ledger.pid, ledger.counter("null_impl_skips")),
        (42, Some(3))
    );
    assert!(
        ledger.damage.contains(&Damage::Cut("strings")),
        "{:?}",
        ledger.damage
    );
}

#[test]
fn what_is_no_ledger_says_why() {
    let bytes = armed().build();
    assert_eq!(Ledger::parse(b"%PDF-1.4"), Err(ParseError::NotALedger));
    assert_eq!(Ledger::parse(&[]), Err(ParseError::TooShort(0)));
    assert_eq!(Ledger::parse(&bytes[..100]), Err(ParseError::TooShort(100)));
    let mut newer = bytes.clone();
    newer[8] = 9;
    assert_eq!(Ledger::parse(&newer), Err(ParseError::Version(9)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        cut in any::<prop::sample::Index>(),
        in_header in any::<bool>(),
    ) {
        let mut bytes = armed().build();
        let reach = if in_header { 600 } else { bytes.len() };
        for (index, byte) in changes {
            bytes[index.index(reach)] = byte;
        }
        if let Ok(ledger) = Ledger::parse(&bytes) {
            prop_assert!(ledger.census.len() <= bytes.len());
            ledger.in_flight();
        }
        bytes.truncate(cut.index(bytes.len()));
        if let Ok(ledger) = Ledger::parse(&bytes) {
            ledger.in_flight();
        }
    }

    #[test]
    fn no_bytes_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..6000)) {
        drop(Ledger::parse(&bytes));
        let prefix = Builder::new(1, 2, 3).build();
        let kept = bytes.len().min(16);
        bytes[..kept].copy_from_slice(&prefix[..kept]);
        drop(Ledger::parse(&bytes));
    }
}

#[test]
fn a_counter_that_was_below_0_when_the_process_died_is_0() {
    let built = armed().counter(Counter::EncodersTwoThreads, u64::MAX);
    let ledger = Ledger::parse(&built.build()).unwrap();
    assert_eq!(ledger.counter("encoders_two_threads"), Some(0));
}
