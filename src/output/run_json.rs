//! The run's record as JSON, for `--json`. Every field may be absent or null in another version;
//! `schema` grows when one changes its meaning.

use agx_ledger::{Counter, State};
use anyhow::{Context, Result};
use serde::Serialize;

use super::crash::CrashView;
use super::inspect_json::Judgement;
use super::notices;
use crate::evidence::{Census, ProcessEvidence};
use crate::history::Kind;
use crate::reports::attribution::Attribution;
use crate::run::arrival::Arrival;
use crate::run::attempts::Attempts;
use crate::run::collect::{Collected, Novelty, Weight};
use crate::run::execute::{command_line, signal_name};
use crate::run::options::LockScope;
use crate::run::policy::Expected;
use crate::run::record::RunRecord;
use crate::run::settle::Settled;
use crate::run::supervise::{Descendants, Ending};
use crate::run::verdict::{TargetEnding, Verdict};

/// The version of this layout.
pub const SCHEMA: u32 = 1;

/// The record of the attempt that decided as JSON, with a few facts of each attempt.
pub fn text(attempts: &Attempts) -> Result<String> {
    let view = View {
        flaky: attempts.are_flaky(),
        attempts: attempts.records().iter().map(attempt).collect(),
        ..view(attempts.deciding())
    };
    let mut text = serde_json::to_string_pretty(&view).context("cannot form the JSON")?;
    text.push('\n');
    Ok(text)
}

/// The record as it is serialised.
#[derive(Serialize)]
struct View<'a> {
    schema: u32,
    agxrun: &'static str,
    command: String,
    program: String,
    started: String,
    /// Of the target, in seconds.
    duration: f64,
    pid: i32,
    ending: Ended,
    timed_out: bool,
    needed_kill: bool,
    verdict: &'a Verdict,
    /// What the run amounts to, as its line in the history says it.
    kind: Kind,
    /// Whether it crashed in one attempt and passed in a later one.
    flaky: bool,
    /// What became of each attempt; the other fields are those of the one that decided.
    attempts: Vec<Attempt<'a>>,
    fix: Option<Fix<'a>>,
    /// What a census found; null where none was asked for, or no process had hooks.
    census: Option<Census>,
    /// What was foreseen of the library's way into the target.
    preflight: Option<Preflight<'a>>,
    processes: Vec<Process>,
    reports: Vec<Report<'a>>,
    stderr: Stderr,
    watched: Vec<String>,
    settled: &'a Settled,
    orphans: Vec<Orphan>,
    left_behind: &'a [i32],
    descendants: &'static str,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Ended {
    #[serde(flatten)]
    ending: TargetEnding,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    core_dumped: Option<bool>,
}

#[derive(Serialize)]
struct Attempt<'a> {
    started: String,
    duration: f64,
    pid: i32,
    ending: Ended,
    verdict: &'a Verdict,
    kind: Kind,
    /// The reports' files, in the archive where they were copied.
    reports: Vec<String>,
}

#[derive(Serialize)]
struct Fix<'a> {
    library: String,
    origin: &'static str,
    requested_policy: Option<&'a str>,
    /// What the library should follow, and why.
    policy: Option<&'a str>,
    policy_by: Option<&'a str>,
    throttle: Option<u16>,
    lock_scope: Option<&'a str>,
    /// Whether a census was asked for by option.
    census: bool,
    loaded: usize,
    armed: usize,
    dropped_calls: u64,
    missing_hooks: u64,
}

#[derive(Serialize)]
struct Preflight<'a> {
    verdict: Judgement<'a>,
    /// What was launched in place of the command, because the command's own first file would have
    /// dropped the library.
    launched: Option<String>,
    instead_of: Option<Judgement<'a>>,
}

#[derive(Serialize)]
struct Process {
    pid: u32,
    parent: u32,
    executable: String,
    policy: String,
    phase: String,
    armed: bool,
    disabled: bool,
    end: crate::evidence::End,
    counters: serde_json::Map<String, serde_json::Value>,
    in_flight: Vec<String>,
    /// Methods that should be hooked and are not, and those that a published list names and no class has.
    unhooked: Vec<Unhooked>,
}

#[derive(Serialize)]
struct Unhooked {
    method: String,
    reason: String,
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    crash: Option<CrashView>,
    path: String,
    archived: Option<String>,
    novelty: Novelty,
    weight: Weight,
    #[serde(flatten)]
    attribution: Option<&'a Attribution>,
    error: Option<String>,
}

#[derive(Serialize)]
struct Stderr {
    kind: String,
    bytes: u64,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    signature: String,
    first: String,
    count: u64,
}

#[derive(Serialize)]
struct Orphan {
    pid: i32,
    ending: Ended,
}

fn preflight(arrival: &Arrival) -> Preflight<'_> {
    let inspection = &arrival.inspection;
    let direct = inspection.direct.as_ref();
    Preflight {
        verdict: Judgement::of(&inspection.verdict),
        launched: direct.map(|direct| {
            let call = &inspection.steps[direct.step].step.call;
            call.program.display().to_string()
        }),
        instead_of: direct.map(|direct| Judgement::of(&direct.instead_of)),
    }
}

