//! The answers of `history`, as JSON and for people.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;

use super::table::cut;
use super::terminal::DIM;
use crate::history::{Group, Key, Survey};

mod groups;
mod list;
mod words;

use groups::GroupView;

pub use groups::MOST_KEYS;
pub use list::Listed;

/// The version of this layout; it grows when a field changes its meaning.
pub const SCHEMA: u32 = 1;

/// Runs, in one of three forms.
#[derive(Debug)]
pub enum Runs {
    /// For a list.
    List(Vec<Listed>),
    /// Whole lines, for JSON.
    Lines(Vec<Box<RawValue>>),
    /// Together by keys.
    Groups(Vec<Key>, Vec<Group>),
}

/// An answer.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Version of this layout.
    schema: u32,
    /// Version of agxrun.
    agxrun: &'static str,
    /// What was read.
    files: Vec<String>,
    /// Only runs that began then or later were asked for.
    since: Option<DateTime<Utc>>,
    /// Runs that were read, each once.
    read: u64,
    /// Lines of runs that were read before.
    duplicates: u64,
    /// Lines that are no runs.
    bad: u64,
    /// The first of them.
    bad_lines: Vec<BadView>,
    /// The keys of the groups.
    group_by: Option<Vec<&'static str>>,
    /// The groups.
    groups: Option<Vec<GroupView>>,
    /// The runs' whole lines, the newest first.
    runs: Option<Vec<Box<RawValue>>>,
    #[serde(skip)]
    list: Vec<Listed>,
}

#[derive(Debug, Serialize)]
struct BadView {
    file: String,
    line: u64,
    why: String,
}

impl Answer {
    /// The answer to a question about these files.
    pub fn new(
        files: Vec<String>,
        since: Option<DateTime<Utc>>,
        survey: &Survey,
        runs: Runs,
    ) -> Self {
        let bad_lines = survey.examples.iter().map(|(file, bad)| BadView {
            file: file.clone(),
            line: bad.number,
            why: bad.why.to_string(),
        });
        let mut answer = Self {
            schema: SCHEMA,
            agxrun: env!("CARGO_PKG_VERSION"),
            files,
            since,
            read: survey.runs,
            duplicates: survey.duplicates,
            bad: survey.bad,
            bad_lines: bad_lines.collect(),
            group_by: None,
            groups: None,
            runs: None,
            list: Vec::new(),
        };
        match runs {
            Runs::List(list) => answer.list = list,
            Runs::Lines(lines) => answer.runs = Some(lines),
            Runs::Groups(keys, groups) => {
                answer.group_by = Some(keys.iter().map(|key| key.name()).collect());
                let views = groups.into_iter().map(|group| GroupView::of(&keys, group));
                answer.groups = Some(views.collect());
            }
        }
        answer
    }

    /// What is to be said of what could not be read.
    pub fn complaints(survey: &Survey) -> Vec<String> {
        let mut complaints: Vec<String> = survey
            .examples
            .iter()
            .map(|(file, bad)| format!("`{file}`, {bad}: not counted"))
            .collect();
        let shown = complaints.len() as u64;
        if survey.bad > shown {
            complaints.push(format!(
                "{} more lines could not be read",
                survey.bad - shown
            ));
        }
        complaints
    }

    /// A table of that width, or plain lines where there is none.
    pub fn text(&self, width: Option<usize>, now: DateTime<Utc>) -> String {
        let Some(width) = width else {
            return match &self.groups {
                Some(groups) => groups::lines(groups),
                None => list::lines(&self.list),
            };
        };
        let (table, said) = match (&self.groups, &self.group_by) {
            (Some(groups), Some(keys)) => (
                groups::table(keys, groups, width, now),
                "RATE: crashes among decided runs, which are all but those not injected, interrupted or refused"
                    .to_owned(),
            ),
            _ => (
                list::table(&self.list, width, now),
                format!(
                    "{} of {} runs; --group-by fix shows crash rates",
                    self.list.len(),
                    self.read
                ),
            ),
        };
        format!("{table}{DIM}{}{DIM:#}", cut(&said, width))
    }
}
