//! Crashes and groups as tables for people, and as plain lines for pipes.

use chrono::{DateTime, FixedOffset, Utc};

use super::{Answer, GroupView, plural};
use crate::output::crash::{CrashView, ago};
use crate::output::table::{Cell, Column, Table, cut};
use crate::output::terminal::{DIM, ERROR, STRONG, WARNING, visible_up_to};

/// How much of one value stands in a plain line, in characters.
const VALUE_WIDTH: usize = 300;

/// What a list tells of one crash.
#[derive(Debug, Clone)]
pub struct Row {
    time: Option<DateTime<FixedOffset>>,
    process: Option<String>,
    pid: Option<i32>,
    exception: String,
    signature: Option<String>,
    fingerprint: String,
    /// The signature's words.
    title: Option<String>,
    crashed_in: Option<String>,
    file: String,
}

/// The crashes of a list, the newest first.
#[derive(Debug)]
pub struct Rows(pub Vec<Row>);

impl Row {
    /// The row of a crash.
    pub fn of(crash: &CrashView) -> Self {
        Self {
            time: crash.time,
            process: crash.process.clone(),
            pid: crash.pid,
            exception: crash
                .exception
                .clone()
                .unwrap_or_else(|| crash.kind.clone()),
            signature: crash
                .diagnosis
                .as_ref()
                .map(|diagnosis| diagnosis.id.clone()),
            fingerprint: crash.fingerprint.clone(),
            title: crash
                .diagnosis
                .as_ref()
                .map(|diagnosis| diagnosis.title.clone()),
            crashed_in: crash.crashed_in.clone(),
            file: crash.file.clone(),
        }
    }

    /// One line for programs: always the same columns.
    fn line(&self) -> String {
        let time = self.time.map(|time| time.to_rfc3339());
        let pid = self.pid.map(|pid| pid.to_string());
        line(&[
            time.as_deref(),
            self.process.as_deref(),
            pid.as_deref(),
            Some(&self.exception),
            self.signature.as_deref(),
            Some(&self.fingerprint),
            self.crashed_in.as_deref(),
            Some(&self.file),
        ])
    }

    fn cells(&self, now: DateTime<Utc>) -> [Cell; 8] {
        let time = self.time;
        let pid = self.pid.map_or_else(String::new, |pid| pid.to_string());
        let place = match (&self.title, &self.crashed_in) {
            (Some(title), _) => Cell::new(title).styled(WARNING),
            (None, Some(place)) => Cell::new(place),
            (None, None) => Cell::new("no frames").styled(DIM),
        };
        [
            Cell::new(&time.map_or_else(|| "?".to_owned(), |time| ago(time, now))),
            Cell::new(&time.map_or_else(String::new, |time| {
                time.format("%Y-%m-%d %H:%M:%S").to_string()
            })),
            Cell::new(self.process.as_deref().unwrap_or("?")).styled(STRONG),
            Cell::new(&pid),
            Cell::new(&self.exception).styled(ERROR),
            place,
            Cell::new(self.signature.as_deref().unwrap_or("")),
            Cell::new(&self.fingerprint).styled(DIM),
        ]
    }
}

/// Values two blanks apart: in none of them two blanks stand together, nor a tab.
fn line(values: &[Option<&str>]) -> String {
    let value = |value: Option<&str>| match value {
        None | Some("") => "-".to_owned(),
        Some(text) => {
            let words: Vec<&str> = text.split_whitespace().collect();
            visible_up_to(VALUE_WIDTH, &words.join(" "))
        }
    };
    values
        .iter()
        .copied()
        .map(value)
        .collect::<Vec<_>>()
        .join("  ")
}

const fn column(title: &'static str, spare: u8, least: usize, most: usize) -> Column {
    Column {
        title,
        spare,
        least,
        most,
        right: false,
    }
}

const fn right(column: Column) -> Column {
    Column {
        right: true,
        ..column
    }
}

