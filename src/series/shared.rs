//! Reports that belong to nobody and that several runs saw appear: each counts once.
//!
//! A report that names no process of a run's tree, and none that is known to be another's, counts in every run that saw it appear.
//! Runs at the same time all see it; only one of them can have been its cause.

use std::collections::HashMap;
use std::time::Duration;

use super::{SharedReport, Slot};
use crate::history::{Kind, ReportLine, RunLine};
use crate::run::verdict::exit_code;

/// What an attribution is called where it is not known whose a report is.
const NOBODYS: &str = "unknown";

/// Incidents of unknown origin that count in a run, with when that run had ended.
#[derive(Debug, Default)]
pub(super) struct Shared {
    counted: HashMap<String, (u64, Duration)>,
}

impl Shared {
    /// Takes what counts elsewhere already out of `line`, the run `slot` from `begun` to `ended` of the series' time.
    pub(super) fn settle(
        &mut self,
        slot: u64,
        begun: Duration,
        ended: Duration,
        line: &mut RunLine,
    ) {
        let mut elsewhere = Vec::new();
        for report in line.reports.iter_mut().filter(|it| it.counted) {
            if !is_nobodys(report) {
                continue;
            }
            let incident = incident(report);
            match self.counted.get(&incident) {
                // One that ended before this began had it in its own time: this is the next crash of the same file.
                Some(&(first, until)) if begun < until => {
                    report.counted = false;
                    elsewhere.push(format!(
                        "the crash report {} is nobody's and appeared while several runs went on: it counts in run {}",
                        report.file,
                        first + 1
                    ));
                }
                _ => {
                    self.counted.insert(incident, (slot, ended));
                }
            }
        }
        if elsewhere.is_empty() {
            return;
        }
        line.warnings.append(&mut elsewhere);
        if !line.reports.iter().any(|report| report.counted) {
            without_reports(line);
        }
    }
}

/// The reports of unknown origin that several of these runs saw.
pub(super) fn list(lines: &[(Slot, RunLine)]) -> Vec<SharedReport> {
    let mut found: Vec<(String, SharedReport)> = Vec::new();
    let nobodys = || {
        lines.iter().flat_map(|(slot, line)| {
            let reports = line.reports.iter().filter(|it| is_nobodys(it));
            reports.map(move |report| (slot.number, report))
        })
    };
    for (slot, report) in nobodys().filter(|(_, report)| report.counted) {
        found.push((
            incident(report),
            SharedReport {
                file: report.file.clone(),
                counted_in: slot,
                also_seen_in: Vec::new(),
            },
        ));
    }
    for (slot, report) in nobodys().filter(|(_, report)| !report.counted) {
        let of = incident(report);
        if let Some((_, shared)) = found.iter_mut().find(|(incident, _)| *incident == of) {
            shared.also_seen_in.push(slot);
        }
    }
    found
        .into_iter()
        .map(|(_, shared)| shared)
        .filter(|shared| !shared.also_seen_in.is_empty())
        .collect()
}

fn is_nobodys(report: &ReportLine) -> bool {
    report.attribution.as_deref() == Some(NOBODYS)
}

fn incident(report: &ReportLine) -> String {
    report
        .incident
        .clone()
        .unwrap_or_else(|| report.file.clone())
}

/// What the run amounts to where none of its reports counts.
fn without_reports(line: &mut RunLine) {
    line.reasons.retain(|reason| reason != "new_reports");
    let has = |reason: &str| line.reasons.iter().any(|it| it == reason);
    let crashed = has("crash_without_report")
        || line
            .signal_name
            .as_deref()
            .is_some_and(|name| CRASH_SIGNALS.contains(&name));
    if crashed || !matches!(line.kind, Kind::Crash | Kind::Assertion | Kind::GpuError) {
        return;
    }
    line.crash = None;
    line.title = None;
    let own = line.exit_code.unwrap_or(line.verdict);
    let not_injected = has("not_loaded") || (line.fix != "none" && line.injected == 0);
    let order = [
        (
            has("insertion_refused"),
            Kind::NotInjected,
            exit_code::FAILED,
        ),
        (has("not_loaded"), Kind::NotInjected, exit_code::NOT_LOADED),
        (not_injected, Kind::NotInjected, own),
        (has("unwatched"), Kind::Refused, exit_code::FAILED),
        (has("timed_out"), Kind::Hang, exit_code::TIMED_OUT),
        (has("signal"), Kind::Failure, line.verdict),
        (has("work_lost"), Kind::LostWork, exit_code::WORK_LOST),
        (own != exit_code::OK, Kind::Failure, own),
    ];
    let first = order.into_iter().find(|(applies, ..)| *applies);
    (_, line.kind, line.verdict) = first.unwrap_or((true, Kind::Clean, exit_code::OK));
}

