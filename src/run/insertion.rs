//! Ends that the insertion itself brought about: never the target's fault.

use std::collections::{BTreeMap, BTreeSet};

use super::collect::Collected;
use super::expectation::waited;
use super::plan::Plan;
use super::record::Notice;
use super::supervise::{Ending, Outcome};
use crate::diagnose::loader::{LoaderLine, loader_line};

/// How many different lines are kept: each process of a tree may say one.
const KEPT: usize = 16;

/// What the loader said on the target's stderr.
#[derive(Debug, Default)]
pub(super) struct LoaderWords {
    refused: Vec<(Option<i32>, String)>,
    not_preloaded: BTreeMap<String, String>,
}

impl LoaderWords {
    /// Takes a line of stderr.
    pub(super) fn hear(&mut self, line: &str) {
        match loader_line(line) {
            Some(LoaderLine::Refused { pid }) if self.refused.len() < KEPT => {
                self.refused.push((pid, line.trim().to_owned()));
            }
            Some(LoaderLine::NotPreloaded { library, reason })
                if self.not_preloaded.len() < KEPT =>
            {
                self.not_preloaded
                    .insert(library.to_owned(), reason.to_owned());
            }
            _ => {}
        }
    }

    /// Processes that dyld ended because of what was inserted, each once: those of the tree that were
    /// aborted and said so, and those whose report tells it. A line alone proves nothing, as any
    /// program may print it: the wait status must fit.
    pub(super) fn refused(
        &self,
        plan: &Plan,
        outcome: &Outcome,
        reports: &[Collected],
    ) -> Vec<Refused> {
        if plan.library.is_none() {
            return Vec::new();
        }
        let aborted: BTreeSet<i32> = waited(outcome)
            .filter(|(_, ending)| {
                matches!(ending, Ending::Signaled { signal, .. } if *signal == libc::SIGABRT)
            })
            .map(|(pid, _)| pid)
            .collect();
        let said = self.refused.iter().filter_map(|(named, words)| {
            let pid = match named {
                Some(pid) => aborted.get(pid)?,
                None => aborted.first()?,
            };
            Some(Refused {
                pid: Some(*pid),
                words: words.clone(),
            })
        });
        let reported = reports.iter().filter_map(|collected| {
            Some(Refused {
                words: collected.refused.clone()?,
                pid: collected.report.as_ref().ok()?.process.pid,
            })
        });
        let mut known = BTreeSet::new();
        said.chain(reported)
            .filter(|refused| known.insert(refused.pid))
            .collect()
    }

    /// What the reader must know of them, and of libraries that ld.so went on without.
    pub(super) fn notices(&self, refused: &[Refused]) -> Vec<Notice> {
        let refused = refused.iter().map(|refused| Notice::InsertionRefused {
            pid: refused.pid,
            words: refused.words.clone(),
        });
        let not_preloaded =
            self.not_preloaded
                .iter()
                .map(|(library, reason)| Notice::NotPreloaded {
                    library: library.clone(),
                    reason: reason.clone(),
                });
        refused.chain(not_preloaded).collect()
    }
}

/// A process that the loader ended because of what was inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// Its pid, where it is known.
    pub(super) pid: Option<i32>,
    /// The loader's own words.
    pub(super) words: String,
}

/// The file names of what a run inserts. An alias of the library has the same.
pub(super) fn inserted_names(plan: &Plan) -> Vec<String> {
    plan.library
        .iter()
        .filter_map(|library| library.path.file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}
