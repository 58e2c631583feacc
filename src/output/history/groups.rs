//! Runs together.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::words::{column, percent, push_line, right, seconds};
use crate::history::{Group, Key, Kind};
use crate::output::crash::ago;
use crate::output::table::{Cell, Column, Table};
use crate::output::terminal::{DIM, ERROR, STRONG};

/// By how many keys a table can group.
pub const MOST_KEYS: usize = 4;

/// Runs with equal values.
#[derive(Debug, Serialize)]
pub(super) struct GroupView {
    /// The values by the names of their keys.
    values: BTreeMap<&'static str, Option<String>>,
    runs: u64,
    /// Runs that are in the rate.
    decided: usize,
    crashes: usize,
    /// The share of decided runs that crashed, 0 to 1.
    rate: Option<f64>,
    /// Both ends of its 95 % confidence interval.
    low: Option<f64>,
    high: Option<f64>,
    /// How many runs are of each kind; all kinds.
    kinds: BTreeMap<&'static str, u64>,
    /// Of decided runs, in seconds.
    median_wall: Option<f64>,
    first: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    #[serde(skip)]
    cells: Vec<Option<String>>,
}

impl GroupView {
    pub(super) fn of(keys: &[Key], group: Group) -> Self {
        let tally = &group.tally;
        let rate = tally.rate();
        let interval = rate.interval_95();
        let span = tally.span();
        let names = keys.iter().map(|key| key.name());
        Self {
            values: names.zip(group.values.iter().cloned()).collect(),
            runs: tally.runs(),
            decided: rate.runs,
            crashes: rate.crashes,
            rate: rate.estimate(),
            low: interval.map(|interval| interval.0),
            high: interval.map(|interval| interval.1),
            kinds: Kind::ALL
                .into_iter()
                .map(|kind| (kind.name(), tally.of(kind)))
                .collect(),
            median_wall: tally.median_wall(),
            first: span.map(|span| span.0),
            last: span.map(|span| span.1),
            cells: group.values,
        }
    }

    /// `clean 17, crash 3`: those that there are.
    fn kinds(&self) -> String {
        let there = self.kinds.iter().filter(|(_, count)| **count > 0);
        let words: Vec<String> = there
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        words.join(", ")
    }

    /// Adds one line for programs.
    fn push(&self, text: &mut String) {
        let number = |number: Option<f64>| number.map(|number| format!("{number:.6}"));
        let (rate, low, high) = (number(self.rate), number(self.low), number(self.high));
        let wall = self.median_wall.map(|wall| format!("{wall:.3}"));
        let (runs, decided) = (self.runs.to_string(), self.decided.to_string());
        let (crashes, kinds) = (self.crashes.to_string(), self.kinds());
        let mut values: Vec<Option<&str>> = self.cells.iter().map(Option::as_deref).collect();
        values.extend([
            Some(&*runs),
            Some(&*decided),
            Some(&*crashes),
            rate.as_deref(),
            low.as_deref(),
            high.as_deref(),
            wall.as_deref(),
            Some(&*kinds),
        ]);
        push_line(text, &values);
        text.push('\n');
    }

    fn cells(&self, now: DateTime<Utc>) -> [Cell; 11] {
        let value = |at: usize| match self.cells.get(at) {
            Some(Some(value)) => Cell::new(value).styled(STRONG),
            Some(None) => Cell::new("-").styled(DIM),
            None => Cell::default(),
        };
        let crashes = Cell::new(&self.crashes.to_string());
        let interval = self.low.zip(self.high);
        [
            value(0),
            value(1),
            value(2),
            value(3),
            Cell::new(&self.runs.to_string()),
            if self.crashes > 0 {
                crashes.styled(ERROR)
            } else {
                crashes
            },
            Cell::new(&self.rate.map_or_else(|| "-".to_owned(), percent)),
            Cell::new(&interval.map_or_else(String::new, |(low, high)| {
                format!("{} to {}", percent(low), percent(high))
            })),
            Cell::new(&self.median_wall.map_or_else(String::new, seconds)),
            Cell::new(
                &self
                    .last
                    .map_or_else(String::new, |last| ago(last.fixed_offset(), now)),
            ),
            Cell::new(&self.kinds()).styled(DIM),
        ]
    }
}

/// One line for each group.
pub(super) fn lines(groups: &[GroupView]) -> String {
    let mut text = String::new();
    for group in groups {
        group.push(&mut text);
    }
    text
}

/// The groups by these keys as a table of that width.
pub(super) fn table(
    keys: &[&'static str],
    groups: &[GroupView],
    width: usize,
    now: DateTime<Utc>,
) -> String {
    let mut table = Table::new(columns(keys));
    for group in groups {
        table.push(group.cells(now));
    }
    table.render(width)
}

/// Titles are those of the keys; what has no key is empty and so is not shown.
fn columns(keys: &[&'static str]) -> [Column; 11] {
    let key = |at: usize| {
        let title = keys.get(at).copied().unwrap_or("");
        column(title, 0, if title.is_empty() { 0 } else { 8 }, 60)
    };
    [
        key(0),
        key(1),
        key(2),
        key(3),
        right(column("RUNS", 0, 5, 10)),
        right(column("CRASHES", 1, 7, 10)),
        right(column("RATE", 0, 7, 7)),
        column("95 % INTERVAL", 2, 18, 20),
        right(column("MEDIAN", 4, 8, 10)),
        right(column("LAST", 5, 10, 10)),
        column("KINDS", 3, 20, 200),
    ]
}