/// Signals by which a program ends itself or is ended for what it did.
const CRASH_SIGNALS: [&str; 7] = [
    "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::{line, report, slot};

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn crash(number: u64, attribution: &str) -> RunLine {
        let mut line = line(number, Kind::Crash);
        line.reports.push(report("I", attribution));
        line.crash = Some("f".to_owned());
        line
    }

    #[test]
    fn what_is_nobodys_counts_in_the_first_of_the_runs_that_saw_it() {
        let mut shared = Shared::default();
        let (mut first, mut second) = (crash(0, "unknown"), crash(1, "unknown"));
        shared.settle(0, S(0), S(10), &mut first);
        shared.settle(1, S(5), S(12), &mut second);
        assert_eq!((first.kind, second.kind), (Kind::Crash, Kind::Clean));
        assert_eq!((second.verdict, second.crash.clone()), (0, None));
        assert!(!second.reports[0].counted);
        assert!(second.warnings[0].contains("it counts in run 1"));
        let listed = list(&[(slot(0), first), (slot(1), second)]);
        assert_eq!(
            listed,
            [SharedReport {
                file: "I.ips".to_owned(),
                counted_in: 0,
                also_seen_in: vec![1]
            }]
        );
    }

    #[test]
    fn a_report_that_has_an_owner_or_comes_later_counts_each_time() {
        let mut shared = Shared::default();
        let mut ours = [crash(0, "ours"), crash(1, "ours")];
        for (number, line) in (0..).zip(&mut ours) {
            shared.settle(number, S(0), S(9), line);
            assert_eq!(line.kind, Kind::Crash);
        }
        let (mut earlier, mut later) = (crash(2, "unknown"), crash(3, "unknown"));
        shared.settle(2, S(0), S(10), &mut earlier);
        shared.settle(3, S(10), S(20), &mut later);
        assert_eq!(later.kind, Kind::Crash, "the same file, written again");
        assert_eq!(list(&[(slot(2), earlier), (slot(3), later)]), []);
    }

    #[test]
    fn without_the_report_a_run_is_what_it_is_otherwise() {
        let settled = |change: fn(&mut RunLine)| {
            let mut shared = Shared::default();
            shared.settle(0, S(0), S(10), &mut crash(0, "unknown"));
            let mut line = crash(1, "unknown");
            change(&mut line);
            shared.settle(1, S(1), S(11), &mut line);
            (line.kind, line.verdict)
        };
        assert_eq!(settled(|_| ()), (Kind::Clean, 0));
        assert_eq!(settled(|it| it.exit_code = Some(3)), (Kind::Failure, 3));
        assert_eq!(settled(|it| it.injected = 0), (Kind::NotInjected, 0));
        let timed_out = |it: &mut RunLine| it.reasons.insert(0, "timed_out".to_owned());
        assert_eq!(settled(timed_out), (Kind::Hang, 124));
        let lost = |it: &mut RunLine| it.reasons.insert(1, "work_lost".to_owned());
        assert_eq!(settled(lost), (Kind::LostWork, 87));
        let by_signal = |it: &mut RunLine| {
            it.signal_name = Some("SIGSEGV".to_owned());
            it.verdict = 139;
        };
        assert_eq!(settled(by_signal), (Kind::Crash, 139), "it crashed anyhow");
        let another = |it: &mut RunLine| it.reports.push(report("J", "ours"));
        assert_eq!(settled(another), (Kind::Crash, 86));
    }
}
