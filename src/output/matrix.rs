//! The answer of `rehearse --matrix`: a table for each number of threads, what was expected, and what it is worth.

use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;

use super::terminal::{ERROR, OK, STRONG, visible};
use crate::matrix::plan::Plan;
use crate::matrix::scenario::Scenario;
use crate::matrix::tally::{Cell, Duty, Expectation, Tally};

/// What the matrix is, and is not.
const CAVEAT: &str = "This is a model: a driver of our own with the faults that others have published, and the published versions as their\n\
author describes them. It shows what each policy does when those faults occur; it is no evidence about Apple's driver.";

/// The whole matrix.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Version of this layout.
    pub schema: u32,
    /// What this is worth.
    pub caveat: &'static str,
    /// Runs of each policy in each scenario.
    pub runs: u16,
    /// Seconds after which a run hangs.
    pub timeout: f64,
    /// Seconds that all of it took.
    pub seconds: f64,
    /// The scenarios.
    pub scenarios: Vec<Scenario>,
    /// All cells, by number of threads, policy and scenario.
    pub cells: Vec<CellView>,
    /// What was expected.
    pub expectations: Vec<Expectation>,
}

/// One cell.
#[derive(Debug, Serialize)]
pub struct CellView {
    /// Number of threads.
    pub threads: u16,
    /// The row: `none`, a policy, or `v3 --throttle 2`.
    pub policy: String,
    /// The scenario.
    pub scenario: String,
    /// What happened.
    #[serde(flatten)]
    pub cell: Cell,
}

impl Answer {
    /// The answer from the runs.
    pub fn of(plan: &Plan, tally: &Tally, timeout: Duration, took: Duration) -> Self {
        let mut cells = Vec::new();
        for (at, &threads) in plan.threads.iter().enumerate() {
            for (row, what) in plan.rows.iter().enumerate() {
                for (column, scenario) in plan.scenarios.iter().enumerate() {
                    cells.push(CellView {
                        threads,
                        policy: what.name(),
                        scenario: scenario.name.clone(),
                        cell: tally.cell(at, row, column),
                    });
                }
            }
        }
        Self {
            schema: super::run_json::SCHEMA,
            caveat: CAVEAT,
            runs: plan.runs,
            timeout: timeout.as_secs_f64(),
            seconds: took.as_secs_f64(),
            scenarios: plan.scenarios.clone(),
            cells,
            expectations: tally.expectations(plan),
        }
    }

    /// Whether everything was as expected.
    pub fn as_published(&self) -> bool {
        self.expectations.iter().all(|it| it.met)
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for block in self.cells.chunk_by(|a, b| a.threads == b.threads) {
            text += &self.table(block);
            text.push('\n');
        }
        let names = self.scenarios.iter().map(|scenario| scenario.name.len());
        let width = names.max().unwrap_or(0);
        for scenario in &self.scenarios {
            let _ = writeln!(
                text,
                "{:<width$}  {}",
                visible(&scenario.name),
                visible(&scenario.models)
            );
        }
        text.push('\n');
        for missed in self.expectations.iter().filter(|it| !it.met) {
            let what = match missed.duty {
                Duty::EndWell => "should end well and did not",
                Duty::Fail => {
                    "should fail, as its author says, and did not (hint: more --runs or --threads)"
                }
            };
            let _ = writeln!(
                text,
                "{ERROR}not as expected{ERROR:#}: {} in `{}` {what}",
                missed.policy,
                visible(&missed.scenario)
            );
        }
        if self.as_published() {
            let failures = self.expectations.iter().filter(|it| it.duty == Duty::Fail);
            let _ = writeln!(
                text,
                "{OK}as expected{OK:#}: v3 ended well where a library can help, and {} published failures showed; {:.0} s",
                failures.count(),
                self.seconds
            );
        }
        let _ = write!(text, "\n{CAVEAT}");
        text
    }

    fn table(&self, block: &[CellView]) -> String {
        let rows: Vec<&[CellView]> = block.chunk_by(|a, b| a.policy == b.policy).collect();
        let widths: Vec<usize> = (0..self.scenarios.len())
            .map(|column| {
                let cells = rows.iter().map(|row| row[column].cell.text().len());
                cells
                    .chain([self.scenarios[column].name.len()])
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let first = rows
            .iter()
            .map(|row| row[0].policy.len())
            .max()
            .unwrap_or(0)
            .max("policy".len());
        let plural = |n: u16| if n == 1 { "" } else { "s" };
        let threads = block[0].threads;
        let mut text = format!(
            "{STRONG}{threads} thread{}, {} run{} each{STRONG:#}\n{:<first$}",
            plural(threads),
            self.runs,
            plural(self.runs),
            "policy"
        );
        // Writing to a String cannot fail.
        for (scenario, width) in self.scenarios.iter().zip(&widths) {
            let _ = write!(text, "  {:<width$}", visible(&scenario.name));
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
        for row in rows {
            let _ = write!(text, "{:<first$}", row[0].policy);
            for (view, width) in row.iter().zip(&widths) {
                let cell = view.cell.text();
                let style = if view.cell.is_ok() { OK } else { ERROR };
                // Styles take no room on the screen, so that the padding stands outside.
                let _ = write!(
                    text,
                    "  {style}{cell}{style:#}{:1$}",
                    "",
                    width - cell.len()
                );
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
        text
    }
}