const CRASHES: [Column; 8] = [
    right(column("AGE", 0, 10, 10)),
    column("TIME", 2, 19, 19),
    column("PROCESS", 0, 16, 32),
    right(column("PID", 4, 7, 7)),
    column("EXCEPTION", 1, 24, 30),
    column("WHAT", 0, 26, 400),
    column("SIGNATURE", 3, 12, 40),
    column("FINGERPRINT", 5, 16, 16),
];

const GROUPS: [Column; 7] = [
    right(column("COUNT", 0, 5, 8)),
    right(column("LAST", 0, 10, 10)),
    right(column("FIRST", 3, 10, 10)),
    column("PROCESS", 1, 16, 40),
    column("WHAT", 0, 26, 400),
    column("SIGNATURE", 4, 12, 40),
    column("FINGERPRINT", 2, 16, 16),
];

impl Rows {
    /// The list: a table of that width, or plain lines where there is none.
    pub fn text(&self, answer: &Answer, width: Option<usize>, now: DateTime<Utc>) -> String {
        let Some(width) = width else {
            let lines: Vec<String> = self.0.iter().map(Row::line).collect();
            return lines.join("\n");
        };
        let mut table = Table::new(CRASHES);
        for row in &self.0 {
            table.push(row.cells(now));
        }
        let text = table.render(width);
        text + &footer(
            width,
            &format!(
                "{}; --latest shows the newest in full, --group equal ones together",
                found(answer)
            ),
        )
    }
}

/// The groups of an answer: a table of that width, or plain lines where there is none.
pub fn groups_text(answer: &Answer, width: Option<usize>, now: DateTime<Utc>) -> String {
    let groups: Vec<&GroupView> = answer.groups.iter().flatten().collect();
    let Some(width) = width else {
        let lines: Vec<String> = groups.into_iter().map(group_line).collect();
        return lines.join("\n");
    };
    let mut table = Table::new(GROUPS);
    for group in &groups {
        table.push(group_cells(group, now));
    }
    let in_groups = plural(groups.len(), "group", "groups");
    let said = format!(
        "{} in {in_groups}; --fingerprint shows those of one",
        found(answer)
    );
    table.render(width) + &footer(width, &said)
}

fn footer(width: usize, said: &str) -> String {
    format!("{DIM}{}{DIM:#}", cut(said, width))
}

fn found(answer: &Answer) -> String {
    plural(answer.count.unwrap_or(0), "crash", "crashes")
}

fn group_line(group: &GroupView) -> String {
    let time = |time: Option<DateTime<Utc>>| time.map(|time| time.to_rfc3339());
    line(&[
        Some(&group.count.to_string()),
        time(group.first).as_deref(),
        time(group.last).as_deref(),
        Some(&processes(group)),
        group.diagnosis.as_ref().map(|diagnosis| &*diagnosis.id),
        Some(&group.fingerprint),
        Some(&group.title),
        Some(&group.newest),
    ])
}

fn group_cells(group: &GroupView, now: DateTime<Utc>) -> [Cell; 7] {
    let age = |time: Option<DateTime<Utc>>| {
        time.map_or_else(|| "?".to_owned(), |time| ago(time.fixed_offset(), now))
    };
    let diagnosis = group.diagnosis.as_ref();
    let what = Cell::new(&group.title);
    [
        Cell::new(&group.count.to_string()).styled(STRONG),
        Cell::new(&age(group.last)),
        Cell::new(&age(group.first)),
        Cell::new(&processes(group)).styled(STRONG),
        if diagnosis.is_some() {
            what.styled(WARNING)
        } else {
            what
        },
        Cell::new(diagnosis.map_or("", |diagnosis| &*diagnosis.id)),
        Cell::new(&group.fingerprint).styled(DIM),
    ]
}

/// The name of the process with most of the crashes, and how many others there are.
fn processes(group: &GroupView) -> String {
    let most = group
        .processes
        .iter()
        .max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)));
    match (most, group.processes.len()) {
        (None, _) => "-".to_owned(),
        (Some((name, _)), 1) => name.clone(),
        (Some((name, _)), count) => format!("{name} +{}", count - 1),
    }
}
