//! The answer of `agxrun compare`: what was planned, what the runs show of each arm, and what that does not show.

mod after;
mod before;
mod ci;
mod findings;
mod measures;
mod page;
pub mod progress;

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::stress::words;
use crate::compare::analysis::Comparison;
use crate::compare::arm::Arm;
use crate::compare::plan::Plan;
use crate::history::{Kind, RunLine};
use crate::run::verdict::exit_code;
use crate::series::{End, Finished, Notice, Series, SharedReport};

/// The version of the JSON's layout.
pub const SCHEMA: u32 = 1;

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The arms.
    pub arms: &'a [Arm],
    /// The place of the control.
    pub control: usize,
    /// What the runs can tell.
    pub plan: &'a Plan,
    /// How sure intervals and findings are.
    pub confidence: f64,
    /// Of the runs' order.
    pub seed: u64,
    /// Runs at the same time.
    pub jobs: usize,
    /// The pattern of the number that is compared.
    pub metric: Option<&'a str>,
}

impl Asked<'_> {
    /// The name of the control.
    fn control_name(&self) -> &str {
        self.arms.get(self.control).map_or("", |arm| &arm.name)
    }
}

/// All that is known of a comparison.
#[derive(Debug, Serialize)]
pub struct Answer<'a> {
    schema: u32,
    command: &'static str,
    agxrun: &'static str,
    series: &'a str,
    seed: u64,
    jobs: usize,
    /// In seconds, without those between a kill and a resumption.
    seconds: f64,
    made: usize,
    resumed: usize,
    metric: Option<&'a str>,
    plan: &'a Plan,
    #[serde(flatten)]
    comparison: &'a Comparison,
    /// What it comes to, a sentence each.
    findings: Vec<String>,
    /// What the reader must know, a sentence each.
    warnings: Vec<String>,
    end: &'a End,
    /// The arm whose runs show nothing, for which the comparison was ended.
    vain: Option<usize>,
    exit_code: u8,
    notices: &'a [Notice],
    shared_reports: &'a [SharedReport],
    state: PathBuf,
    /// Where the output of runs that were not clean is.
    outputs: Option<PathBuf>,
    /// In the order in which they were started.
    runs: Vec<&'a RunLine>,
    #[serde(skip)]
    archive: PathBuf,
}

impl<'a> Answer<'a> {
    /// From what was asked for and what came of it. `vain` is the arm for which the comparison was ended.
    pub fn of(
        asked: &Asked<'a>,
        series: &'a Series,
        finished: &'a Finished,
        comparison: &'a Comparison,
        vain: Option<usize>,
        elapsed: Duration,
    ) -> Self {
        let outputs = series.outputs();
        let mut runs: Vec<&RunLine> = finished.lines.iter().map(|(_, line)| line).collect();
        runs.sort_by_key(|line| line.slot);
        let mut warnings: Vec<String> = finished
            .notices
            .iter()
            .filter(|notice| !matches!(notice, Notice::Interrupted { .. }))
            .map(words::notice)
            .collect();
        warnings.extend(finished.shared_reports.iter().map(|shared| {
            format!(
                "the report {} is nobody's for certain, and runs that went on at the same time saw it: it counts once, in run {}",
                shared.file,
                shared.counted_in + 1
            )
        }));
        warnings.extend(measures::doubts(comparison, asked.metric, asked.jobs));
        Self {
            schema: SCHEMA,
            command: series.command,
            agxrun: env!("CARGO_PKG_VERSION"),
            series: &series.id,
            seed: asked.seed,
            jobs: series.jobs,
            seconds: elapsed.as_secs_f64(),
            made: finished.lines.len(),
            resumed: finished.resumed,
            metric: asked.metric,
            plan: asked.plan,
            comparison,
            findings: findings::all(comparison),
            warnings,
            end: &finished.end,
            vain,
            exit_code: code(comparison, &finished.end, vain),
            notices: &finished.notices,
            shared_reports: &finished.shared_reports,
            state: series.state.clone(),
            outputs: outputs.is_dir().then_some(outputs),
            runs,
            archive: series.archive.clone(),
        }
    }

    /// What `agxrun compare` exits with.
    pub fn exit_code(&self) -> u8 {
        self.exit_code
    }
}

/// The exit code of a comparison. What could not be stored or launched comes first, as nothing can be said of runs that are
/// missing. Then what the arms but the control did, in the order in which a single run weighs it: the control is there to crash.
fn code(comparison: &Comparison, end: &End, vain: Option<usize>) -> u8 {
    match end {
        End::Storage { .. } => return exit_code::FAILED,
        End::Launch { code, .. } => return launch_code(*code),
        End::Interrupted { signal } => {
            let number = u8::try_from(*signal).unwrap_or(0);
            return exit_code::SIGNAL_BASE.saturating_add(number);
        }
        End::Done => {}
    }
    let arms = || comparison.arms.iter();
    let others = || {
        let arms = arms().enumerate();
        arms.filter(|(at, _)| *at != comparison.control)
            .map(|(_, arm)| arm)
    };
    let some = |kind| others().any(|arm| arm.count(kind) > 0);
    let crashed = others().any(|arm| arm.rate.crashes > 0);
    let nothing_counts = vain.is_some() || arms().any(|arm| arm.rate.runs == 0);
    let not_injected =
        nothing_counts && arms().any(|arm| arm.rate.runs == 0 && arm.count(Kind::NotInjected) > 0);
    let order = [
        (crashed || some(Kind::GpuError), exit_code::CRASH_GATE),
        (some(Kind::Hang), exit_code::TIMED_OUT),
        (not_injected, exit_code::NOT_LOADED),
        (some(Kind::LostWork), exit_code::WORK_LOST),
        (nothing_counts && some(Kind::Refused), exit_code::FAILED),
        (some(Kind::Failure) || nothing_counts, exit_code::UNEXPECTED),
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

/// Appends a line with our name before it.
fn line(text: &mut String, line: &str) {
    text.push_str("agxrun: ");
    text.push_str(line);
    text.push('\n');
}
