//! A run, with all its attempts, as one case.

use std::path::{Path, PathBuf};

use chrono::Utc;

use super::case::{Case, CaseResult, Problem, Suite};
use crate::output::attempts as told;
use crate::output::notices;
use crate::output::summary::{self, Voice};
use crate::output::terminal::visible_up_to;
use crate::run::attempts::Attempts;
use crate::run::collect::Weight;
use crate::run::execute::{command_line, signal_name};
use crate::run::options::RunOptions;
use crate::run::record::RunRecord;
use crate::run::verdict::{Reason, TargetEnding};

/// What a command's case belongs to.
const CLASS: &str = "agxrun.run";

/// How much of a command names its case, in characters.
const NAME_WIDTH: usize = 200;

/// A run as a suite of one case.
pub fn suite(attempts: &Attempts) -> Suite {
    let record = attempts.deciding();
    let started = attempts.records().first().unwrap_or(record).started;
    let name = name(&record.options);
    let policy = record.plan.policy.map(|expected| expected.policy.name);
    let fix = match (&record.plan.library, policy) {
        (None, _) => "none",
        (Some(_), Some(name)) => name,
        (Some(_), None) => "the library's own",
    };
    Suite::new(name.clone(), started.to_utc(), vec![case(attempts, name)])
        .with("agxrun", env!("CARGO_PKG_VERSION"))
        .with("fix", fix)
        .with("exit code", record.verdict.exit_code.to_string())
        .with("attempts", attempts.records().len().to_string())
}

/// A run that was not launched, or could not be watched.
pub fn refused(options: &RunOptions, why: String) -> Suite {
    let name = name(options);
    let mut case = Case::passed(name.clone(), CLASS, 0.0);
    case.result = CaseResult::Errored(Problem {
        kind: "refused".to_owned(),
        text: why.clone(),
        message: why,
    });
    Suite::new(name, Utc::now(), vec![case]).with("agxrun", env!("CARGO_PKG_VERSION"))
}

fn name(options: &RunOptions) -> String {
    visible_up_to(NAME_WIDTH, &command_line(options))
}

fn case(attempts: &Attempts, name: String) -> Case {
    let record = attempts.deciding();
    let seconds = attempts.records().iter().map(|record| record.total);
    let result = if attempts.are_flaky() {
        CaseResult::Flaky {
            allowed: attempts.retries().allow_flaky,
            crashes: attempts.crashed().map(problem).collect(),
        }
    } else {
        result(record)
    };
    let mut out = String::new();
    for record in attempts.records() {
        out += &said(record);
    }
    out += &told::line(attempts).map_or_else(String::new, |line| format!("agxrun: {line}\n"));
    let mut err = attempts
        .records()
        .iter()
        .flat_map(notices::warnings)
        .collect::<Vec<_>>();
    err.dedup();
    Case {
        name,
        class: CLASS.to_owned(),
        seconds: seconds.map(|total| total.as_secs_f64()).sum(),
        result,
        out: plain(&out),
        err: err.join("\n"),
        attachments: attempts.records().iter().flat_map(reports).collect(),
    }
}

/// What one attempt amounts to: red where its exit code is.
fn result(record: &RunRecord) -> CaseResult {
    let verdict = &record.verdict;
    if verdict.exit_code != 0 {
        // Ours, or somebody's who ended it: nothing is known of the target.
        let ours = [
            Reason::InsertionRefused,
            Reason::Unwatched,
            Reason::NotLoaded,
        ];
        let strongest = verdict.applied.first().map(|applied| applied.reason);
        let interrupted = record.outcome.cancelled_by.is_some()
            || strongest == Some(Reason::Signal) && !record.outcome.ending.is_crash();
        return if interrupted || strongest.is_some_and(|reason| ours.contains(&reason)) {
            CaseResult::Errored(problem(record))
        } else {
            CaseResult::Failed(problem(record))
        };
    }
    if verdict.has(Reason::KnownCrash) {
        let known: Vec<String> = record
            .reports
            .iter()
            .filter(|collected| collected.weight == Weight::Known)
            .filter_map(|collected| collected.listed.as_ref().map(ToString::to_string))
            .collect();
        return CaseResult::Skipped {
            message: known.join("; "),
        };
    }
    CaseResult::Passed
}

fn problem(record: &RunRecord) -> Problem {
    let verdict = &record.verdict;
    let counted = record
        .reports
        .iter()
        .filter(|collected| collected.weight.counts());
    let diagnoses = counted.filter_map(|collected| collected.diagnosis.as_ref());
    let what: Vec<String> = diagnoses
        .map(|diagnosis| format!("{} [{}]", diagnosis.title, diagnosis.id))
        .take(3)
        .collect();
    let reason = verdict.applied.first().map(|applied| applied.reason);
    let mut message = reason.map_or_else(String::new, |reason| words(record, reason));
    if !what.is_empty() {
        message = format!("{message}: {}", what.join("; "));
    }
    Problem {
        kind: reason.map_or("failure", name_of).to_owned(),
        message: format!("{message} (exit {})", verdict.exit_code),
        text: plain(&said(record)),
    }
}

fn words(record: &RunRecord, reason: Reason) -> String {
    match (reason, TargetEnding::from(record.outcome.ending)) {
        (Reason::Target, TargetEnding::Exited { code }) => format!("exited {code}"),
        (Reason::Signal, TargetEnding::Signaled { signal }) => {
            format!("ended by {}", signal_name(signal))
        }
        _ => name_of(reason).replace('_', " "),
    }
}

/// As in the JSON.
fn name_of(reason: Reason) -> &'static str {
    match reason {
        Reason::Target => "target",
        Reason::InsertionRefused => "insertion_refused",
        Reason::Signal => "signal",
        Reason::TimedOut => "timed_out",
        Reason::Unwatched => "unwatched",
        Reason::NewReports => "new_reports",
        Reason::CrashWithoutReport => "crash_without_report",
        Reason::NotLoaded => "not_loaded",
        Reason::WorkLost => "work_lost",
        Reason::HooksUndone => "hooks_undone",
        Reason::Bypassed => "bypassed",
        Reason::KnownCrash => "known_crash",
    }
}

fn reports(record: &RunRecord) -> impl Iterator<Item = PathBuf> {
    let crashes = record.reports.iter();
    crashes
        .filter(|collected| collected.weight.is_crash())
        .map(|collected| absolute(collected.file()))
}

fn absolute(path: &Path) -> PathBuf {
    // It fails for an empty path alone.
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// What was said on stderr at its end.
fn said(record: &RunRecord) -> String {
    summary::text(record, Voice::default())
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
