use super::*;
use crate::history::Kind;
use crate::series::sample::{line, report, slot};
use proptest::prelude::*;

const S: fn(u64) -> Duration = Duration::from_secs;

/// A run that counts the report I, by this evidence.
fn run(number: u64, from: u64, to: u64, evidence: Option<&str>) -> Run {
    let mut line = line(number, Kind::Crash);
    let attribution = if evidence.is_some() {
        "ours"
    } else {
        "unknown"
    };
    line.reports.push(report("I", attribution));
    line.reports[0].evidence = evidence.map(str::to_owned);
    line.crash = Some("f".to_owned());
    line.reports[0].fingerprint.clone_from(&line.crash);
    Run {
        slot: slot(number),
        begun: S(from),
        ended: S(to),
        line,
    }
}

fn clean(number: u64, from: u64, to: u64) -> Run {
    let line = line(number, Kind::Clean);
    Run {
        line,
        ..run(number, from, to, None)
    }
}

fn running<const N: usize>(numbers: [u64; N]) -> BTreeSet<u64> {
    numbers.into()
}

/// Numbers and kinds of what was told.
fn told(runs: &[Run]) -> Vec<(u64, Kind)> {
    runs.iter()
        .map(|run| (run.number(), run.line.kind))
        .collect()
}

#[test]
fn a_run_without_a_claim_or_alone_is_told_at_once() {
    let mut shared = Shared::default();
    let first = shared.ended(clean(0, 0, 5), running([1]));
    assert_eq!(told(&first), [(0, Kind::Clean)]);
    let alone = shared.ended(run(1, 0, 9, None), running([]));
    assert_eq!(told(&alone), [(1, Kind::Crash)]);
    let own = shared.ended(run(2, 9, 12, Some("process")), running([3]));
    assert_eq!(told(&own), [(2, Kind::Crash)], "it is sure");
}

#[test]
fn a_doubtful_run_waits_for_those_beside_it_and_the_owner_has_it() {
    for doubt in [None, Some("library")] {
        let mut shared = Shared::default();
        let held = shared.ended(run(0, 0, 5, doubt), running([1, 2]));
        assert_eq!(held, []);
        // It began later and is not waited for.
        let later = shared.ended(clean(3, 6, 7), running([1, 2]));
        assert_eq!(told(&later), [(3, Kind::Clean)]);
        let owner = shared.ended(run(1, 0, 8, Some("process")), running([2]));
        assert_eq!(told(&owner), [(0, Kind::Clean), (1, Kind::Crash)]);
        let warning = &owner[0].line.warnings[0];
        assert!(
            warning.contains("I.ips is of run 2") && !owner[0].line.reports[0].counted,
            "{warning}"
        );
        // The last one's claim comes to nothing, too.
        let last = shared.ended(run(2, 1, 9, doubt), running([]));
        assert_eq!(told(&last), [(2, Kind::Clean)]);
    }
}

#[test]
fn the_surest_claim_wins_and_among_equals_the_first() {
    for (claims, owner) in [
        ([None, None, None], 0),
        ([None, Some("library"), None], 1),
        ([None, Some("library"), Some("library")], 1),
        ([Some("library"), None, Some("responsible")], 2),
        ([None, Some("parent"), None], 1),
    ] {
        let mut shared = Shared::default();
        let mut all = Vec::new();
        // They end in another order than they began.
        for (number, left) in [(2_u64, vec![0, 1]), (0, vec![1]), (1, vec![])] {
            let at = usize::try_from(number).expect("small");
            let ended = run(number, 0, 10 - number, claims[at]);
            all.extend(shared.ended(ended, left.into_iter().collect()));
        }
        let crashed: Vec<u64> = all
            .iter()
            .filter(|run| run.line.kind == Kind::Crash)
            .map(Run::number)
            .collect();
        assert_eq!((crashed, all.len()), (vec![owner], 3), "{claims:?}");
    }
}

#[test]
fn a_run_of_which_nothing_is_known_is_waited_for_no_longer() {
    let mut shared = Shared::default();
    assert_eq!(shared.ended(run(0, 0, 5, None), running([1])), []);
    assert_eq!(told(&shared.gone(1)), [(0, Kind::Crash)]);
}

#[test]
fn the_same_file_written_again_later_is_another_crash() {
    let mut shared = Shared::default();
    let without_incident = |mut run: Run| {
        run.line.reports[0].incident = None;
        run
    };
    let earlier = shared.ended(without_incident(run(0, 0, 10, None)), running([]));
    let later = shared.ended(without_incident(run(1, 10, 20, None)), running([]));
    assert_eq!(told(&earlier), [(0, Kind::Crash)]);
    assert_eq!(told(&later), [(1, Kind::Crash)]);
    let lines = [earlier, later].concat();
    let lines: Vec<_> = lines.into_iter().map(|run| (run.slot, run.line)).collect();
    assert_eq!(list(&lines), []);
}

#[test]
fn what_counts_from_before_a_resumption_counts_no_more() {
    let mut shared = Shared::default();
    shared.was_told(&run(0, 0, 10, Some("process")));
    let rest = shared.ended(run(1, 5, 10, None), running([]));
    assert_eq!(told(&rest), [(1, Kind::Clean)]);
}

#[test]
fn what_is_nobodys_for_certain_is_listed_with_those_who_saw_it() {
    let mut shared = Shared::default();
    assert_eq!(shared.ended(run(0, 0, 10, None), running([1])), []);
    let both = shared.ended(run(1, 5, 12, None), running([]));
    assert!(
        both[1].line.warnings[0].contains("it counts in run 1"),
        "{:?}",
        both[1].line.warnings
    );
    let lines: Vec<_> = both.into_iter().map(|run| (run.slot, run.line)).collect();
    let listed = SharedReport {
        file: "I.ips".to_owned(),
        counted_in: 0,
        also_seen_in: vec![1],
    };
    assert_eq!(list(&lines), [listed]);
}

proptest! {
    /// Whatever the runs claim and in whatever order they end: each event counts once, and every run is told once.
    #[test]
    fn every_event_counts_exactly_once(
        claims in prop::collection::vec(0_usize..6, 1..7),
        order in prop::collection::vec(any::<u64>(), 7),
    ) {
        let evidence = [None, Some("library"), Some("responsible"), Some("parent"), Some("process")];
        let mut ending: Vec<u64> = (0..claims.len() as u64).collect();
        ending.sort_by_key(|number| order[usize::try_from(*number).expect("small")]);
        let mut shared = Shared::default();
        let mut left: BTreeSet<u64> = ending.iter().copied().collect();
        let mut all = Vec::new();
        for (at, number) in (1..).zip(&ending) {
            left.remove(number);
            let claim = claims[usize::try_from(*number).expect("small")];
            let ended = match evidence.get(claim) {
                Some(evidence) => run(*number, 0, at, *evidence),
                None => clean(*number, 0, at),
            };
            all.extend(shared.ended(ended, left.clone()));
        }
        let counted = all.iter().filter(|run| run.line.kind == Kind::Crash).count();
        let claimed = claims.iter().any(|claim| *claim < evidence.len());
        prop_assert_eq!(counted, usize::from(claimed));
        prop_assert_eq!(all.len(), claims.len());
    }
}
