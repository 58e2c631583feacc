//! The answer of `agxrun stress`: what the runs amount to, what that proves, and what else is to be known.

mod ci;
mod page;
pub mod percent;
pub mod progress;
mod text;
pub mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::history::{Kind, RunLine};
use crate::run::verdict::exit_code;
use crate::series::stop::Stopped;
use crate::series::tally::{Group, Tally};
use crate::series::{End, Finished, Notice, Series, SharedReport};
use crate::stats::{Decision, Spread};

/// The version of the JSON's layout.
pub const SCHEMA: u32 = 1;

/// What was asked of the rate.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// The confidence of what is said, from 0 to 1.
    pub confidence: f64,
    /// The share of crashes that was to be told from a higher one.
    pub max_rate: Option<f64>,
    /// Whether a run without the fix in it is a failure.
    pub require_fix: bool,
}

/// How the schedule came to its end.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    /// Which rule ended it.
    pub stopped: Option<Stopped>,
    /// The test's answer.
    pub decision: Option<Decision>,
    /// The test's upper bound of the rate, at what was seen.
    pub bound: Option<f64>,
    /// Runs without a crash that would give the test its answer, where it has none.
    pub left: Option<u64>,
    /// How long it took, now.
    pub elapsed: Duration,
}

/// All that is known of a series.
#[derive(Debug, Serialize)]
pub struct Answer<'a> {
    schema: u32,
    command: &'static str,
    agxrun: &'static str,
    series: &'a str,
    target: Vec<String>,
    jobs: usize,
    /// In seconds, without those between a kill and a resumption.
    seconds: f64,
    /// Runs, all of them, and those of before a resumption.
    made: u64,
    resumed: usize,
    rate: RateView,
    max_rate: Option<f64>,
    decision: Option<&'static str>,
    sentence: String,
    stopped: Option<Stopped>,
    end: &'a End,
    exit_code: u8,
    kinds: BTreeMap<Kind, u64>,
    /// Crashes that the baseline knows; in the rate as any other.
    known: u64,
    groups: &'a [Group],
    wall: Option<Spread>,
    notices: &'a [Notice],
    warnings: Vec<String>,
    shared_reports: &'a [SharedReport],
    state: PathBuf,
    /// Where the output of runs that were not clean is.
    outputs: Option<PathBuf>,
    runs: Vec<&'a RunLine>,
    #[serde(skip)]
    archive: PathBuf,
    #[serde(skip)]
    unlaunched: u64,
}

/// How often the runs crashed.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RateView {
    /// Runs that crashed.
    pub crashes: usize,
    /// Runs that show whether the command crashes.
    pub runs: usize,
    /// The share; `None` without a run.
    pub estimate: Option<f64>,
    /// The confidence of the bounds.
    pub confidence: f64,
    /// Both ends of the exact interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The exact upper bound, one-sided; under `--max-rate` the test's.
    pub below: Option<f64>,
}

impl<'a> Answer<'a> {
    /// From what was asked for and what came of it.
    pub fn of(
        series: &'a Series,
        finished: &'a Finished,
        tally: &'a Tally,
        question: Question,
        course: Course,
    ) -> Self {
        let rate = RateView::of(tally, question, course);
        let outputs = series.outputs();
        Self {
            schema: SCHEMA,
            command: series.command,
            agxrun: env!("CARGO_PKG_VERSION"),
            series: &series.id,
            target: series.arms[0]
                .command
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            jobs: series.jobs,
            seconds: course.elapsed.as_secs_f64(),
            made: tally.all(),
            resumed: finished.resumed,
            rate,
            max_rate: question.max_rate,
            decision: course.decision.map(words::decision),
            sentence: words::sentence(&rate, question.max_rate, course.decision)
                + &words::left(tally.all(), course),
            stopped: course.stopped,
            end: &finished.end,
            exit_code: code(tally, &finished.end, question, course.decision),
            kinds: tally.kinds.clone(),
            known: tally.known,
            groups: &tally.groups,
            wall: tally.wall,
            notices: &finished.notices,
            warnings: finished.notices.iter().map(words::notice).collect(),
            shared_reports: &finished.shared_reports,
            state: series.state.clone(),
            outputs: outputs.is_dir().then_some(outputs),
            runs: finished.lines.iter().map(|(_, line)| line).collect(),
            archive: series.archive.clone(),
            unlaunched: tally.all() - tally.decided(),
        }
    }

    /// What `agxrun stress` exits with.
    pub fn exit_code(&self) -> u8 {
        self.exit_code
    }
}

impl RateView {
    /// Of these runs.
    pub fn of(tally: &Tally, question: Question, course: Course) -> Self {
        let rate = tally.rate();
        let interval = rate.interval(question.confidence);
        Self {
            crashes: rate.crashes,
            runs: rate.runs,
            estimate: rate.estimate(),
            confidence: question.confidence,
            low: interval.map(|(low, _)| low),
            high: interval.map(|(_, high)| high),
            below: match question.max_rate {
                Some(_) => course.bound,
                None => rate.upper(question.confidence),
            },
        }
    }
}

/// The exit code of a series. What could not be stored or launched comes first, as nothing can be said of runs that are missing;
/// then the answer of the test, where one was asked for; then the kinds, in the order in which a single run weighs them.
pub fn code(tally: &Tally, end: &End, question: Question, decision: Option<Decision>) -> u8 {
    match end {
        End::Storage { .. } => return exit_code::FAILED,
        End::Launch { code, .. } => return launch_code(*code),
        End::Interrupted { signal } => {
            let number = u8::try_from(*signal).unwrap_or(0);
            return exit_code::SIGNAL_BASE.saturating_add(number);
        }
        End::Done => {}
    }
    let some = |kind| tally.count(kind) > 0;
    let crashed = match (question.max_rate, decision) {
        (Some(_), Some(Decision::Below)) => false,
        (Some(_), Some(Decision::NotBelow)) => true,
        _ => tally.crashes() > tally.known,
    };
    let not_injected = some(Kind::NotInjected) && (question.require_fix || tally.decided() == 0);
    let undecided = question.max_rate.is_some() && decision.is_none();
    let order = [
        (crashed || some(Kind::GpuError), exit_code::CRASH_GATE),
        (some(Kind::Hang), exit_code::TIMED_OUT),
        (not_injected, exit_code::NOT_LOADED),
        (some(Kind::LostWork), exit_code::WORK_LOST),
        (
            some(Kind::Refused) && tally.decided() == 0,
            exit_code::FAILED,
        ),
        (some(Kind::Failure) || undecided, exit_code::UNEXPECTED),
        // Interrupted one by one from outside: nothing is known.
        (tally.decided() == 0, exit_code::UNEXPECTED),
    ];
    let first = order.into_iter().find(|(applies, _)| *applies);
    first.map_or(exit_code::OK, |(_, code)| code)
}

/// As a single run says it: 126 and 127 as a shell does, 2 for usage.
fn launch_code(code: Option<u8>) -> u8 {
    match code {
        Some(code @ (exit_code::USAGE | exit_code::NOT_EXECUTABLE | exit_code::NOT_FOUND)) => code,
        _ => exit_code::FAILED,
    }
}

#[cfg(test)]
mod tests;
