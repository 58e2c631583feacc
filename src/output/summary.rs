//! The run's summary for people, on stderr.

use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Duration;

use agx_ledger::{Counter, State};
use chrono::Utc;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::baseline;
use super::building::Building;
use super::census;
use super::crash::CrashView;
use super::inspect;
use super::notices;
use super::terminal::{self, DIM, ERROR, OK, STRONG, WARNING, visible};
use crate::evidence::Census;
use crate::inject::Artifact;
use crate::inject::build::Stage;
use crate::run::collect::{Collected, Novelty, Weight};
use crate::run::execute::{Watcher, signal_name};
use crate::run::plan::Plan;
use crate::run::record::RunRecord;
use crate::run::settle::Waiting;
use crate::run::supervise::Ending;
use crate::run::verdict::{Applied, Reason, exit_code};

/// How many crash reports are told in full before the rest is counted.
const REPORTS_SHOWN: usize = 10;

/// How much is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Voice {
    /// Nothing unless something is wrong.
    pub quiet: bool,
    /// What is launched, with what, and what was seen.
    pub verbose: bool,
}

/// Tells what happens while it happens.
pub struct Progress {
    voice: Voice,
    building: Building,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Progress in this voice.
    pub fn new(voice: Voice) -> Self {
        Self {
            voice,
            building: Building::default(),
            bar: None,
        }
    }
}

impl Watcher for Progress {
    fn building(&mut self, artifact: Artifact, stage: Stage<'_>) {
        if !self.voice.quiet {
            self.building.show(artifact, stage);
        }
    }

    fn planned(&mut self, plan: &Plan) {
        self.building.done();
        if !self.voice.verbose {
            return;
        }
        terminal::note(&format!(
            "target: {}",
            visible(&plan.target.program.display().to_string())
        ));
        match &plan.library {
            Some(library) => terminal::note(&format!(
                "fix library: {} ({})",
                visible(&library.path.display().to_string()),
                library.origin.phrase()
            )),
            None => terminal::note("fix library: none, this is a control run"),
        }
        if let Some(expected) = &plan.policy {
            terminal::note(&format!(
                "policy: {} ({}){}",
                expected.policy.name,
                expected.by.phrase(),
                tuning(plan)
            ));
        }
        if let Some(arrival) = &plan.arrival {
            for line in inspect::foreseen(&arrival.inspection) {
                terminal::note(&line);
            }
        }
        for folder in &plan.folders {
            terminal::note(&format!(
                "watching {}",
                visible(&folder.path.display().to_string())
            ));
        }
    }

