//! The ledgers of a process tree put together: who had the library, and how each one left.

use std::collections::HashMap;

use agx_ledger::{Counter, Ledger, Phase};
use serde::Serialize;

use super::folder::{LedgerFile, Unreadable};

/// What counts calls that the target made and that did not reach the driver.
pub const DROPPED: [Counter; 3] = [
    Counter::NullImplSkips,
    Counter::DroppedUntracked,
    Counter::DroppedEnded,
];

/// How a process that had the library left, as far as can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It left by itself, through `exit` or `_exit`.
    Clean,
    /// It replaced itself by `exec`; a later ledger of the same pid goes on.
    Replaced,
    /// It still runs.
    Running,
    /// A wait status shows that a crash signal ended it.
    Crashed,
    /// A wait status shows that another signal ended it.
    Killed,
    /// It is gone and neither its ledger nor a wait status says how.
    Vanished,
}

/// One process image that had the library.
#[derive(Debug, Clone)]
pub struct ProcessEvidence {
    /// Its ledger.
    pub file: LedgerFile,
    /// How it left.
    pub end: End,
}

impl ProcessEvidence {
    /// What the ledger says.
    pub fn ledger(&self) -> &Ledger {
        &self.file.ledger
    }

    /// Whether it vanished in the middle of a hooked call.
    pub fn vanished_in_a_call(&self) -> bool {
        self.end == End::Vanished && !self.ledger().in_flight().is_empty()
    }
}

/// All that the ledgers of a run say.
#[derive(Debug, Clone, Default)]
pub struct TreeEvidence {
    /// The process images, in the order in which they loaded the library.
    pub processes: Vec<ProcessEvidence>,
    /// Ledgers that could not be read.
    pub unreadable: Vec<Unreadable>,
}

impl TreeEvidence {
    /// Puts ledgers together with what is known of the processes from elsewhere.
    ///
    /// `waited` holds the processes whose wait status was seen; `alive` asks whether a process
    /// with that pid still runs.
    pub fn of(
        files: Vec<LedgerFile>,
        unreadable: Vec<Unreadable>,
        waited: &HashMap<u32, End>,
        alive: &dyn Fn(u32) -> bool,
    ) -> Self {
        let mut newest: HashMap<u32, u64> = HashMap::new();
        for file in &files {
            let load = newest.entry(file.ledger.pid).or_default();
            *load = (*load).max(file.ledger.load_ns);
        }
        let processes = files
            .into_iter()
            .map(|file| {
                let ledger = &file.ledger;
                let end = if ledger.phase == Phase::Exited {
                    End::Clean
                } else if newest.get(&ledger.pid) > Some(&ledger.load_ns) {
                    End::Replaced
                } else if let Some(&end) = waited.get(&ledger.pid) {
                    end
                } else if alive(ledger.pid) {
                    End::Running
                } else {
                    End::Vanished
                };
                ProcessEvidence { file, end }
            })
            .collect();
        Self {
            processes,
            unreadable,
        }
    }

    /// Whether any ledger shows that the library was loaded.
    pub fn loaded(&self) -> bool {
        !self.processes.is_empty()
    }

    /// How many processes have hooks.
    pub fn armed(&self) -> usize {
        self.processes
            .iter()
            .filter(|process| process.ledger().armed)
            .count()
    }

    /// Processes that have Metal classes and no hooks, and did not ask for that.
    pub fn metal_without_hooks(&self) -> impl Iterator<Item = &ProcessEvidence> {
        self.processes.iter().filter(|process| {
            let ledger = process.ledger();
            ledger.metal_seen && !ledger.armed && !ledger.disabled
        })
    }

    /// The sum of a counter over all processes; it ends at the largest number, as a target may
    /// have written anything into its ledger.
    pub fn total(&self, counter: &str) -> u64 {
        self.processes
            .iter()
            .filter_map(|process| process.ledger().counter(counter))
            .fold(0, u64::saturating_add)
    }

    /// Calls that the library did not make: work that the target asked for and did not get.
    pub fn dropped_calls(&self) -> u64 {
        DROPPED
            .iter()
            .map(|counter| self.total(counter.name()))
            .fold(0, u64::saturating_add)
    }

    /// Methods that should have been hooked and are not.
    pub fn missing_hooks(&self) -> u64 {
        self.total(Counter::HooksUnhooked.name())
    }

    /// Work that the library did not make, or could not guard.
    pub fn lost_work(&self) -> u64 {
        self.dropped_calls().saturating_add(self.missing_hooks())
    }

    /// Processes that are gone without a trace of how.
    pub fn vanished(&self) -> impl Iterator<Item = &ProcessEvidence> {
        self.processes
            .iter()
            .filter(|process| process.end == End::Vanished)
    }

    /// Whether nothing can change any more: every process has left, and all ledgers were readable.
    pub fn all_settled(&self) -> bool {
        self.unreadable.is_empty()
            && self
                .processes
                .iter()
                .all(|process| process.end != End::Running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ledger with the given facts, read as a run reads it.
    fn file(pid: u32, load_ns: u64, exited: bool) -> LedgerFile {
        let builder = agx_ledger::builder::Builder::new(pid, 1, load_ns);
        let builder = if exited {
            builder.exited(load_ns + 1, agx_ledger::layout::exit_route::ATEXIT, 0)
        } else {
            builder
        };
        let ledger = Ledger::parse(&builder.build()).expect("the builder makes whole ledgers");
        LedgerFile {
            path: agx_ledger::file_name(pid, load_ns).into(),
            ledger,
        }
    }

    fn ends(files: Vec<LedgerFile>, waited: &[(u32, End)], alive: &[u32]) -> Vec<End> {
        let waited = waited.iter().copied().collect();
        TreeEvidence::of(files, vec![], &waited, &|pid| alive.contains(&pid))
            .processes
            .iter()
            .map(|process| process.end)
            .collect()
    }

    #[test]
    fn an_exit_on_record_is_clean_whatever_else_is_known() {
        assert_eq!(
            ends(vec![file(7, 1, true)], &[(7, End::Crashed)], &[7]),
            [End::Clean]
        );
    }

    #[test]
    fn exec_in_place_leaves_two_ledgers_and_only_the_last_has_an_end() {
        let files = vec![file(7, 1, false), file(7, 2, false)];
        assert_eq!(
            ends(files, &[(7, End::Crashed)], &[]),
            [End::Replaced, End::Crashed]
        );
    }

    #[test]
    fn without_exit_and_wait_status_a_process_runs_or_has_vanished() {
        let files = vec![file(7, 1, false), file(8, 2, false)];
        assert_eq!(ends(files, &[], &[8]), [End::Vanished, End::Running]);
    }

    #[test]
    fn an_unreadable_ledger_is_never_settled() {
        let unreadable = Unreadable {
            path: "7-1.ledger".into(),
            pid: Some(7),
            reason: "cut".into(),
        };
        let tree = TreeEvidence::of(vec![], vec![unreadable], &HashMap::new(), &|_| false);
        assert!(!tree.all_settled() && !tree.loaded());
    }
}
