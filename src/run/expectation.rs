//! What is due after the target's end, from the wait statuses and the ledgers.

use std::collections::BTreeSet;

use super::settle::{Doubt, Expected};
use super::supervise::{Descendants, Ending, Outcome};
use crate::evidence::TreeEvidence;

/// The target and the orphans whose wait status came to us.
pub(super) fn waited(outcome: &Outcome) -> impl Iterator<Item = (i32, Ending)> {
    std::iter::once((outcome.pid, outcome.ending)).chain(
        outcome
            .orphans
            .iter()
            .map(|orphan| (orphan.pid, orphan.ending)),
    )
}

/// What is due. `ledgers_cover_reports`: see
/// [`crate::inject::platform::LEDGERS_COVER_REPORTS`].
pub(super) fn expected(
    outcome: &Outcome,
    evidence: &TreeEvidence,
    ledgers_cover_reports: bool,
) -> Expected {
    let crashed: BTreeSet<i32> = waited(outcome)
        .filter(|(_, ending)| ending.is_crash())
        .map(|(pid, _)| pid)
        .collect();
    // Those that the time-out ended are gone because of us.
    let ended_by_us = outcome.timed_out.is_some() || outcome.needed_kill;
    let (mut suspects, mut gone) = (BTreeSet::new(), BTreeSet::new());
    for process in evidence.vanished().filter(|_| !ended_by_us) {
        if let Ok(pid) = i32::try_from(process.ledger().pid) {
            let pids = if process.vanished_in_a_call() {
                &mut suspects
            } else {
                &mut gone
            };
            pids.insert(pid);
        }
    }
    let doubt = if ended_by_us {
        None
    } else if !evidence.unreadable.is_empty() {
        Some(Doubt::UnreadableLedger)
    } else {
        match &outcome.descendants {
            Descendants::None => None,
            // A descendant's ledger shows that the library reaches the tree.
            _ if ledgers_cover_reports && has_descendant_ledger(outcome, evidence) => None,
            Descendants::Some => Some(Doubt::UntracedDescendants),
            Descendants::Unknown(_) => Some(Doubt::DescendantsUnknown),
        }
    };
    Expected {
        crashed,
        suspects,
        gone,
        doubt,
    }
}

fn has_descendant_ledger(outcome: &Outcome, evidence: &TreeEvidence) -> bool {
    evidence
        .processes
        .iter()
        .any(|process| i64::from(process.ledger().pid) != i64::from(outcome.pid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{LedgerFile, TreeEvidence};
    use crate::run::supervise::{StderrKind, StderrWatch, TimedOut};
    use agx_ledger::{Ledger, builder::Builder, layout::exit_route};
    use std::collections::HashMap;
    use std::time::{Duration, SystemTime};

    const TARGET: i32 = 100;

    fn outcome(descendants: Descendants) -> Outcome {
        Outcome {
            pid: TARGET,
            started: SystemTime::UNIX_EPOCH,
            ended: SystemTime::UNIX_EPOCH,
            duration: Duration::ZERO,
            ending: Ending::Exited(0),
            timed_out: None,
            cancelled_by: None,
            needed_kill: false,
            orphans: Vec::new(),
            left_behind: Vec::new(),
            descendants,
            stderr: StderrWatch {
                kind: StderrKind::Device,
                bytes: 0,
                copier: None,
                problems: Vec::new(),
            },
        }
    }

    /// Closed ledgers of these processes, and open ones of those.
    fn evidence(closed: &[u32], open: &[u32]) -> TreeEvidence {
        let file = |pid: u32, is_closed: bool| {
            let builder = Builder::new(pid, 1, u64::from(pid));
            let builder = if is_closed {
                builder.exited(1, exit_route::ATEXIT, 0)
            } else {
                builder
            };
            let ledger = Ledger::parse(&builder.build()).expect("whole ledgers");
            LedgerFile {
                path: agx_ledger::file_name(pid, u64::from(pid)).into(),
                ledger,
            }
        };
        let files = closed
            .iter()
            .map(|pid| file(*pid, true))
            .chain(open.iter().map(|pid| file(*pid, false)))
            .collect();
        TreeEvidence::of(files, Vec::new(), &HashMap::new(), &|_| false)
    }

    #[test]
    fn a_single_process_that_ended_cleanly_leaves_nothing_due() {
        for covers in [true, false] {
            let due = expected(&outcome(Descendants::None), &evidence(&[100], &[]), covers);
            assert_eq!(due, Expected::default());
        }
    }

    #[test]
    fn closed_ledgers_of_a_tree_suffice_only_where_whoever_reports_has_one() {
        let tree = evidence(&[100, 101], &[]);
        let outcome = outcome(Descendants::Some);
        assert_eq!(expected(&outcome, &tree, true).doubt, None);
        assert_eq!(
            expected(&outcome, &tree, false).doubt,
            Some(Doubt::UntracedDescendants)
        );
    }

    #[test]
    fn descendants_without_any_ledger_are_doubted_everywhere() {
        let outcome = outcome(Descendants::Some);
        for covers in [true, false] {
            let due = expected(&outcome, &evidence(&[100], &[]), covers);
            assert_eq!(due.doubt, Some(Doubt::UntracedDescendants));
        }
    }

    #[test]
    fn a_process_that_is_gone_is_waited_for_unless_we_ended_it() {
        let mut outcome = outcome(Descendants::Some);
        let tree = evidence(&[100], &[101]);
        assert_eq!(expected(&outcome, &tree, true).gone, BTreeSet::from([101]));
        outcome.timed_out = Some(TimedOut {
            after: Duration::ZERO,
            needed_kill: true,
            stragglers: 0,
        });
        assert_eq!(expected(&outcome, &tree, true), Expected::default());
    }
}
