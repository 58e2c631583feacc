//! What the reader of a verdict must know besides it: the notices of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use agx_ledger::Counter;
use chrono::Local;

use super::collect::Collected;
use super::execute::{command_line, signal_name};
use super::options::RunOptions;
use super::plan::Plan;
use super::record::Notice;
use super::settle::Settled;
use super::supervise::{Ending, Outcome};
use crate::diagnose::Bypass;
use crate::evidence::{Census, DROPPED, End, TreeEvidence};
use crate::reports::archive;
use crate::reports::snapshot::{FolderState, Snapshot};

/// Counters that are no loss of work, and that a reader should look into when they are not zero.
const TELLING: [Counter; 12] = [
    Counter::DestroysBlocked,
    Counter::EventWaitTimeouts,
    Counter::ThrottleLetThrough,
    Counter::LockOrderEscapes,
    Counter::LockLongWaits,
    Counter::LockTimeouts,
    Counter::HooksReplaced,
    Counter::OddReceivers,
    Counter::CommitAfterCommit,
    Counter::HandlerAfterCommit,
    Counter::CaughtPanics,
    Counter::PassedUntouched,
];

/// Policies in force that are not the expected one, each with its processes.
pub(super) fn mismatches(expected: &'static str, evidence: &TreeEvidence) -> Vec<Notice> {
    let mut found: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for process in &evidence.processes {
        let ledger = process.ledger();
        // One that the library does not know is told by itself.
        if ledger.policy != expected && !ledger.policy_unknown {
            found.entry(&ledger.policy).or_default().push(ledger.pid);
        }
    }
    found
        .into_iter()
        .map(|(found, pids)| Notice::PolicyMismatch {
            expected,
            found: found.to_owned(),
            pids,
        })
        .collect()
}

/// Which policy ran, where that is not as expected or is one to compare with.
fn note_policy(notices: &mut Vec<Notice>, plan: &Plan, evidence: &TreeEvidence) {
    if let Some(expected) = plan.policy {
        notices.extend(mismatches(expected.policy.name, evidence));
        if expected.is_published() && evidence.armed() > 0 {
            notices.push(Notice::PublishedPolicy {
                name: expected.policy.name,
                known_failure: expected.policy.known_failure,
            });
        }
    }
}

/// What the library counted that a reader should know.
fn note_counters(notices: &mut Vec<Notice>, evidence: &TreeEvidence) {
    let counted = |counter: &Counter| {
        let times = evidence.total(counter.name());
        (times > 0).then_some((*counter, times))
    };
    let calls: Vec<_> = DROPPED.iter().filter_map(counted).collect();
    if !calls.is_empty() {
        notices.push(Notice::DroppedCalls { calls });
    }
    let others = TELLING.iter().filter_map(counted);
    notices.extend(others.map(|(counter, times)| Notice::Counted { counter, times }));
}

/// What the census leaves open, or shows to be open.
fn note_census(notices: &mut Vec<Notice>, evidence: &TreeEvidence) {
    let Some(census) = Census::of(evidence) else {
        return;
    };
    if !census.missing.is_empty() {
        notices.push(Notice::CensusMissing {
            pids: census.missing,
        });
    }
    if !census.overrides.is_empty() {
        notices.push(Notice::Overridden {
            methods: census.overrides,
        });
    }
    if !census.late.is_empty() {
        notices.push(Notice::NeverHooked {
            methods: census.late,
        });
    }
}

/// Calls that went past the library, in the reports of the run's own processes.
pub(super) fn note_bypasses(notices: &mut Vec<Notice>, reports: &[Collected]) {
    notices.extend(reports.iter().filter_map(|collected| {
        let calls: Vec<_> = collected.bypasses().map(Bypass::describe).collect();
        (!calls.is_empty()).then(|| Notice::Bypassed {
            path: collected.file().to_owned(),
            calls,
        })
    }));
}

