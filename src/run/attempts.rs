//! A run that crashed, made again: what the attempts amount to together.

use super::record::RunRecord;
use super::verdict::{Reason, exit_code};

/// When a run is made again, and what that may change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retries {
    /// So often at most; 0 is never.
    pub limit: u32,
    /// Whether a success after a crash is one.
    pub allow_flaky: bool,
}

/// The attempts at one run, in the order in which they were made; at least one.
#[derive(Debug)]
pub struct Attempts {
    records: Vec<RunRecord>,
    retries: Retries,
}

impl Attempts {
    /// After the first.
    pub fn new(first: RunRecord, retries: Retries) -> Self {
        Self {
            records: vec![first],
            retries,
        }
    }

    /// After another.
    pub fn push(&mut self, record: RunRecord) {
        self.records.push(record);
    }

    /// All of them.
    pub fn records(&self) -> &[RunRecord] {
        &self.records
    }

    /// What was asked for.
    pub fn retries(&self) -> Retries {
        self.retries
    }

    /// Whether there is to be another: the last one crashed, and was not the last allowed.
    pub fn want_another(&self) -> bool {
        let made = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        made <= self.retries.limit && self.ends().last().is_some_and(|end| end == End::Crashed)
    }

    /// The one whose verdict is that of all.
    pub fn deciding(&self) -> &RunRecord {
        let ends: Vec<End> = self.ends().collect();
        &self.records[deciding(&ends, self.retries.allow_flaky)]
    }

    /// Whether it crashed, and then passed.
    pub fn are_flaky(&self) -> bool {
        let ends: Vec<End> = self.ends().collect();
        ends.contains(&End::Crashed) && ends.last() == Some(&End::Passed)
    }

    /// Those that crashed.
    pub fn crashed(&self) -> impl Iterator<Item = &RunRecord> {
        self.records
            .iter()
            .filter(|record| End::of(record) == End::Crashed)
    }

    fn ends(&self) -> impl Iterator<Item = End> {
        self.records.iter().map(End::of)
    }
}

/// What one attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// In exit code 0.
    Passed,
    /// In a crash that the baseline does not know. Nothing else is tried again: a target that says that it failed,
    /// a time-out, and work that was lost are answers.
    Crashed,
    /// From outside.
    Interrupted,
    /// In any other way.
    Failed,
}

impl End {
    fn of(record: &RunRecord) -> Self {
        let verdict = &record.verdict;
        let ending = record.outcome.ending;
        let is_signal = verdict.has(Reason::Signal);
        let not_a_crash = [
            Reason::InsertionRefused,
            Reason::TimedOut,
            Reason::Unwatched,
        ];
        if record.outcome.cancelled_by.is_some() || is_signal && !ending.is_crash() {
            Self::Interrupted
        } else if verdict.exit_code == exit_code::OK {
            Self::Passed
        } else if not_a_crash.into_iter().any(|reason| verdict.has(reason)) {
            Self::Failed
        } else if is_signal
            || verdict.has(Reason::NewReports)
            || verdict.has(Reason::CrashWithoutReport)
        {
            Self::Crashed
        } else {
            Self::Failed
        }
    }
}

/// Which attempt decides. The first crash does, whatever came after it: trying again tells a flaky run from one that
/// always crashes, and makes neither good. Only where that was asked for does the last attempt stand for all. One that
/// was interrupted always does: whoever ended it wants everything to end.
fn deciding(ends: &[End], allow_flaky: bool) -> usize {
    let last = ends.len().saturating_sub(1);
    if allow_flaky || ends.last() == Some(&End::Interrupted) {
        return last;
    }
    ends.iter()
        .position(|end| *end == End::Crashed)
        .unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::End::{Crashed, Failed, Interrupted, Passed};
    use super::deciding;

    #[test]
    fn the_first_crash_decides_unless_a_flaky_run_is_accepted() {
        for (ends, strict, lenient) in [
            (&[Passed][..], 0, 0),
            (&[Failed], 0, 0),
            (&[Crashed, Passed], 0, 1),
            (&[Crashed, Crashed, Passed], 0, 2),
            (&[Crashed, Crashed], 0, 1),
            (&[Crashed, Failed], 0, 1),
            (&[Crashed, Interrupted], 1, 1),
            (&[Interrupted], 0, 0),
        ] {
            assert_eq!(deciding(ends, false), strict, "{ends:?}");
            assert_eq!(deciding(ends, true), lenient, "{ends:?}");
        }
    }
}
