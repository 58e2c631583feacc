//! The answer of `rehearse`: two verdicts side by side, and what they are worth.

use std::fmt::Write;

use agx_ledger::Counter;
use chrono::Utc;
use serde::Serialize;

use super::crash::CrashView;
use super::notices;
use super::terminal::{ERROR, OK, STRONG};
use crate::run::execute::signal_name;
use crate::run::record::RunRecord;
use crate::run::supervise::Ending;
use crate::run::verdict::exit_code;

/// What the rehearsal is, and is not.
const CAVEAT: &str = "This rehearses, on a driver of our own, the faults that others have published about Apple's AGX driver.\n\
It shows that launcher, hooks and gate work; it is no evidence about Apple's driver.";

/// Both runs.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Version of this layout.
    pub schema: u32,
    /// The run without the fix.
    pub without: Side,
    /// The run with it.
    pub with: Side,
    /// Whether the first crashed and the second ended well.
    pub as_expected: bool,
    /// What this is worth.
    pub caveat: &'static str,
    #[serde(skip)]
    threads: u16,
}

/// One run.
#[derive(Debug, Serialize)]
pub struct Side {
    /// What the run would have exited with.
    pub exit_code: u8,
    /// How the workload ended.
    pub ending: String,
    /// Seconds it ran.
    pub seconds: f64,
    /// Hooked calls.
    pub calls: u64,
    /// Calls that were not made.
    pub dropped: u64,
    /// The reports that appeared.
    pub crashes: Vec<CrashView>,
    /// What weakens the result.
    pub warnings: Vec<String>,
}

impl Side {
    fn of(record: &RunRecord) -> Self {
        let ending = match record.outcome.ending {
            Ending::Exited(code) => format!("exit {code}"),
            Ending::Signaled { signal, .. } => signal_name(signal),
        };
        Self {
            exit_code: record.verdict.exit_code,
            ending,
            seconds: record.outcome.duration.as_secs_f64(),
            calls: record.evidence.total(Counter::MethodCalls.name()),
            dropped: record.evidence.dropped_calls(),
            crashes: record
                .reports
                .iter()
                .filter_map(|collected| {
                    let file = collected.archived.as_ref().unwrap_or(&collected.path);
                    let report = collected.report.as_ref().ok()?;
                    let view = CrashView::of(file, report, collected.diagnosis.clone());
                    Some(view.with_fix(&collected.fix))
                })
                .collect(),
            warnings: notices::warnings(record),
        }
    }

    fn verdict(&self) -> String {
        match self.exit_code {
            0 => format!("{OK}ok{OK:#}"),
            code => format!("{ERROR}FAILED{ERROR:#} (exit {code})"),
        }
    }

    fn crashed(&self) -> bool {
        self.exit_code >= 128 || !self.crashes.is_empty()
    }
}

impl Answer {
    /// The answer from both records.
    pub fn of(without: &RunRecord, with: &RunRecord, threads: u16) -> Self {
        let (without, with) = (Side::of(without), Side::of(with));
        let as_expected = without.crashed() && with.exit_code == 0;
        Self {
            schema: super::run_json::SCHEMA,
            without,
            with,
            as_expected,
            caveat: CAVEAT,
            threads,
        }
    }

    /// 0 as expected; what the run with the fix exited with where that is not 0; else 125, as the
    /// control did not crash and nothing was shown.
    pub fn exit_code(&self) -> u8 {
        match (self.as_expected, self.with.exit_code) {
            (true, _) => exit_code::OK,
            (false, 0) => exit_code::FAILED,
            (false, code) => code,
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let rows = [
            ("verdict", self.without.verdict(), self.with.verdict()),
            (
                "the workload",
                self.without.ending.clone(),
                self.with.ending.clone(),
            ),
            (
                "ran for",
                seconds(self.without.seconds),
                seconds(self.with.seconds),
            ),
            (
                "crash reports",
                self.without.crashes.len().to_string(),
                self.with.crashes.len().to_string(),
            ),
            (
                "hooked calls",
                self.without.calls.to_string(),
                self.with.calls.to_string(),
            ),
            (
                "calls dropped",
                self.without.dropped.to_string(),
                self.with.dropped.to_string(),
            ),
        ];
        let mut text = format!(
            "{STRONG}{:<16}{:<24}{}{STRONG:#}\n",
            "", "without the fix", "with the fix"
        );
        for (label, without, with) in rows {
            // Styles take no room on the screen, so the width is counted without them.
            let width =
                24 + without.len() - anstream::adapter::strip_str(&without).to_string().len();
            let _ = writeln!(text, "{label:<16}{without:<width$}{with}");
        }
        for crash in self.without.crashes.iter().chain(&self.with.crashes) {
            let _ = write!(text, "\n{}", crash.text(Utc::now(), "  "));
        }
        for warning in self.without.warnings.iter().chain(&self.with.warnings) {
            let _ = writeln!(text, "\nwarning: {warning}");
        }
        if !self.as_expected {
            let _ = writeln!(text, "\n{ERROR}not as expected{ERROR:#}: {}", self.odd());
        }
        let _ = write!(text, "\n{CAVEAT}");
        text
    }

    fn odd(&self) -> String {
        if self.without.crashed() {
            "the workload did not end well with the fix".to_owned()
        } else if self.threads == 1 {
            "the control did not crash; with one thread it never does, so this run cannot tell"
                .to_owned()
        } else {
            "the control did not crash, so this run cannot tell".to_owned()
        }
    }
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.2} s")
}
