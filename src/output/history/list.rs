//! Runs one by one.

use anstyle::Style;
use chrono::{DateTime, Local, Utc};

use super::words::{column, push_line, right, seconds};
use crate::history::{Kind, Row};
use crate::output::crash::ago;
use crate::output::table::{Cell, Column, Table};
use crate::output::terminal::{DIM, ERROR, OK, STRONG, WARNING};

/// What a list tells of a run.
#[derive(Debug, Clone)]
pub struct Listed {
    /// When it began.
    pub started: DateTime<Utc>,
    id: String,
    kind: Kind,
    verdict: u8,
    wall: f64,
    fix: String,
    host: String,
    arm: Option<String>,
    crash: Option<String>,
    title: Option<String>,
    command: String,
}

impl Listed {
    /// The part of a run that is shown.
    pub fn of(row: &Row<'_>) -> Self {
        Self {
            started: row.started,
            id: row.id.0.clone().into_owned(),
            kind: row.kind,
            verdict: row.verdict,
            wall: row.wall,
            fix: row.fix.0.clone().into_owned(),
            host: row.host.0.clone().into_owned(),
            arm: row.arm.as_ref().map(|arm| arm.0.clone().into_owned()),
            crash: row.crash.as_ref().map(|crash| crash.0.clone().into_owned()),
            title: row.title.as_ref().map(|title| title.0.clone().into_owned()),
            command: row.command_line(),
        }
    }

    /// Adds one line for programs: always the same columns.
    fn push(&self, text: &mut String) {
        let verdict = self.verdict.to_string();
        let wall = format!("{:.3}", self.wall);
        let started = self.started.to_rfc3339();
        let values = [
            Some(&*started),
            Some(self.kind.name()),
            Some(&verdict),
            Some(&wall),
            Some(&self.fix),
            Some(&self.host),
            Some(&self.id),
            self.crash.as_deref(),
            Some(&self.command),
        ];
        push_line(text, &values);
        text.push('\n');
    }

    fn cells(&self, now: DateTime<Utc>) -> [Cell; 9] {
        let local = self.started.with_timezone(&Local);
        let what = self.title.as_deref().or(self.crash.as_deref());
        [
            Cell::new(&ago(self.started.fixed_offset(), now)),
            Cell::new(&local.format("%Y-%m-%d %H:%M:%S").to_string()),
            Cell::new(self.kind.name()).styled(style(self.kind)),
            Cell::new(&self.verdict.to_string()),
            Cell::new(&seconds(self.wall)),
            Cell::new(self.arm.as_deref().unwrap_or(&self.fix)),
            Cell::new(&self.host).styled(DIM),
            Cell::new(what.unwrap_or("")).styled(WARNING),
            Cell::new(&self.command).styled(STRONG),
        ]
    }
}

/// One line for each run.
pub(super) fn lines(list: &[Listed]) -> String {
    let mut text = String::new();
    for run in list {
        run.push(&mut text);
    }
    text
}

/// The runs as a table of that width.
pub(super) fn table(list: &[Listed], width: usize, now: DateTime<Utc>) -> String {
    let mut table = Table::new(RUNS);
    for run in list {
        table.push(run.cells(now));
    }
    table.render(width)
}

const RUNS: [Column; 9] = [
    right(column("AGE", 0, 10, 10)),
    column("TIME", 5, 19, 19),
    column("KIND", 0, 9, 12),
    right(column("CODE", 2, 4, 4)),
    right(column("WALL", 3, 8, 10)),
    column("ARM", 1, 5, 24),
    column("HOST", 6, 8, 24),
    column("WHAT", 4, 16, 60),
    column("COMMAND", 0, 16, 400),
];

fn style(kind: Kind) -> Style {
    match kind {
        Kind::Crash | Kind::Assertion => ERROR,
        Kind::Clean => OK,
        Kind::GpuError
        | Kind::Hang
        | Kind::LostWork
        | Kind::Failure
        | Kind::NotInjected
        | Kind::Interrupted
        | Kind::Refused => WARNING,
    }
}
