//! The runs counted, and what is expected of them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::execute::Done;
use super::outcome::Outcome;
use super::plan::{Plan, Row};

/// The runs of one row in one scenario with one number of threads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// How often each outcome came; none is zero.
    pub outcomes: BTreeMap<Outcome, u32>,
    /// Signatures of known lines on stderr, each with the number of runs that had it.
    pub signs: BTreeMap<&'static str, u32>,
}

impl Cell {
    /// Whether every run ended well.
    pub fn is_ok(&self) -> bool {
        self.outcomes.keys().all(|&outcome| outcome == Outcome::Ok)
    }

    /// `ok 2`, `crash 1, ok 1`: the worst that happened comes first.
    pub fn text(&self) -> String {
        let words: Vec<String> = self
            .outcomes
            .iter()
            .rev()
            .map(|(outcome, runs)| format!("{} {runs}", outcome.name()))
            .collect();
        words.join(", ")
    }
}

/// What a row should do in a scenario, with any number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// Every run ends well.
    EndWell,
    /// Some run fails, as its author says.
    Fail,
}

/// An expectation, and whether it was met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expectation {
    /// The row.
    pub policy: String,
    /// The scenario.
    pub scenario: String,
    /// What was expected.
    pub duty: Duty,
    /// Whether it was so.
    pub met: bool,
}

/// All cells, by the places in the plan: number of threads, row, scenario.
#[derive(Debug)]
pub struct Tally {
    cells: BTreeMap<(usize, usize, usize), Cell>,
}

impl Tally {
    /// Counts the runs.
    pub fn of(done: &[Done]) -> Self {
        let mut cells: BTreeMap<_, Cell> = BTreeMap::new();
        for run in done {
            let at = (run.job.threads, run.job.row, run.job.scenario);
            let cell = cells.entry(at).or_default();
            *cell.outcomes.entry(run.outcome).or_default() += 1;
            for sign in &run.signs {
                *cell.signs.entry(sign).or_default() += 1;
            }
        }
        Self { cells }
    }

    /// One cell; empty where nothing was run.
    pub fn cell(&self, threads: usize, row: usize, scenario: usize) -> Cell {
        let at = (threads, row, scenario);
        self.cells.get(&at).cloned().unwrap_or_default()
    }

    /// What is expected of the rows, and whether it was so. Of a policy that its author says nothing about in a scenario,
    /// nothing is.
    pub fn expectations(&self, plan: &Plan) -> Vec<Expectation> {
        let mut expectations = Vec::new();
        for (row, what) in plan.rows.iter().enumerate() {
            for (column, scenario) in plan.scenarios.iter().enumerate() {
                let Some(duty) = duty(*what, &scenario.breaks, scenario.needs_throttle) else {
                    continue;
                };
                let all_ok = (0..plan.threads.len()).all(|at| self.cell(at, row, column).is_ok());
                expectations.push(Expectation {
                    policy: what.name(),
                    scenario: scenario.name.clone(),
                    duty,
                    met: all_ok == (duty == Duty::EndWell),
                });
            }
        }
        expectations
    }
}

/// v3 ends well wherever a library can help; a published policy fails where its author says so.
fn duty(row: Row, breaks: &[String], needs_throttle: bool) -> Option<Duty> {
    if row.is_ours() {
        let helps = !needs_throttle || row.throttle.is_some();
        return helps.then_some(Duty::EndWell);
    }
    let policy = row.policy?;
    breaks
        .iter()
        .any(|name| name == policy.name)
        .then_some(Duty::Fail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::plan::{Job, rows};
    use crate::matrix::scenario::Scenario;

    fn plan() -> Plan {
        let scenario = |name: &str, breaks: &[&str], needs_throttle| Scenario {
            name: name.to_owned(),
            models: String::new(),
            breaks: breaks.iter().map(|&it| it.to_owned()).collect(),
            needs_throttle,
        };
        Plan {
            rows: rows(&["none".to_owned(), "v2.8".to_owned(), "v3".to_owned()]).expect("known"),
            scenarios: vec![
                scenario("late", &["v2.8"], false),
                scenario("fault", &[], true),
            ],
            threads: vec![1, 8],
            runs: 2,
        }
    }

    /// All runs end well but for those that `fails` names by row and scenario.
    fn tally(plan: &Plan, fails: impl Fn(Job) -> bool) -> Tally {
        let done: Vec<Done> = plan
            .jobs()
            .into_iter()
            .map(|job| Done {
                job,
                outcome: if fails(job) {
                    Outcome::Crash
                } else {
                    Outcome::Ok
                },
                signs: vec![],
            })
            .collect();
        Tally::of(&done)
    }

    #[test]
    fn a_published_failure_has_to_show_in_some_run_and_ours_in_none() {
        let plan = plan();
        // v2.8 once, with eight threads; v3 without its throttle where only a throttle helps.
        let as_published = tally(&plan, |job| {
            (job.row, job.scenario, job.threads, job.seed) == (1, 0, 1, 2)
                || (job.row, job.scenario) == (2, 1)
        });
        let expectations = as_published.expectations(&plan);
        let named: Vec<_> = expectations
            .iter()
            .map(|it| (it.policy.as_str(), it.scenario.as_str(), it.duty, it.met))
            .collect();
        assert_eq!(
            named,
            [
                ("v2.8", "late", Duty::Fail, true),
                ("v3", "late", Duty::EndWell, true),
                ("v3 --throttle 2", "late", Duty::EndWell, true),
                ("v3 --throttle 2", "fault", Duty::EndWell, true),
            ]
        );
        let cured = tally(&plan, |_| false).expectations(&plan);
        assert!(!cured[0].met, "v2.8 did not fail");
        let broken = tally(&plan, |job| job.row == 3).expectations(&plan);
        assert!(!broken[3].met, "v3 with its throttle failed");
    }

    #[test]
    fn a_cell_names_the_worst_first() {
        let plan = plan();
        let tally = tally(&plan, |job| job.seed == 1);
        assert_eq!(tally.cell(0, 0, 0).text(), "crash 1, ok 1");
        assert!(!tally.cell(0, 0, 0).is_ok());
        assert_eq!(tally.cell(9, 9, 9).text(), "");
    }
}