pub(super) fn note_evidence(
    notices: &mut Vec<Notice>,
    plan: &Plan,
    evidence: &TreeEvidence,
    reports: &[Collected],
    outcome: &Outcome,
) {
    if plan.library.is_none() {
        return;
    }
    if !evidence.loaded() {
        notices.push(Notice::NotLoaded);
    } else if evidence
        .processes
        .iter()
        .all(|process| process.ledger().disabled)
    {
        notices.push(Notice::Disabled);
    }
    let unknown: Vec<u32> = evidence
        .processes
        .iter()
        .filter(|process| process.ledger().policy_unknown)
        .map(|process| process.ledger().pid)
        .collect();
    if !unknown.is_empty() {
        notices.push(Notice::PolicyUnknown { pids: unknown });
    }
    notices.extend(
        evidence
            .metal_without_hooks()
            .map(|process| Notice::MetalWithoutHooks {
                pid: process.ledger().pid,
                executable: String::from_utf8_lossy(&process.ledger().executable).into_owned(),
            }),
    );
    note_policy(notices, plan, evidence);
    note_counters(notices, evidence);
    note_census(notices, evidence);
    let methods = evidence.missing_hooks();
    if methods > 0 {
        notices.push(Notice::MissingHooks { methods });
    }
    // Of a process that crashed or was killed it is no news that its encoders were open.
    let clean = evidence
        .processes
        .iter()
        .filter(|process| process.end == End::Clean);
    notices.extend(clean.filter_map(|process| {
        let ledger = process.ledger();
        let encoders = ledger
            .counter(Counter::EncodersOpen.name())
            .filter(|open| *open > 0)?;
        Some(Notice::OpenEncoders {
            pid: ledger.pid,
            encoders,
        })
    }));
    notices.extend(
        evidence
            .unreadable
            .iter()
            .map(|ledger| Notice::UnreadableLedger {
                path: ledger.path.clone(),
                reason: ledger.reason.clone(),
            }),
    );
    if outcome.timed_out.is_some() || outcome.needed_kill {
        return;
    }
    let told: BTreeSet<i32> = reports
        .iter()
        .filter_map(|collected| collected.report.as_ref().ok()?.process.pid)
        .collect();
    let mut vanished = Vec::new();
    for process in evidence.vanished() {
        let ledger = process.ledger();
        let is_told = i32::try_from(ledger.pid).is_ok_and(|pid| told.contains(&pid));
        if is_told {
            continue;
        }
        match ledger.in_flight().first() {
            Some(call) => notices.push(Notice::GoneInACall {
                pid: ledger.pid,
                call: call.to_string(),
            }),
            // A child of fork that loads nothing of its own has become another program, most often
            // one that the library does not reach: every shell does that.
            None if ledger.forked_from.is_some() => {}
            None => vanished.push(ledger.pid),
        }
    }
    if !vanished.is_empty() {
        notices.push(Notice::Vanished { pids: vanished });
    }
}

pub(super) fn note_watching(
    notices: &mut Vec<Notice>,
    outcome: &Outcome,
    settled: &Settled,
    unwatched: &[(PathBuf, String)],
    before: &Snapshot,
) {
    // A folder that did not exist then and does not now has no report in it.
    let from_the_start = before.unwatched().into_iter().filter(|(path, _)| {
        before
            .directory(path)
            .is_none_or(|directory| directory.state != FolderState::Missing)
    });
    let all = from_the_start.chain(newly_unwatched(unwatched, before).cloned());
    notices.extend(all.map(|(path, reason)| Notice::Unwatched { path, reason }));
    notices.extend(
        settled
            .missing
            .iter()
            .map(|&pid| Notice::ReportMissing { pid }),
    );
    if settled.pending > 0 {
        notices.push(Notice::StillPending {
            reports: settled.pending,
        });
    }
    notices.extend(outcome.stderr.problems.iter().map(|reason| Notice::Stderr {
        reason: reason.clone(),
    }));
    if !outcome.left_behind.is_empty() {
        notices.push(Notice::LeftBehind {
            processes: outcome.left_behind.len(),
        });
    }
}

/// What was watched when the run began and is not any more: crashes may have been missed.
pub(super) fn newly_unwatched<'a>(
    unwatched: &'a [(PathBuf, String)],
    before: &Snapshot,
) -> impl Iterator<Item = &'a (PathBuf, String)> {
    let known: Vec<_> = before
        .unwatched()
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    unwatched
        .iter()
        .filter(move |(path, _)| !known.contains(path))
}

pub(super) fn note_archive(
    notices: &mut Vec<Notice>,
    options: &RunOptions,
    outcome: &Outcome,
    reports: &[Collected],
) {
    let mut entries = Vec::new();
    for collected in reports {
        match (&collected.archived, &collected.report) {
            (Err(reason), _) => notices.push(Notice::NotArchived {
                path: collected.path.clone(),
                reason: reason.clone(),
            }),
            (Ok(path), Ok(report)) => {
                let mut entry = archive::Entry::of(report, path);
                entry.command = Some(command_line(options));
                match outcome.ending {
                    Ending::Exited(code) => entry.exit_code = Some(code),
                    Ending::Signaled { signal, .. } => entry.signal = Some(signal_name(signal)),
                }
                entries.push(entry);
            }
            (Ok(_), Err(_)) => {}
        }
    }
    if entries.is_empty() {
        return;
    }
    match archive::record(&options.archive, &entries, Local::now().fixed_offset()) {
        Ok(recorded) => notices.extend(recorded.set_aside.map(|path| Notice::Summary {
            reason: format!(
                "the list of crashes was damaged and has been set aside as `{}`",
                path.display()
            ),
        })),
        Err(error) => notices.push(Notice::Summary {
            reason: error.to_string(),
        }),
    }
}
