//! What an earlier `agxrun` has left of a series: runs in the state file, those that were held there, and those that had ended when it
//! was killed and stand only in the spool or in the history.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::PathBuf;

use super::book::{ids, runs_in};
use super::shared::{Run, Shared};
use super::state::{self, Entry};
use super::{Arm, Series, Slot};
use crate::history::{Kind, RunLine};

/// A run of before a resumption.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub run: Run,
    /// As it was planned; not known of one that only its own line tells of.
    pub planned: Option<Slot>,
    /// Whether the state file has it as it is.
    pub is_stored: bool,
    /// Whether the history is to have it, and has not.
    pub is_to_be_in_history: bool,
}

/// All that is known of the runs of before.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    /// By the numbers of their slots.
    pub runs: BTreeMap<u64, Known>,
    /// How many of them were in no state file.
    pub found_elsewhere: u64,
    /// Runs that are made again, and that the history is to have and has not.
    pub made_again: Vec<RunLine>,
    /// Files that could not be read, with the reason.
    pub unread: Vec<(PathBuf, io::Error)>,
}

/// Puts together what is in the state file and elsewhere. Reports that several of these runs count get their owners, which `shared`
/// is told of.
pub(super) fn recover(series: &Series, entries: Vec<Entry>, shared: &mut Shared) -> Recovered {
    let mut recovered = Recovered::default();
    let mut read = |path: PathBuf| {
        runs_in(&path, &series.id).unwrap_or_else(|error| {
            recovered.unread.push((path, error));
            Vec::new()
        })
    };
    let spool = read(series.spool());
    let history = series.history.clone().map(&mut read).unwrap_or_default();
    let ended = state::until(&entries);
    let (mut undecided, mut planned) = (Vec::new(), BTreeMap::new());
    // Of a run that was held and then decided, the last word counts.
    let last: BTreeMap<u64, Entry> = entries
        .into_iter()
        .map(|entry| (entry.slot.number, entry))
        .collect();
    let stored: HashSet<u64> = last.keys().copied().collect();
    let mut decided = Vec::new();
    for (number, entry) in last {
        planned.insert(number, entry.slot);
        let is_held = entry.held;
        let run = entry.into_run();
        if is_held {
            undecided.push(run);
        } else {
            shared.was_told(&run);
            decided.push(run);
        }
    }
    for line in spool.iter().chain(&history) {
        let Some(slot) = slot(line, &series.arms).filter(|it| !stored.contains(&it.number)) else {
            continue;
        };
        if undecided.iter().any(|it: &Run| it.slot == slot) {
            continue;
        }
        recovered.found_elsewhere += 1;
        undecided.push(Run {
            slot,
            begun: ended.saturating_sub(state::seconds(line.total)),
            ended,
            line: line.clone(),
        });
    }
    let (in_history, in_spool) = (ids(&history), ids(&spool));
    let made_again = spool.iter().filter(|line| {
        slot(line, &series.arms).is_none() && !in_history.contains(line.id.as_str())
    });
    recovered.made_again = made_again.cloned().collect();
    let known = |run: Run, is_stored: bool| {
        let id = &*run.line.id;
        let is_new = !is_stored || in_spool.contains(id);
        let known = Known {
            planned: planned.get(&run.slot.number).copied(),
            is_to_be_in_history: is_new && !in_history.contains(id),
            is_stored,
            run,
        };
        (known.run.slot.number, known)
    };
    let runs = decided.into_iter().map(|run| known(run, true));
    recovered.runs = runs.collect();
    let mut settled = shared.all_ended(undecided);
    // One that was interrupted is made again, once it is known that it did not crash.
    settled.retain(|run| run.line.kind != Kind::Interrupted);
    recovered
        .runs
        .extend(settled.into_iter().map(|run| known(run, false)));
    recovered
}

