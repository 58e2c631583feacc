//! Which runs are asked for.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, Utc};

use super::row::Row;
use super::{BadLine, Kind, Why};
use crate::diagnose::glob;

/// Conditions, all of which must hold; of several kinds or commands, one suffices.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Runs that began then or later.
    pub since: Option<DateTime<Utc>>,
    /// Of these kinds.
    pub kinds: Vec<Kind>,
    /// Whose command line has one of these forms; `*` stands for any text.
    pub commands: Vec<String>,
    /// Of the series whose id begins so.
    pub series: Option<String>,
}

impl Filter {
    /// Whether a run is asked for.
    pub fn takes(&self, row: &Row<'_>) -> bool {
        let since = self.since.is_none_or(|since| row.started >= since);
        let kind = self.kinds.is_empty() || self.kinds.contains(&row.kind);
        let series = self.series.as_ref().is_none_or(|wanted| {
            let series = row.series.as_ref();
            series.is_some_and(|series| series.0.starts_with(wanted.as_str()))
        });
        since && kind && series && (self.commands.is_empty() || self.takes_command(row))
    }

    fn takes_command(&self, row: &Row<'_>) -> bool {
        let line = row.command_line();
        let mut forms = self.commands.iter();
        forms.any(|form| glob::is_match(form, &line))
    }
}

/// How many bad lines are kept as examples.
const EXAMPLES: usize = 10;

/// What was read, of however many files.
#[derive(Debug, Default)]
pub struct Survey {
    /// Lines that are runs, each run once.
    pub runs: u64,
    /// Lines of runs that were read before: files that overlap.
    pub duplicates: u64,
    /// Lines that are no runs.
    pub bad: u64,
    /// Those of them that never were one: neither torn nor of another layout.
    pub foreign: u64,
    /// The first of them, each with the file that it is in.
    pub examples: Vec<(String, BadLine)>,
    known: HashSet<u128>,
}

impl Survey {
    /// Counts a run. Whether it is read for the first time.
    pub fn is_new(&mut self, id: &str) -> bool {
        let new = self.known.insert(number(id));
        if new {
            self.runs += 1;
        } else {
            self.duplicates += 1;
        }
        new
    }

    /// Lines that are runs, with those that were read before.
    pub fn lines(&self) -> u64 {
        self.runs + self.duplicates
    }

    /// Counts a bad line of a file.
    pub fn bad(&mut self, file: &str, line: BadLine) {
        self.bad += 1;
        self.foreign += u64::from(matches!(line.why, Why::NoRun(_)));
        if self.examples.len() < EXAMPLES {
            self.examples.push((file.to_owned(), line));
        }
    }

    /// Keeps one example of a file: one that is no history at all has nothing but bad lines.
    pub fn condense(&mut self, file: &str) {
        let mut is_first = true;
        self.examples
            .retain(|(other, _)| other != file || std::mem::take(&mut is_first));
    }
}

/// An id as a number: half as large as its text, and there may be millions. One that is not ours is hashed.
fn number(id: &str) -> u128 {
    u128::from_str_radix(id, 16).unwrap_or_else(|_| {
        let half = |number: u8| {
            let mut hasher = DefaultHasher::new();
            (number, id).hash(&mut hasher);
            u128::from(hasher.finish())
        };
        half(0) << 64 | half(1)
    })
}
