//! What the page of a series shows: numbers, times and text of which every character is seen.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, Utc};

use crate::history::{Kind, RunLine};
use crate::output::html::text::Text;
use crate::stats::{Rate, Survival, cumulative_bound};

/// How a sentence is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something is shown, and it is well.
    Good,
    /// Something is shown, and it is not well.
    Bad,
    /// Nothing is shown.
    Open,
}

/// Something of the series, with its name.
#[derive(Debug, Clone)]
pub struct Fact {
    /// What it is.
    pub name: &'static str,
    /// It.
    pub value: Text,
}

impl Fact {
    /// A fact of any text.
    pub fn new(name: &'static str, value: &str) -> Self {
        Self {
            name,
            value: Text::sentence(value),
        }
    }
}

/// The page of a series.
#[derive(Debug)]
pub struct SeriesPage {
    /// What stands above it.
    pub title: Text,
    /// When it was made.
    pub made: DateTime<Utc>,
    /// In which zone times are shown.
    pub zone: FixedOffset,
    /// What the runs show, a sentence each.
    pub findings: Vec<(Tone, Text)>,
    /// What weakens that.
    pub warnings: Vec<Text>,
    /// Its arms; one for a series that compares nothing.
    pub arms: Vec<PageArm>,
    /// How sure intervals and bounds are.
    pub confidence: f64,
    /// The rate that is to be gone below.
    pub limit: Option<f64>,
    /// Command, seed, number of runs at the same time, and the like.
    pub facts: Vec<Fact>,
}

/// One arm.
#[derive(Debug)]
pub struct PageArm {
    /// Its name.
    pub name: Text,
    /// How often it crashed.
    pub rate: Rate,
    /// How many runs were of each kind.
    pub kinds: BTreeMap<Kind, usize>,
    /// What crashed how often, the most frequent first.
    pub crashes: Vec<(Text, usize)>,
    /// Measurements: what, its median, and its ratio to the control.
    pub measures: Vec<(Text, Text, Option<Text>)>,
    /// The share of runs without a crash, over their time.
    pub survival: Survival,
    /// The upper bound of the rate after each run.
    pub bounds: Vec<f64>,
}

impl PageArm {
    /// Of the arm's runs, in the order in which they were started.
    pub fn of<'a>(
        name: &str,
        lines: impl IntoIterator<Item = &'a RunLine>,
        confidence: f64,
    ) -> Self {
        let (mut kinds, mut crashes) = (BTreeMap::new(), BTreeMap::<&str, usize>::new());
        let (mut rate, mut times, mut crashed) = (Rate::default(), Vec::new(), Vec::new());
        for line in lines {
            *kinds.entry(line.kind).or_default() += 1;
            if !line.kind.is_decided() {
                continue;
            }
            let is_crash = line.kind.is_crash();
            rate.runs += 1;
            rate.crashes += usize::from(is_crash);
            times.push((line.wall, is_crash));
            crashed.push(is_crash);
            if is_crash {
                let title = line.title.as_deref().or(line.crash.as_deref());
                *crashes.entry(title.unwrap_or("not known")).or_default() += 1;
            }
        }
        let mut crashes: Vec<(Text, usize)> = crashes
            .into_iter()
            .map(|(title, runs)| (Text::title(title), runs))
            .collect();
        crashes.sort_by_key(|(_, runs)| std::cmp::Reverse(*runs));
        Self {
            name: Text::name(name),
            rate,
            kinds,
            crashes,
            measures: Vec::new(),
            survival: Survival::of(&times, confidence),
            bounds: cumulative_bound(crashed, confidence),
        }
    }
}