    fn waiting(&mut self, waiting: &Waiting<'_>, left: Duration) {
        if self.voice.quiet || !std::io::stderr().is_terminal() {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // Only a wait that is long enough to wonder about is shown.
            bar.enable_steady_tick(Duration::from_millis(120));
            if let Ok(style) = ProgressStyle::with_template("agxrun: {spinner} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        let what = match waiting {
            Waiting::Reports(pids) => {
                let pids: Vec<_> = pids.iter().map(ToString::to_string).collect();
                format!("waiting for the crash report of pid {}", pids.join(", "))
            }
            Waiting::Pending(count) => format!("waiting for {count} report(s) being written"),
            Waiting::Doubt(_) => "watching for reports of descendants".to_owned(),
        };
        bar.set_message(format!(
            "{what}, {:.0} s at most",
            left.as_secs_f64().ceil()
        ));
    }

    fn settled(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Prints the summary. A closed stderr loses it, as it would lose anything else; the exit code
/// still tells.
pub fn print(record: &RunRecord, voice: Voice) {
    let text = text(record, voice);
    if !text.is_empty() {
        use std::io::Write as _;
        let mut stderr = anstream::stderr().lock();
        let _ = stderr
            .write_all(text.as_bytes())
            .and_then(|()| stderr.flush());
    }
}

/// The summary: one line for a clean run, the crashes in full for another.
pub fn text(record: &RunRecord, voice: Voice) -> String {
    let warnings = notices::warnings(record);
    let mut text = String::new();
    if voice.quiet && record.verdict.is_clean() && warnings.is_empty() && record.reports.is_empty()
    {
        return text;
    }
    let now = Utc::now();
    let mut counted_reports = record
        .reports
        .iter()
        .filter(|collected| collected.weight.counts());
    for collected in counted_reports.by_ref().take(REPORTS_SHOWN) {
        text += &counted(collected, now);
    }
    let unshown = counted_reports.count();
    if unshown > 0 {
        push(
            &mut text,
            &format!(
                "{ERROR}and {unshown} more crash reports{ERROR:#}: `agxrun check-crashes --archive {}` lists them",
                visible(&record.options.archive.display().to_string())
            ),
        );
    }
    for collected in record
        .reports
        .iter()
        .filter(|collected| !collected.weight.counts())
    {
        text += &uncounted(collected, now);
    }
    for line in record.lines.values() {
        let times = if line.count > 1 {
            format!(" ({} times)", line.count)
        } else {
            String::new()
        };
        push(
            &mut text,
            &format!(
                "stderr: {STRONG}{}{STRONG:#} [{}]{times}: {}",
                line.signature.title,
                line.signature.id,
                visible(line.first.trim_end())
            ),
        );
    }
    for (pid, signal) in &record.silent_crashes {
        push(
            &mut text,
            &format!(
                "{ERROR}crashed, report missing{ERROR:#}: pid {pid} of the tree ended by {}",
                signal_name(*signal)
            ),
        );
    }
    for warning in &warnings {
        push(
            &mut text,
            &format!("{WARNING}warning{WARNING:#}: {warning}"),
        );
    }
    if let Some(census) = Census::of(&record.evidence) {
        for line in census::lines(&census) {
            push(&mut text, &format!("census: {line}"));
        }
    }
    if voice.verbose {
        text += &details(record);
    }
    text += &baseline::told(record, voice);
    push(&mut text, &headline(record));
    text
}

pub(super) fn push(text: &mut String, line: &str) {
    text.push_str("agxrun: ");
    text.push_str(line);
    text.push('\n');
}

fn counted(collected: &Collected, now: chrono::DateTime<Utc>) -> String {
    let mut text = String::new();
    let heading = match collected.novelty {
        Novelty::New => "new crash report",
        Novelty::Touched => "a known crash happened again",
    };
    push(&mut text, &format!("{ERROR}{heading}{ERROR:#}"));
    match &collected.report {
        Ok(report) => {
            let view = CrashView::of(collected.file(), report, collected.diagnosis.clone());
            let view = view.with_fix(&collected.fix);
            text += &view.with_baseline(collected.listed.clone()).text(now, "  ");
        }
        Err(error) => {
            text.push_str("  ");
            text.push_str(&visible(&error.to_string()));
            text.push('\n');
        }
    }
    text
}

fn uncounted(collected: &Collected, now: chrono::DateTime<Utc>) -> String {
    let mut text = String::new();
    let listed = collected.listed.as_ref();
    let why = match collected.weight {
        Weight::OutOfScope => "it belongs to no process of the tree".to_owned(),
        Weight::InsertionRefused => {
            "the loader ended the process because of what was inserted".to_owned()
        }
        Weight::InnocentVictim => "another process's fault ended its GPU work".to_owned(),
        Weight::Known => listed.map_or_else(String::new, |listed| visible(&listed.to_string())),
        Weight::NoCrash | Weight::Counts => "it tells of no crash".to_owned(),
    };
    let what = match &collected.report {
        Ok(report) => CrashView::of(&collected.path, report, collected.diagnosis.clone()).line(now),
        Err(error) => error.to_string(),
    };
    push(
        &mut text,
        &format!("{WARNING}warning{WARNING:#}: new report not counted, {why}: {what}"),
    );
    text
}

/// What the ledgers and the settling say, for `-v`.
fn details(record: &RunRecord) -> String {
    let mut text = String::new();
    for process in &record.evidence.processes {
        let ledger = process.ledger();
        push(
            &mut text,
            &format!(
                "ledger of pid {}: {}, policy {}, {:?}, {} hooks, {} calls",
                ledger.pid,
                visible(&String::from_utf8_lossy(&ledger.executable)),
                visible(&ledger.policy),
                process.end,
                ledger.counter(Counter::HooksInstalled.name()).unwrap_or(0),
                ledger.counter(Counter::MethodCalls.name()).unwrap_or(0),
            ),
        );
        for entry in ledger.in_state(State::Unhooked) {
            let reason = entry
                .reason
                .map_or_else(String::new, |reason| format!(": {reason}"));
            let line = format!("not hooked: {}{reason}", entry.method());
            push(&mut text, &visible(&line));
        }
    }
    push(
        &mut text,
        &format!(
            "watched on for {:.3} s after the target ({:?}); {:.3} s in all",
            record.settled.seconds,
            record.settled.reason,
            record.total.as_secs_f64()
        ),
    );
    text
}

/// The last line: verdict, ending, reports, fix.
fn headline(record: &RunRecord) -> String {
    let verdict = &record.verdict;
    let (style, word) = if verdict.is_clean() {
        (OK, "ok")
    } else if verdict.exit_code == exit_code::OK {
        (WARNING, "ok, but for known crashes")
    } else {
        (ERROR, "FAILED")
    };
    let mut line = format!("{style}{word}{style:#}: {}", ending(record));
    let counted = record
        .reports
        .iter()
        .filter(|report| report.weight.counts())
        .count();
    // Writing to a String cannot fail.
    let _ = match counted {
        0 => write!(line, ", no new crash report"),
        1 => write!(line, ", 1 new crash report"),
        many => write!(line, ", {many} new crash reports"),
    };
    let known = record
        .reports
        .iter()
        .filter(|report| report.weight == Weight::Known)
        .count();
    if known > 0 {
        let _ = write!(line, ", {known} of known crashes");
    }
    let _ = write!(line, "; {}", fix(record));
    let gates: Vec<String> = verdict.applied.iter().filter_map(gate).collect();
    if verdict.exit_code != 0 || !gates.is_empty() {
        let _ = write!(line, "; exit {}", verdict.exit_code);
        if !gates.is_empty() {
            let _ = write!(line, " {DIM}({}){DIM:#}", gates.join("; "));
        }
    }
    line
}

fn ending(record: &RunRecord) -> String {
    let name = record.plan.target.arg0.to_string_lossy();
    let name = visible(name.rsplit('/').next().unwrap_or(&name));
    let seconds = record.outcome.duration.as_secs_f64();
    let ended = match record.outcome.ending {
        Ending::Exited(code) => format!("{name} exited {code}"),
        Ending::Signaled { signal, .. } => format!("{name} ended by {}", signal_name(signal)),
    };
    match &record.outcome.timed_out {
        Some(limit) => format!(
            "{ended} after the time-out of {:.1} s",
            limit.after.as_secs_f64()
        ),
        None => format!("{ended} after {seconds:.2} s"),
    }
}

fn fix(record: &RunRecord) -> String {
    if record.plan.library.is_none() {
        return "no fix (control)".to_owned();
    }
    let evidence = &record.evidence;
    let loaded = evidence.processes.len();
    let armed = evidence.armed();
    if loaded == 0 {
        return "fix not loaded".to_owned();
    }
    if evidence
        .processes
        .iter()
        .all(|process| process.ledger().policy_unknown)
    {
        return "fix loaded and hooked nothing: its policy is not known".to_owned();
    }
    let policy = evidence
        .processes
        .iter()
        .find(|process| process.ledger().armed)
        .or(evidence.processes.first())
        .map_or("", |process| process.ledger().policy.as_str());
    let calls = evidence.total(Counter::MethodCalls.name());
    match armed {
        0 => format!(
            "fix {} loaded in {}, no Metal seen",
            visible(policy),
            processes(loaded)
        ),
        _ => format!(
            "fix {} armed in {}{}, {calls} calls",
            visible(policy),
            processes(armed),
            tuning(&record.plan)
        ),
    }
}

/// What the library was told besides its policy: `, throttle 2, lock scope buffer, census`.
fn tuning(plan: &Plan) -> String {
    let throttle = plan.tuning.throttle.map_or_else(String::new, |limit| {
        if limit == 0 {
            ", no throttle".to_owned()
        } else {
            format!(", throttle {limit}")
        }
    });
    let scope = plan.tuning.lock_scope.map_or_else(String::new, |scope| {
        format!(", lock scope {}", scope.name())
    });
    let census = if plan.tuning.census { ", census" } else { "" };
    throttle + &scope + census
}

fn processes(count: usize) -> String {
    if count == 1 {
        "1 process".to_owned()
    } else {
        format!("{count} processes")
    }
}

/// The codes that apply besides the target's own status.
fn gate(applied: &Applied) -> Option<String> {
    let words = match applied.reason {
        Reason::Target | Reason::Signal | Reason::KnownCrash => return None,
        Reason::InsertionRefused => "what was inserted could not be loaded",
        Reason::TimedOut => "time-out",
        Reason::Unwatched => "could not watch for reports",
        Reason::NewReports => "crash gate",
        Reason::CrashWithoutReport => "crashed, report missing",
        Reason::NotLoaded => "no proof that the fix was loaded",
        Reason::WorkLost => "work was lost",
        Reason::HooksUndone => "hooks do not stand",
        Reason::Bypassed => "called past the fix",
    };
    Some(format!("{} {words}", applied.code))
}
