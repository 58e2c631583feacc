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
                        "the crash report {} is nobody's and appeared while several runs went on: it counts in run {first}",
                        report.file
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
