//! Children of ours, and processes below the target, that are not of its tree.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::os::{self, Program};
use crate::run::supervise::outcome::{Descendants, Ending};

/// Processes that are neither waited for, nor signalled, nor counted.
pub(in crate::run::supervise) struct Outsiders {
    /// Children that we had before the target, or started ourselves.
    ours: BTreeSet<i32>,
    /// [`Launch::not_of_the_tree`](crate::run::launch::Launch::not_of_the_tree).
    programs: Vec<Program>,
    /// Children of ours that were seen to run one of them, and are not reaped yet.
    seen: BTreeSet<i32>,
}

impl Outsiders {
    pub(in crate::run::supervise) fn new(ours: BTreeSet<i32>, programs: &[PathBuf]) -> Self {
        Outsiders {
            ours,
            programs: programs
                .iter()
                .filter_map(|path| Program::find(path))
                .collect(),
            seen: BTreeSet::new(),
        }
    }

    /// A process that we started.
    pub(in crate::run::supervise) fn add(&mut self, pids: impl IntoIterator<Item = i32>) {
        self.ours.extend(pids);
    }

    /// Whether `pid`, which is not reaped, is one.
    pub(in crate::run::supervise) fn contains(&mut self, pid: i32) -> bool {
        if self.ours.contains(&pid) || self.seen.contains(&pid) {
            return true;
        }
        let runs_one = self.programs.iter().any(|program| program.is_run_by(pid));
        if runs_one {
            self.seen.insert(pid);
        }
        runs_one
    }

    /// Remembers the orphans that run one of the programs now: once they have ended, less can be
    /// asked about them.
    pub(in crate::run::supervise) fn look(&mut self) {
        if self.programs.is_empty() {
            return;
        }
        for pid in os::orphans() {
            self.contains(pid);
        }
    }

    /// `pid` is reaped: its number may be another process's from now on.
    pub(in crate::run::supervise) fn forget(&mut self, pid: i32) {
        self.seen.remove(&pid);
        self.ours.remove(&pid);
    }

    /// What the accounts of a target that ended with `ending` say of its descendants.
    pub(in crate::run::supervise) fn qualify(
        &self,
        accounts: Descendants,
        ending: Ending,
    ) -> Descendants {
        match accounts {
            Descendants::Some if ending.is_crash() && !self.programs.is_empty() => {
                Descendants::Unknown(
                    "the target crashed, and what its crash handler started stands in the same \
                     account as children of its own"
                        .to_owned(),
                )
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGV: Ending = Ending::Signaled {
        signal: libc::SIGSEGV,
        core_dumped: false,
    };

    #[test]
    fn a_crash_handlers_children_are_no_evidence() {
        let with = Outsiders::new(BTreeSet::new(), &["/bin/true".into()]);
        let without = Outsiders::new(BTreeSet::new(), &[]);
        let unknown = |d| matches!(d, Descendants::Unknown(_));
        assert!(unknown(with.qualify(Descendants::Some, SEGV)));
        assert_eq!(with.qualify(Descendants::None, SEGV), Descendants::None);
        assert_eq!(without.qualify(Descendants::Some, SEGV), Descendants::Some);
        let exited = Ending::Exited(0);
        assert_eq!(with.qualify(Descendants::Some, exited), Descendants::Some);
    }

    #[test]
    fn a_reaped_number_is_forgotten() {
        let mut outsiders = Outsiders::new(BTreeSet::from([7]), &[]);
        assert!(outsiders.contains(7));
        outsiders.forget(7);
        assert!(!outsiders.contains(7));
    }
}