/// Where a run's own line says that it belongs. One that was interrupted or not launched is made again.
fn slot(line: &RunLine, arms: &[Arm]) -> Option<Slot> {
    let is_made = line.kind != Kind::Interrupted && line.pid.is_some();
    let name = line.arm.as_deref()?;
    let arm = arms.iter().position(|it| it.name == name)?;
    is_made.then_some(Slot {
        number: line.slot?,
        arm,
        block: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history;
    use crate::series::sample::{line, report, series, slot};

    fn entry(number: u64, at: f64, held: bool, line: RunLine) -> Entry {
        Entry {
            slot: slot(number),
            begun: 0.0,
            at,
            held,
            line,
        }
    }

    fn recovered(series: &Series, entries: Vec<Entry>) -> Recovered {
        let recovered = recover(series, entries, &mut Shared::default());
        assert!(recovered.unread.is_empty(), "{:?}", recovered.unread);
        recovered
    }

    #[test]
    fn runs_of_the_series_that_ended_and_are_not_in_the_state_are_found() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let series = series(folder.path());
        assert!(recovered(&series, vec![]).runs.is_empty(), "no files");
        let mut others = [3, 4, 5].map(|slot| line(slot, Kind::Refused));
        others[0].series = Some("another".to_owned());
        others[1].arm = Some("another".to_owned());
        others[2].pid = None;
        let lines = [
            line(0, Kind::Clean),
            line(1, Kind::Crash),
            line(2, Kind::Interrupted),
        ];
        for line in lines.iter().chain(&others) {
            history::append(&series.spool(), line).expect("written");
        }
        let path = series.history.clone().expect("one");
        history::append(&path, &line(0, Kind::Clean)).expect("written");
        history::append(&path, &line(6, Kind::Clean)).expect("written");
        let state = vec![entry(0, 1.0, false, line(0, Kind::Clean))];
        let found = recovered(&series, state);
        assert_eq!(found.found_elsewhere, 2);
        let again: Vec<Option<u64>> = found.made_again.iter().map(|line| line.slot).collect();
        assert_eq!(again, [Some(2), Some(4), Some(5)]);
        let facts: Vec<(u64, Kind, bool, bool)> = found
            .runs
            .iter()
            .map(|(number, it)| {
                (
                    *number,
                    it.run.line.kind,
                    it.is_stored,
                    it.is_to_be_in_history,
                )
            })
            .collect();
        let expected = [
            (0, Kind::Clean, true, false),
            (1, Kind::Crash, false, true),
            (6, Kind::Clean, false, false),
        ];
        assert_eq!(facts, expected);
        assert_eq!(found.runs[&0].planned, Some(slot(0)));
        assert_eq!(found.runs[&1].planned, None);
    }

    #[test]
    fn runs_that_were_held_at_a_kill_get_their_owner() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let series = series(folder.path());
        let crash = |number, evidence: Option<&str>| {
            let mut line = line(number, Kind::Crash);
            line.reports.push(report("I", "unknown"));
            line.reports[0].evidence = evidence.map(str::to_owned);
            line
        };
        let state = vec![
            entry(0, 2.0, true, crash(0, None)),
            entry(1, 3.0, true, crash(1, None)),
            entry(1, 3.0, false, line(1, Kind::Clean)),
            entry(2, 4.0, false, crash(2, Some("process"))),
        ];
        let found = recovered(&series, state);
        let kinds: Vec<(Kind, bool)> = found
            .runs
            .values()
            .map(|it| (it.run.line.kind, it.is_stored))
            .collect();
        let expected = [
            (Kind::Clean, false),
            (Kind::Clean, true),
            (Kind::Crash, true),
        ];
        assert_eq!(kinds, expected);
        assert!(found.runs[&0].is_to_be_in_history);
        assert_eq!(found.found_elsewhere, 0);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let series = series(folder.path());
        std::fs::create_dir_all(series.spool()).expect("a folder in its place");
        let found = recover(&series, vec![], &mut Shared::default());
        assert_eq!(found.unread[0].0, series.spool());
    }
}
