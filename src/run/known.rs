//! Crashes of a run that the baseline knows.

use super::collect::{Collected, Weight};
use super::record::Notice;
use super::supervise::{Ending, Outcome};

/// What of a run fails nothing, because the baseline knows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// How many reports.
    pub reports: usize,
    /// The signal that ended the target, where that is a crash whose every report is one of these.
    pub ending: Option<i32>,
}

impl Known {
    /// What these reports show.
    pub fn of(outcome: &Outcome, reports: &[Collected]) -> Self {
        let is_known = |collected: &&Collected| collected.weight == Weight::Known;
        Self {
            reports: reports.iter().filter(is_known).count(),
            ending: ending(outcome, reports),
        }
    }

    /// What the reader must know of it.
    pub(super) fn notice(&self) -> Option<Notice> {
        self.ending.map(|signal| Notice::KnownEnding { signal })
    }
}

fn ending(outcome: &Outcome, reports: &[Collected]) -> Option<i32> {
    let Ending::Signaled { signal, .. } = outcome.ending else {
        return None;
    };
    let is_the_targets = |collected: &&Collected| {
        let report = collected.report.as_ref();
        report.is_ok_and(|report| report.process.pid == Some(outcome.pid))
    };
    let mut weights = reports
        .iter()
        .filter(is_the_targets)
        .map(|collected| collected.weight)
        .filter(|weight| weight.is_crash())
        .peekable();
    let is_known = outcome.ending.is_crash()
        && weights.peek().is_some()
        && weights.all(|weight| weight == Weight::Known);
    is_known.then_some(signal)
}
