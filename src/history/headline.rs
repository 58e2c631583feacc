//! What a run's crash is called, and whether it was an assertion or an error of the GPU.

use nix::sys::signal::Signal;

use super::kind::{Crash, Kind};
use crate::diagnose::{Signature, fingerprint, words};
use crate::reports::Report;
use crate::reports::frames;
use crate::run::collect::Collected;
use crate::run::execute::signal_name;
use crate::run::record::{RunRecord, SeenLine};
use crate::run::supervise::Ending;

/// The crash of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Headline {
    /// Equal for equal crashes: the signature's id, else the fingerprint, else the signal's name.
    pub id: Option<String>,
    /// What it is, for people.
    pub title: Option<String>,
}

/// What crashed in a run, if anything.
pub(super) fn crash(record: &RunRecord) -> Option<Crash> {
    let mut reports = crash_reports(record).peekable();
    if reports.peek().is_some() {
        let all = reports.all(|collected| collected.report.as_ref().is_ok_and(is_assertion));
        return Some(if all { Crash::Assertion } else { Crash::Other });
    }
    let mut signals = crash_signals(record).peekable();
    signals.peek()?;
    let said = record.lines.values().any(is_assertion_line);
    let assertion = said && signals.all(|signal| signal == Signal::SIGABRT as i32);
    Some(if assertion {
        Crash::Assertion
    } else {
        Crash::Other
    })
}

/// Whether the GPU reported an error that is the run's: on stderr, or by a report of its own.
pub(super) fn has_gpu_error(record: &RunRecord) -> bool {
    gpu_lines(record).next().is_some() || gpu_reports(record).next().is_some()
}

/// What the crash, or the GPU's error, is called.
pub(super) fn headline(record: &RunRecord, kind: Kind) -> Headline {
    let named = match kind {
        // The crash that is no assertion comes first: it is what made the run one.
        Kind::Crash => crash_reports(record)
            .filter(|collected| !collected.report.as_ref().is_ok_and(is_assertion))
            .chain(crash_reports(record))
            .find_map(of_report),
        // The sentence says more than a stack that says only `abort() called`.
        Kind::Assertion => crash_reports(record).find_map(of_report).or_else(|| {
            record
                .lines
                .values()
                .find(|line| is_assertion_line(line))
                .map(of_line)
        }),
        // Metal names the error; the system's report only says that there was one.
        Kind::GpuError => gpu_lines(record)
            .next()
            .map(of_line)
            .or_else(|| gpu_reports(record).find_map(of_report)),
        _ => return Headline::default(),
    };
    named
        .or_else(|| crash_signals(record).next().map(of_signal))
        .unwrap_or_default()
}

fn of_report(collected: &Collected) -> Option<Headline> {
    if let Some(diagnosis) = &collected.diagnosis {
        return Some(Headline {
            id: Some(diagnosis.id.clone()),
            title: Some(diagnosis.title.clone()),
        });
    }
    let report = collected.report.as_ref().ok()?;
    let exception = report
        .exception_title()
        .unwrap_or_else(|| report.kind.describe());
    let title = match frames::crashed_in(report) {
        Some(place) => format!("{exception} in {place}"),
        None => exception,
    };
    Some(Headline {
        id: Some(fingerprint(report).to_string()),
        title: Some(title),
    })
}

fn of_line(line: &SeenLine) -> Headline {
    let Signature { id, title, .. } = &line.signature;
    Headline {
        id: Some(id.clone()),
        title: Some(title.clone()),
    }
}

fn of_signal(signal: i32) -> Headline {
    let name = signal_name(signal);
    Headline {
        title: Some(format!("ended by {name}, and no report that could be read")),
        id: Some(name),
    }
}

/// Reports that tell of a process's crash, or cannot be read.
fn crash_reports(record: &RunRecord) -> impl Iterator<Item = &Collected> {
    counted(record).filter(|collected| !is_gpu(collected))
}

fn gpu_reports(record: &RunRecord) -> impl Iterator<Item = &Collected> {
    counted(record).filter(|collected| is_gpu(collected))
}

fn counted(record: &RunRecord) -> impl Iterator<Item = &Collected> {
    let reports = record.reports.iter();
    // One that the baseline knows is a crash all the same: a rate is not about what fails.
    reports.filter(|collected| collected.weight.is_crash())
}

fn is_gpu(collected: &Collected) -> bool {
    let report = collected.report.as_ref();
    report.is_ok_and(|report| report.kind.is_gpu())
}

/// Signals of crashes: the target's own, and those of descendants that left no report.
fn crash_signals(record: &RunRecord) -> impl Iterator<Item = i32> {
    let own = match record.outcome.ending {
        Ending::Signaled { signal, .. } if record.outcome.ending.is_crash() => Some(signal),
        _ => None,
    };
    let silent = record.silent_crashes.iter().map(|(_, signal)| *signal);
    own.into_iter().chain(silent)
}

/// Lines of the GPU's errors, without those that ended work for another process's fault.
fn gpu_lines(record: &RunRecord) -> impl Iterator<Item = &SeenLine> {
    let lines = record.lines.values();
    // The name that Metal gives every error of the GPU (`MTLCommandBufferError`, as PyTorch and MLX print it).
    lines.filter(|line| {
        line.signature.counts() && line.first.contains("kIOGPUCommandBufferCallbackError")
    })
}

/// Functions through which a program, Metal or Foundation gives up with a sentence; Metal's has suffixes such as `.cold.1`.
const ASSERTING: [&str; 4] = [
    "MTLReportFailure",
    "__assert_rtn",
    "__assert_fail",
    "-[NSAssertionHandler handleFailureIn",
];

/// What such sentences have in common: Metal's `failed assertion`, the C library's `Assertion failed` (macOS) and
/// `Assertion ... failed` (glibc), and the exception that Foundation raises.
fn is_assertion_text(text: &str) -> bool {
    text.contains("failed assertion")
        || text.contains("Assertion failed")
        || text.contains("NSInternalInconsistencyException")
        || (text.contains("Assertion `") && text.contains("' failed"))
}

fn is_assertion_line(line: &SeenLine) -> bool {
    line.signature.counts() && is_assertion_text(&line.first)
}

fn is_assertion(report: &Report) -> bool {
    let exception = report.exception.as_ref();
    let raised = |name: &str| {
        exception.is_some_and(|exception| {
            exception.kind.as_deref() == Some(name) || exception.signal.as_deref() == Some(name)
        })
    };
    if !raised("SIGABRT") {
        return false;
    }
    let frames = report.crashed_frames().iter();
    let symbols = frames.filter_map(|frame| frame.symbol.as_deref());
    symbols
        .into_iter()
        .any(|symbol| ASSERTING.iter().any(|name| symbol.starts_with(name)))
        || words(report).any(is_assertion_text)
}
