//! One run of a series as a case.

use std::path::{Path, PathBuf};

use super::case::{Case, CaseResult, Problem};
use crate::history::{Kind, RunLine};
use crate::output::terminal::visible_up_to;

/// How much of a command names its case, in characters.
const NAME_WIDTH: usize = 200;

impl Case {
    /// The case of a run: its number in the series, within its arm; its command where it has none.
    ///
    /// What the run's kind is, the case is: a crash that a baseline knows, a run without the fix that was to be in it, and
    /// one that was interrupted are not counted.
    pub fn of(line: &RunLine) -> Self {
        let name = match line.slot {
            Some(slot) => format!("run {}", slot.saturating_add(1)),
            None => visible_up_to(NAME_WIDTH, &line.command.join(" ")),
        };
        let name = if line.attempt > 1 {
            format!("{name} (attempt {})", line.attempt)
        } else {
            name
        };
        let class = format!("agxrun.{}", line.arm.as_deref().unwrap_or("run"));
        Self {
            result: result(line),
            out: format!("{}\n", facts(line)),
            err: line.warnings.join("\n"),
            attachments: attachments(line),
            ..Self::passed(name, class, line.total)
        }
    }

    /// The same with its reports where they lie: a line names those in the archive by their name alone.
    #[must_use]
    pub fn in_archive(mut self, archive: &Path) -> Self {
        for path in &mut self.attachments {
            *path = archive.join(&path);
        }
        self
    }
}

fn result(line: &RunLine) -> CaseResult {
    let passed = line.verdict == 0;
    match line.kind {
        Kind::Clean => CaseResult::Passed,
        Kind::Crash | Kind::Assertion if passed => CaseResult::Skipped {
            message: format!("a crash that the baseline knows: {}", what(line)),
        },
        Kind::Interrupted => CaseResult::Skipped {
            message: "interrupted before its own end".to_owned(),
        },
        Kind::NotInjected if passed => CaseResult::Skipped {
            message: "the fix was to be in it and was not".to_owned(),
        },
        Kind::NotInjected | Kind::Refused => CaseResult::Errored(problem(line)),
        Kind::Crash
        | Kind::Assertion
        | Kind::GpuError
        | Kind::Hang
        | Kind::LostWork
        | Kind::Failure => CaseResult::Failed(problem(line)),
    }
}

fn problem(line: &RunLine) -> Problem {
    let mut text = facts(line);
    for warning in &line.warnings {
        text.push('\n');
        text.push_str(warning);
    }
    Problem {
        kind: line
            .crash
            .clone()
            .unwrap_or_else(|| line.kind.name().to_owned()),
        message: format!("{}: {}", line.kind.name().replace('_', " "), what(line)),
        text,
    }
}

/// What happened, in a few words.
fn what(line: &RunLine) -> String {
    let ended = ended(line);
    match (&line.title, &line.crash) {
        (Some(title), Some(id)) => format!("{title} [{id}], {ended}"),
        (Some(title), None) => format!("{title}, {ended}"),
        (None, _) => ended,
    }
}

fn ended(line: &RunLine) -> String {
    match (line.exit_code, &line.signal_name) {
        (_, Some(signal)) => format!("ended by {signal}"),
        (Some(code), None) => format!("exited {code}"),
        (None, None) => "not launched".to_owned(),
    }
}

fn facts(line: &RunLine) -> String {
    let mut lines = vec![
        format!("command: {}", line.command.join(" ")),
        format!(
            "fix: {}, {} after {:.3} s",
            line.fix,
            ended(line),
            line.wall
        ),
        format!(
            "run: {}, kind {}, exit {}",
            line.id, line.kind, line.verdict
        ),
    ];
    lines.extend(line.reports.iter().map(|report| {
        let process = report.process.as_deref().unwrap_or("an unnamed process");
        let print = report.fingerprint.as_deref().unwrap_or("unreadable");
        let signature = report.signature.as_deref().unwrap_or("no signature");
        format!("report: {process}, {print}, {signature}: {}", report.file)
    }));
    lines.join("\n")
}

/// The reports that made it fail, as the line names them: those in the archive by their name alone.
fn attachments(line: &RunLine) -> Vec<PathBuf> {
    line.reports
        .iter()
        .filter(|report| report.counted)
        .map(|report| PathBuf::from(&report.file))
        .collect()
}
