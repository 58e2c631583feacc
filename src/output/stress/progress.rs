//! How far a series is, while it goes on.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::percent::{Round, percent};
use super::words::{self, time};
use crate::history::{Kind, RunLine};
use crate::output::terminal;
use crate::series::tally::Tally;
use crate::series::{Notice, Slot, Watcher};
use crate::stats::Sequential;

/// Off a terminal, how long nothing is said at most while runs go on.
const HEARTBEAT: Duration = Duration::from_mins(5);

/// Off a terminal, how many runs that were not clean are told as they end. The summary tells of all.
const TOLD: u64 = 20;

/// What is to be reached.
#[derive(Debug)]
pub struct Goal<'a> {
    /// So many runs.
    pub runs: Option<u64>,
    /// So long.
    pub duration: Option<Duration>,
    /// An answer of this test.
    pub test: Option<&'a Sequential>,
    /// The confidence of the bound.
    pub confidence: f64,
    /// Runs at the same time.
    pub jobs: usize,
}

/// Where a series stands.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The runs that have ended.
    pub tally: &'a Tally,
    /// Seconds that they took in all.
    pub total: f64,
    /// How long the series has gone on.
    pub elapsed: Duration,
}

/// One line: runs, crashes, rate, bound, remaining time.
pub fn line(goal: &Goal<'_>, now: &Standing<'_>) -> String {
    let tally = now.tally;
    let made = tally.all();
    let mut parts = vec![match goal.runs {
        Some(runs) => format!("{made} of {}", words::runs(runs)),
        None => words::runs(made),
    }];
    let rate = tally.rate();
    parts.push(match (rate.crashes, rate.estimate()) {
        (1, Some(share)) => format!("1 crash ({})", percent(share, Round::Nearest)),
        (crashes, Some(share)) if crashes > 0 => {
            format!("{crashes} crashes ({})", percent(share, Round::Nearest))
        }
        _ => "no crash".to_owned(),
    });
    let bound = match goal.test {
        Some(test) => (rate.runs > 0).then(|| test.bound(tally.crashes(), tally.decided())),
        None => rate.upper(goal.confidence),
    };
    parts.extend(bound.map(|bound| format!("below {} so far", percent(bound, Round::Up))));
    let excluded = made - tally.decided();
    if excluded > 0 {
        parts.push(format!("{excluded} excluded"));
    }
    parts.extend(left(goal, now).map(|left| format!("{} left", time(left))));
    parts.join(", ")
}

/// How long it will go on: by the runs that are missing and the time that one takes, or by the time that is left, whichever is
/// sooner. For a test as many as it takes if no more run crashes.
pub fn left(goal: &Goal<'_>, now: &Standing<'_>) -> Option<Duration> {
    let made = now.tally.all();
    let by_time = goal.duration.map(|limit| limit.saturating_sub(now.elapsed));
    let by_number = goal.runs.map(|runs| runs.saturating_sub(made));
    let by_test = goal
        .test
        .and_then(|test| test.left(now.tally.crashes(), now.tally.decided()));
    let by_runs = by_number.into_iter().chain(by_test).min().and_then(|runs| {
        #[allow(clippy::cast_precision_loss)] // runs, not 2^52 of them
        let (runs, made, jobs) = (runs as f64, made as f64, goal.jobs as f64);
        (made > 0.0).then(|| Duration::try_from_secs_f64(now.total / made * runs / jobs).ok())?
    });
    by_time.into_iter().chain(by_runs).min()
}

/// Shows it: a line that moves on a terminal; elsewhere a line for what is worth one.
pub struct Progress<'a> {
    goal: Goal<'a>,
    bar: Option<ProgressBar>,
    quiet: bool,
    tally: Tally,
    total: f64,
    before: Duration,
    begun: Instant,
    spoke: Instant,
    told: u64,
}

impl<'a> Progress<'a> {
    /// For a series that had gone on for `before`.
    pub fn new(goal: Goal<'a>, quiet: bool, before: Duration) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("agxrun: {wide_msg}");
        bar.set_style(style.expect("the template is well formed"));
        Self {
            bar: (!quiet && !bar.is_hidden()).then_some(bar),
            goal,
            quiet,
            tally: Tally::default(),
            total: 0.0,
            before,
            begun: Instant::now(),
            spoke: Instant::now(),
            told: 0,
        }
    }

    /// Takes the moving line away.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn text(&self) -> String {
        let standing = Standing {
            tally: &self.tally,
            total: self.total,
            elapsed: self.before + self.begun.elapsed(),
        };
        line(&self.goal, &standing)
    }

    fn say(&mut self, text: &str) {
        self.spoke = Instant::now();
        match &self.bar {
            Some(bar) => bar.suspend(|| terminal::note(text)),
            None => terminal::note(text),
        }
    }
}

impl Watcher for Progress<'_> {
    fn begun(&mut self, _slot: Slot) {}

    fn done(&mut self, slot: Slot, line: &RunLine) {
        self.tally.add(slot.number, line);
        self.total += line.total;
        let is_clean = line.kind == Kind::Clean;
        if self.quiet || is_clean || self.told >= TOLD {
            return;
        }
        self.told += 1;
        let mut text = format!("run {}: {}", slot.number + 1, words::one(line.kind));
        if let Some(title) = &line.title {
            text = format!("{text}: {title}");
        }
        if self.told == TOLD {
            text += " (the summary tells of the others)";
        }
        self.say(&text);
    }

    fn tick(&mut self) {
        if let Some(bar) = &self.bar {
            bar.set_message(self.text());
        } else if !self.quiet && self.spoke.elapsed() >= HEARTBEAT {
            let text = self.text();
            self.say(&text);
        }
    }

    fn notice(&mut self, notice: &Notice) {
        self.say(&words::notice(notice));
    }
}
