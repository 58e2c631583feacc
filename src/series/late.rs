//! Reports that come when the run whose crash they tell of has ended.
//!
//! A run waits for the report of its crash for a limited time, and counts the crash either way. The report then lies in the time of a
//! later run, which with `--scope any` counts whatever appears: one crash would be two.

use std::collections::VecDeque;

use super::disown::disown;
use crate::history::{Kind, ReportLine, RunLine};

/// Runs that crashed and whose report has not come.
#[derive(Debug, Default)]
pub(super) struct Late {
    without: VecDeque<u64>,
}

impl Late {
    /// Takes out of the line of run `slot` the reports of earlier crashes, one for each run that still lacks its own.
    pub fn settle(&mut self, slot: u64, line: &mut RunLine) {
        disown(line, |report| {
            let is_older = report.evidence.as_deref() == Some("older");
            let run = is_older.then(|| self.without.pop_front()).flatten()?;
            Some(format!(
                "the crash report {} came late: its crash was before this run began, and counts in run {}, which had none",
                report.file,
                run + 1
            ))
        });
        let crashed = matches!(line.kind, Kind::Crash | Kind::Assertion);
        if crashed && !line.reports.iter().any(ReportLine::is_counted) {
            self.without.push_back(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::{line, report};

    /// A run that crashed, with these reports: incident and what ties it to the run.
    fn crash(slot: u64, reports: &[(&str, &str)]) -> RunLine {
        let mut line = line(slot, Kind::Crash);
        for &(incident, evidence) in reports {
            let attribution = if evidence == "older" {
                "foreign"
            } else {
                "ours"
            };
            let mut report = report(incident, attribution);
            report.evidence = Some(evidence.to_owned());
            line.reports.push(report);
        }
        line
    }

    #[test]
    fn a_report_that_comes_late_is_no_second_crash() {
        let mut late = Late::default();
        let mut without = crash(0, &[]);
        without.reasons = vec!["signal".to_owned()];
        without.signal_name = Some("SIGSEGV".to_owned());
        late.settle(0, &mut without);
        assert_eq!(without.kind, Kind::Crash);
        let mut next = crash(1, &[("I", "older")]);
        late.settle(1, &mut next);
        assert_eq!((next.kind, next.verdict), (Kind::Clean, 0));
        assert!(
            next.warnings[0].contains("counts in run 1"),
            "{:?}",
            next.warnings
        );
        // Nobody lacks one any more: it is told of a crash that is in no run yet.
        let mut other = crash(2, &[("J", "older")]);
        late.settle(2, &mut other);
        assert_eq!(other.kind, Kind::Crash);
    }

    #[test]
    fn a_crash_of_its_own_stays_beside_a_late_report() {
        let mut late = Late::default();
        late.settle(0, &mut crash(0, &[]));
        let mut both = crash(1, &[("I", "older"), ("J", "process")]);
        late.settle(1, &mut both);
        assert_eq!(both.kind, Kind::Crash);
        assert!(!both.reports[0].counted && both.reports[1].counted);
    }
}