fn view(record: &RunRecord) -> View<'_> {
    let outcome = &record.outcome;
    let evidence = &record.evidence;
    let expected =
        |of: fn(&Expected) -> Option<&'static str>| record.plan.policy.as_ref().and_then(of);
    View {
        schema: SCHEMA,
        agxrun: env!("CARGO_PKG_VERSION"),
        command: command_line(&record.options),
        program: record.plan.target.program.display().to_string(),
        started: record.started.to_rfc3339(),
        duration: outcome.duration.as_secs_f64(),
        pid: outcome.pid,
        ending: ended(outcome.ending),
        timed_out: outcome.timed_out.is_some(),
        needed_kill: outcome.needed_kill,
        verdict: &record.verdict,
        kind: Kind::of(record),
        flaky: false,
        attempts: Vec::new(),
        fix: record.plan.library.as_ref().map(|library| Fix {
            library: library.path.display().to_string(),
            origin: library.origin.phrase(),
            requested_policy: expected(|it| it.is_asked().then_some(it.policy.name)),
            policy: expected(|it| Some(it.policy.name)),
            policy_by: expected(|it| Some(it.by.phrase())),
            throttle: record.plan.tuning.throttle,
            lock_scope: record.plan.tuning.lock_scope.map(LockScope::name),
            census: record.plan.tuning.census,
            loaded: evidence.processes.len(),
            armed: evidence.armed(),
            dropped_calls: evidence.dropped_calls(),
            missing_hooks: evidence.missing_hooks(),
        }),
        census: Census::of(evidence),
        preflight: record.plan.arrival.as_ref().map(preflight),
        processes: evidence.processes.iter().map(process).collect(),
        reports: record.reports.iter().map(report).collect(),
        stderr: Stderr {
            kind: format!("{:?}", outcome.stderr.kind),
            bytes: outcome.stderr.bytes,
            lines: record
                .lines
                .values()
                .map(|line| Line {
                    signature: line.signature.id.clone(),
                    first: line.first.clone(),
                    count: line.count,
                })
                .collect(),
        },
        watched: record
            .plan
            .folders
            .iter()
            .map(|folder| folder.path.display().to_string())
            .collect(),
        settled: &record.settled,
        orphans: outcome
            .orphans
            .iter()
            .map(|orphan| Orphan {
                pid: orphan.pid,
                ending: ended(orphan.ending),
            })
            .collect(),
        left_behind: &outcome.left_behind,
        descendants: match outcome.descendants {
            Descendants::None => "none",
            Descendants::Some => "some",
            Descendants::Unknown(_) => "unknown",
        },
        warnings: notices::warnings(record),
    }
}

fn attempt(record: &RunRecord) -> Attempt<'_> {
    Attempt {
        started: record.started.to_rfc3339(),
        duration: record.outcome.duration.as_secs_f64(),
        pid: record.outcome.pid,
        ending: ended(record.outcome.ending),
        verdict: &record.verdict,
        kind: Kind::of(record),
        reports: record
            .reports
            .iter()
            .map(|collected| collected.file().display().to_string())
            .collect(),
    }
}

fn ended(ending: Ending) -> Ended {
    let (signal_name, core_dumped) = match ending {
        Ending::Exited(_) => (None, None),
        Ending::Signaled {
            signal,
            core_dumped,
        } => (Some(signal_name(signal)), Some(core_dumped)),
    };
    Ended {
        ending: ending.into(),
        signal_name,
        core_dumped,
    }
}

fn process(process: &ProcessEvidence) -> Process {
    let ledger = process.ledger();
    Process {
        pid: ledger.pid,
        parent: ledger.parent,
        executable: String::from_utf8_lossy(&ledger.executable).into_owned(),
        policy: ledger.policy.clone(),
        phase: ledger.phase.to_string(),
        armed: ledger.armed,
        disabled: ledger.disabled,
        end: process.end,
        // What is zero says nothing; the calls are always said.
        counters: ledger
            .counters
            .iter()
            .filter(|(name, value)| *value > 0 || name == Counter::MethodCalls.name())
            .map(|(name, value)| (name.clone(), (*value).into()))
            .collect(),
        in_flight: ledger.in_flight().iter().map(ToString::to_string).collect(),
        unhooked: ledger
            .in_state(State::Unhooked)
            .map(|entry| Unhooked {
                method: entry.method(),
                reason: entry
                    .reason
                    .map_or_else(String::new, |reason| reason.to_string()),
            })
            .collect(),
    }
}

fn report(collected: &Collected) -> Report<'_> {
    Report {
        crash: collected.report.as_ref().ok().map(|report| {
            let view = CrashView::of(&collected.path, report, collected.diagnosis.clone());
            view.with_fix(&collected.fix)
                .with_baseline(collected.listed.clone())
        }),
        path: collected.path.display().to_string(),
        archived: collected
            .archived
            .as_ref()
            .ok()
            .map(|path| path.display().to_string()),
        novelty: collected.novelty,
        weight: collected.weight,
        attribution: collected.attribution.as_ref(),
        error: collected.report.as_ref().err().map(ToString::to_string),
    }
}
