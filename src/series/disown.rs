//! What a run amounts to without a report that is another run's.

use crate::history::{Kind, ReportLine, RunLine};
use crate::run::verdict::exit_code;

/// Signals by which a program ends itself or is ended for what it did.
const CRASH_SIGNALS: [&str; 7] = [
    "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP",
];

/// How ReportCrash begins the names of the files that tell of the GPU's errors.
const GPU_FILE: &str = "gpuEvent-";

/// Takes the counted reports out of `line` that `elsewhere` gives a sentence for, which becomes a warning.
pub(super) fn disown(line: &mut RunLine, mut elsewhere: impl FnMut(&ReportLine) -> Option<String>) {
    let mut taken = Vec::new();
    for report in line.reports.iter_mut().filter(|it| it.is_counted()) {
        if let Some(sentence) = elsewhere(report) {
            report.counted = false;
            report.known = false;
            line.warnings.push(sentence);
            taken.push(report.clone());
        }
    }
    if taken.is_empty() {
        return;
    }
    if !line.reports.iter().any(|report| report.counted) {
        line.reasons
            .retain(|reason| reason != "new_reports" && reason != "bypassed");
    }
    if !line.reports.iter().any(|report| report.known) {
        line.reasons.retain(|reason| reason != "known_crash");
    }
    let (kind, verdict) = weighed(line);
    line.verdict = verdict;
    let named = taken.iter().any(|report| is_named_by(line, report));
    // An error of the GPU that is called otherwise stood on stderr.
    if !named && (kind == line.kind || line.kind == Kind::GpuError) {
        return;
    }
    line.kind = kind;
    (line.crash, line.title) = name(line);
}

/// Whether the line's crash is called after this report.
fn is_named_by(line: &RunLine, report: &ReportLine) -> bool {
    line.crash.is_some() && (line.crash == report.signature || line.crash == report.fingerprint)
}

/// Kind and verdict by what the line still has.
fn weighed(line: &RunLine) -> (Kind, u8) {
    let has = |reason: &str| line.reasons.iter().any(|it| it == reason);
    let lost_work = ["work_lost", "hooks_undone", "bypassed"]
        .into_iter()
        .any(has);
    let own = line.exit_code.unwrap_or(line.verdict);
    let verdicts = [
        (has("insertion_refused"), exit_code::FAILED),
        (has("timed_out"), exit_code::TIMED_OUT),
        (has("signal"), line.verdict),
        (has("unwatched"), exit_code::FAILED),
        (has("new_reports"), exit_code::CRASH_GATE),
        (has("crash_without_report"), exit_code::CRASH_GATE),
        (has("not_loaded"), exit_code::NOT_LOADED),
        (lost_work, exit_code::WORK_LOST),
        (has("target"), own),
    ];
    let verdict = first(&verdicts).unwrap_or(exit_code::OK);
    let mut left = line.reports.iter().filter(|it| it.is_counted()).peekable();
    let crashed = ended_by_crash(line) || has("crash_without_report");
    let is_crash = matches!(line.kind, Kind::Crash | Kind::Assertion);
    // Of these no report has made the run what it is.
    if !is_crash && (line.kind != Kind::GpuError || left.peek().is_some()) {
        return (line.kind, verdict);
    }
    if left.peek().is_some() {
        let gpu_alone = !crashed && left.all(|report| report.file.starts_with(GPU_FILE));
        let kind = if gpu_alone { Kind::GpuError } else { line.kind };
        return (kind, verdict);
    }
    if crashed {
        return (line.kind, verdict);
    }
    let injected = line.fix == "none" || line.injected > 0;
    let kinds = [
        (
            has("insertion_refused") || has("not_loaded") || !injected,
            Kind::NotInjected,
        ),
        (ended_from_outside(line), Kind::Interrupted),
        (has("unwatched"), Kind::Refused),
        (has("timed_out"), Kind::Hang),
        (lost_work, Kind::LostWork),
        (has("signal") || own != exit_code::OK, Kind::Failure),
    ];
    (first(&kinds).unwrap_or(Kind::Clean), verdict)
}

fn first<T: Copy>(order: &[(bool, T)]) -> Option<T> {
    let found = order.iter().find(|(applies, _)| *applies);
    found.map(|(_, what)| *what)
}

fn ended_by_crash(line: &RunLine) -> bool {
    let name = line.signal_name.as_deref();
    name.is_some_and(|name| CRASH_SIGNALS.contains(&name))
}

/// By us, whose TERM a run passes on, or by a terminal. A target may send itself the same; then it shows nothing.
fn ended_from_outside(line: &RunLine) -> bool {
    let is_time_out = line.reasons.iter().any(|reason| reason == "timed_out");
    let name = line.signal_name.as_deref();
    !is_time_out && name.is_some_and(|name| ["SIGHUP", "SIGINT", "SIGTERM"].contains(&name))
}

