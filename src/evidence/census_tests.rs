use super::*;
use crate::evidence::LedgerFile;
use agx_ledger::Tally;
use agx_ledger::builder::Builder;
use agx_ledger::layout::{census_flag, exit_route, flag, state};
use std::collections::HashMap;

const CLASS: &str = "AGXG16XFamilyComputeContext";

fn asked(pid: u32, taken: bool) -> Builder {
    let taken = if taken { flag::CENSUS_TAKEN } else { 0 };
    Builder::new(pid, 1, u64::from(pid))
        .flags(flag::CENSUS_ASKED | taken)
        .armed()
        .exited(u64::from(pid) + 1, exit_route::ATEXIT, 0)
}

fn tree(ledgers: Vec<Builder>) -> TreeEvidence {
    let files = ledgers
        .into_iter()
        .map(|builder| LedgerFile {
            path: "x".into(),
            ledger: Ledger::parse(&builder.build()).expect("the builder makes whole ledgers"),
        })
        .collect();
    TreeEvidence::of(files, Vec::new(), &HashMap::new(), &|_| false)
}

fn tally(calls: u64, shared: u32) -> Tally {
    Tally {
        calls,
        left: calls,
        shared,
        threads_most: 2 * shared,
        ..Tally::default()
    }
}

#[test]
fn without_a_census_there_is_none() {
    let plain = Builder::new(7, 1, 1).armed();
    let unarmed = Builder::new(8, 1, 1).flags(flag::CENSUS_ASKED);
    assert_eq!(Census::of(&tree(vec![plain, unarmed])), None);
}

#[test]
fn processes_are_added_up() {
    let one = |pid, shared| {
        asked(pid, true)
            .counter(Counter::CensusMethods, 5)
            .counter(Counter::EncodersOneThread, 10)
            .counter(Counter::EncodersTwoThreads, 2)
            .counter(Counter::EncoderThreadsMost, pid.into())
            .method(
                CLASS,
                "dispatchThreads:threadsPerThreadgroup:",
                state::HOOKED,
                0,
            )
            .tally(tally(100, shared))
            .method(CLASS, "endEncoding", state::HOOKED, 0)
            .tally(tally(12, shared + 1))
            .found(census_flag::REPLACED, "libother.dylib")
    };
    let census = Census::of(&tree(vec![one(2, 0), one(3, 1)])).expect("asked for");
    assert_eq!((census.processes, census.methods), (2, 10));
    assert!(census.missing.is_empty());
    let encoders = census.encoders;
    assert_eq!(
        (encoders.all(), encoders.shared(), encoders.most_threads),
        (24, 4, 3)
    );
    let [replaced] = &census.replaced[..] else {
        panic!("{:?}", census.replaced)
    };
    assert_eq!(replaced.image.as_deref(), Some("libother.dylib"));
    let shared: Vec<_> = census
        .shared_by
        .iter()
        .map(|it| (it.encoders, it.most_threads))
        .collect();
    assert_eq!(shared, [(3, 4), (1, 2)], "the most frequent first");
    let seen: Vec<_> = census.calls.iter().map(|it| (it.work, it.seen)).collect();
    assert_eq!(seen, [(Work::Dispatch, 200), (Work::End, 24)]);
}

#[test]
fn calls_that_did_not_return_are_told_apart() {
    let unfinished = Tally {
        calls: 10,
        left: 8,
        threw: 3,
        ..Tally::default()
    };
    let one = asked(2, false)
        .method(
            CLASS,
            "drawPrimitives:vertexStart:vertexCount:",
            state::HOOKED,
            0,
        )
        .tally(unfinished);
    let census = Census::of(&tree(vec![one])).expect("asked for");
    assert_eq!(census.missing, [2]);
    let [draws] = census.calls[..] else {
        panic!("{:?}", census.calls)
    };
    assert_eq!((draws.returned, draws.threw, draws.unfinished), (5, 3, 2));
}

#[test]
fn a_child_that_called_nothing_owes_no_census() {
    let child = |calls| {
        asked(3, false)
            .forked_from(2)
            .method(CLASS, "endEncoding", state::HOOKED, 0)
            .tally(tally(calls, 0))
    };
    let missing = |calls| {
        let census = Census::of(&tree(vec![asked(2, true), child(calls)]));
        census.expect("asked for").missing
    };
    assert_eq!((missing(0), missing(1)), (vec![], vec![3]));
}

#[test]
fn what_came_past_the_hooks_is_named() {
    let one = asked(2, true)
        .method(CLASS, "setLater:", state::UNHOOKED, Reason::Late.number())
        .found(census_flag::LATE, "");
    let census = Census::of(&tree(vec![one])).expect("asked for");
    assert_eq!(census.undone(), 1);
    assert_eq!(census.late[0].method, format!("-[{CLASS} setLater:]"));
    assert_eq!(census.late[0].image, None);
    let published = asked(2, true)
        .method(
            CLASS,
            "endEncoding",
            state::UNHOOKED,
            Reason::Override.number(),
        )
        .found(census_flag::LATE, "");
    let census = Census::of(&tree(vec![published])).expect("asked for");
    assert_eq!(
        (census.undone(), census.overrides.len()),
        (0, 1),
        "as published"
    );
}

#[test]
fn work_goes_by_its_verb() {
    for (selector, work) in [
        (
            "dispatchThreadgroups:threadsPerThreadgroup:",
            Work::Dispatch,
        ),
        ("executeCommandsInBuffer:withRange:", Work::Dispatch),
        (
            "drawMeshThreadgroups:threadsPerObjectThreadgroup:threadsPerMeshThreadgroup:",
            Work::Draw,
        ),
        ("fillBuffer:range:value:", Work::Copy),
        ("endEncoding", Work::End),
        ("computeCommandEncoderWithDispatchType:", Work::Make),
        ("setBuffer:offset:atIndex:", Work::Other),
    ] {
        assert_eq!(Work::of(selector), work, "{selector}");
    }
}
