//! How far a comparison is, while it goes on.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Asked;
use crate::history::RunLine;
use crate::output::stress::words;
use crate::output::terminal::{self, visible};
use crate::series::{Notice, Slot, Watcher};
use crate::stats::Rate;

/// Off a terminal, how long nothing is said at most while runs go on.
const HEARTBEAT: Duration = Duration::from_mins(5);

/// A line that moves on a terminal; elsewhere one from time to time.
pub struct Progress {
    names: Vec<String>,
    rates: Vec<Rate>,
    made: u64,
    all: u64,
    /// Seconds that the runs took.
    total: f64,
    jobs: usize,
    bar: Option<ProgressBar>,
    quiet: bool,
    spoke: Instant,
}

impl Progress {
    /// For so many runs in all.
    pub fn new(asked: &Asked<'_>, all: u64, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("agxrun: {wide_msg}");
        bar.set_style(style.expect("the template is well formed"));
        Self {
            names: asked.arms.iter().map(|arm| visible(&arm.name)).collect(),
            rates: vec![Rate::default(); asked.arms.len()],
            made: 0,
            all,
            total: 0.0,
            jobs: asked.jobs.max(1),
            bar: (!quiet && !bar.is_hidden()).then_some(bar),
            quiet,
            spoke: Instant::now(),
        }
    }

    /// Takes the moving line away.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// `12 of 60 runs; crashed: none 3/4, v3 0/4; 2 min 5 s left`.
    fn text(&self) -> String {
        let rates = self.names.iter().zip(&self.rates);
        let rates: Vec<String> = rates
            .map(|(name, rate)| format!("{name} {}/{}", rate.crashes, rate.runs))
            .collect();
        let mut text = format!(
            "{} of {}; crashed: {}",
            self.made,
            words::runs(self.all),
            rates.join(", ")
        );
        if let Some(left) = self.left() {
            text = format!("{text}; {} left", words::time(left));
        }
        text
    }

    fn left(&self) -> Option<Duration> {
        #[allow(clippy::cast_precision_loss)] // runs, not 2^52 of them
        let (made, left, jobs) = (
            self.made as f64,
            self.all.saturating_sub(self.made) as f64,
            self.jobs as f64,
        );
        let seconds = (made > 0.0).then(|| self.total / made * left / jobs)?;
        // A total that no time is was told as such already.
        Duration::try_from_secs_f64(seconds).ok()
    }

    fn say(&mut self, text: &str) {
        self.spoke = Instant::now();
        match &self.bar {
            Some(bar) => bar.suspend(|| terminal::note(text)),
            None => terminal::note(text),
        }
    }
}

impl Watcher for Progress {
    fn begun(&mut self, _slot: Slot) {}

    fn done(&mut self, slot: Slot, line: &RunLine) {
        self.made += 1;
        self.total += line.total;
        if let Some(rate) = self.rates.get_mut(slot.arm) {
            rate.runs += usize::from(line.kind.is_decided());
            rate.crashes += usize::from(line.kind.is_crash());
        }
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