/// What the crash is called by what is left, for machines and for people.
fn name(line: &RunLine) -> (Option<String>, Option<String>) {
    if !matches!(line.kind, Kind::Crash | Kind::Assertion | Kind::GpuError) {
        return (None, None);
    }
    if let Some(report) = line.reports.iter().find(|it| it.is_counted()) {
        let id = report.signature.clone().or(report.fingerprint.clone());
        let process = report.process.as_deref().unwrap_or("a process");
        return (id, Some(format!("{process} crashed, see {}", report.file)));
    }
    let own = line.signal_name.clone().filter(|_| ended_by_crash(line));
    let title = match &own {
        Some(signal) => format!("ended by {signal}, and no report that could be read"),
        None => "a process crashed and left no report".to_owned(),
    };
    (own, Some(title))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::{line, report};

    /// A run that counts the report I, without it.
    fn settled(change: fn(&mut RunLine)) -> RunLine {
        let mut line = line(1, Kind::Crash);
        line.reports.push(report("I", "unknown"));
        line.crash = Some("f".to_owned());
        line.reports[0].fingerprint.clone_from(&line.crash);
        line.title = Some("a crash".to_owned());
        change(&mut line);
        disown(&mut line, |report| {
            let is_taken = report.incident.as_deref() == Some("I");
            is_taken.then(|| "elsewhere".to_owned())
        });
        line
    }

    fn comes_to(change: fn(&mut RunLine)) -> (Kind, u8, Option<String>) {
        let line = settled(change);
        (line.kind, line.verdict, line.crash)
    }

    #[test]
    fn without_the_report_a_run_is_what_it_is_otherwise() {
        assert_eq!(comes_to(|_| ()), (Kind::Clean, 0, None));
        let failed = comes_to(|it| it.exit_code = Some(3));
        assert_eq!(failed, (Kind::Failure, 3, None));
        let not_injected = comes_to(|it| it.injected = 0);
        assert_eq!(not_injected, (Kind::NotInjected, 0, None));
        let bare = comes_to(|it| (it.fix, it.injected) = ("none".to_owned(), 0));
        assert_eq!(bare, (Kind::Clean, 0, None));
        let timed_out = comes_to(|it| {
            it.reasons.insert(0, "timed_out".to_owned());
            it.verdict = 124;
        });
        assert_eq!(timed_out, (Kind::Hang, 124, None));
        let lost = comes_to(|it| it.reasons.insert(1, "work_lost".to_owned()));
        assert_eq!(lost, (Kind::LostWork, 87, None));
        let killed = comes_to(|it| {
            it.reasons = vec!["signal".to_owned(), "new_reports".to_owned()];
            (it.signal_name, it.exit_code) = (Some("SIGKILL".to_owned()), None);
            it.verdict = 137;
        });
        assert_eq!(killed, (Kind::Failure, 137, None));
        let ended = comes_to(|it| {
            it.reasons = vec!["signal".to_owned(), "new_reports".to_owned()];
            (it.signal_name, it.exit_code) = (Some("SIGTERM".to_owned()), None);
            it.verdict = 143;
        });
        assert_eq!(ended, (Kind::Interrupted, 143, None));
    }

    #[test]
    fn what_crashed_anyhow_is_called_after_what_is_left() {
        let by_signal = settled(|it| {
            it.reasons.insert(0, "signal".to_owned());
            it.signal_name = Some("SIGSEGV".to_owned());
            it.verdict = 139;
        });
        assert_eq!((by_signal.kind, by_signal.verdict), (Kind::Crash, 139));
        assert_eq!(by_signal.crash.as_deref(), Some("SIGSEGV"));
        let another = settled(|it| {
            it.reports.push(report("J", "ours"));
            it.reports[1].signature = Some("s".to_owned());
        });
        assert_eq!((another.kind, another.verdict), (Kind::Crash, 86));
        assert_eq!(another.crash.as_deref(), Some("s"));
        let silent = comes_to(|it| it.reasons.push("crash_without_report".to_owned()));
        assert_eq!(silent, (Kind::Crash, 86, None));
        let gpu = comes_to(|it| it.reports.push(report("gpuEvent-Python-1", "unknown")));
        assert_eq!((gpu.0, gpu.1), (Kind::GpuError, 86));
    }

    #[test]
    fn a_crash_that_the_baseline_knows_is_taken_out_as_well() {
        let known = settled(|it| {
            (it.reports[0].counted, it.reports[0].known) = (false, true);
            it.reasons = vec!["target".to_owned(), "known_crash".to_owned()];
            it.verdict = 0;
        });
        assert_eq!((known.kind, known.verdict), (Kind::Clean, 0));
        assert_eq!(known.reasons, ["target"]);
    }

    #[test]
    fn what_nobody_else_has_stays_as_it_is() {
        let mut line = line(1, Kind::Crash);
        line.reports.push(report("I", "ours"));
        let before = line.clone();
        disown(&mut line, |_| None);
        assert_eq!(line, before);
    }
}
