//! What the runs of one arm measured: their time, and the number that they printed.

use serde::Serialize;

use crate::history::{Kind, RunLine};
use crate::stats::series_quality::{Drift, drift, outliers};
use crate::stats::{Interval, Spread, bootstrap_ratio_of_medians};

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// How long the target ran, in seconds.
    Wall,
    /// The number that it printed, in its own unit.
    Metric,
}

/// Measurements of one arm, of its clean runs alone: one that crashed ended before its work was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// What was measured.
    pub quantity: Quantity,
    /// Middle and spread; `None` where no run has a measurement that stands.
    pub spread: Option<Spread>,
    /// Clean runs without a measurement.
    pub missing: usize,
    /// Clean runs with one that cannot be: no finite number, or a time below zero or beyond that of the whole run.
    pub impossible: usize,
    /// The median over the control's; `None` for the control itself, and where it would not stand.
    pub ratio: Option<Ratio>,
    /// What speaks against taking the runs for the same thing again and again.
    pub doubts: Vec<Doubt>,
    /// The measurements, in the order of the runs.
    #[serde(skip)]
    pub values: Vec<f64>,
}

/// A ratio and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratio {
    /// The median over that of the control.
    pub ratio: f64,
    /// Its confidence interval.
    pub interval: Interval,
}

/// What speaks against a series of measurements.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "doubt", rename_all = "snake_case")]
pub enum Doubt {
    /// The first run took much longer than the others: something was not loaded, built or cached yet.
    FirstApart,
    /// Some are far from the others.
    Outliers {
        /// How many.
        count: usize,
    },
    /// They grow or shrink over the series.
    Drift {
        /// From the first to the last, as a share of the median.
        share: f64,
        /// How often chance alone gives as clear a trend.
        p: f64,
    },
}

/// How much longer a run may have taken than agxrun took for all of it: the two are read one after the other.
const SLACK: f64 = 0.05;

impl Measured {
    /// Of an arm's runs, in the order in which they were made.
    pub fn of<'a>(quantity: Quantity, lines: impl IntoIterator<Item = &'a RunLine>) -> Self {
        let (mut values, mut missing, mut impossible) = (Vec::new(), 0, 0);
        for line in lines.into_iter().filter(|line| line.kind == Kind::Clean) {
            let value = match quantity {
                Quantity::Wall => Some(line.wall),
                Quantity::Metric => line.metric,
            };
            match value {
                None => missing += 1,
                Some(value) if is_possible(quantity, value, line) => values.push(value),
                Some(_) => impossible += 1,
            }
        }
        Self {
            quantity,
            spread: Spread::of(&values),
            missing,
            impossible,
            ratio: None,
            doubts: doubts(&values),
            values,
        }
    }

    /// Whether every clean run has a measurement that stands, and there is one.
    pub fn is_whole(&self) -> bool {
        self.missing == 0 && self.impossible == 0 && !self.values.is_empty()
    }

    /// Sets the ratio to the control, where both are whole and it can be told.
    pub fn compare_with(&mut self, control: &Self, confidence: f64, seed: u64) {
        if self.is_whole() && control.is_whole() {
            let told = bootstrap_ratio_of_medians(&self.values, &control.values, confidence, seed);
            self.ratio = told.map(|(ratio, interval)| Ratio { ratio, interval });
        }
    }
}

fn is_possible(quantity: Quantity, value: f64, line: &RunLine) -> bool {
    match quantity {
        Quantity::Wall => value.is_finite() && value > 0.0 && value <= line.total + SLACK,
        Quantity::Metric => value.is_finite(),
    }
}

fn doubts(values: &[f64]) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let far = outliers(values);
    let first_apart = far.first() == Some(&0)
        && Spread::of(values).is_some_and(|spread| values[0] > spread.median);
    let count = far.len() - usize::from(first_apart);
    if first_apart {
        doubts.push(Doubt::FirstApart);
    }
    if count > 0 {
        doubts.push(Doubt::Outliers { count });
    }
    if let Some(Drift { share, p }) = drift(values) {
        doubts.push(Doubt::Drift { share, p });
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::testing::timed;

    fn walls(times: &[f64]) -> Vec<RunLine> {
        times.iter().map(|wall| timed(Kind::Clean, *wall)).collect()
    }

    fn metrics(numbers: &[Option<f64>]) -> Vec<RunLine> {
        let each = numbers.iter().map(|metric| RunLine {
            metric: *metric,
            ..timed(Kind::Clean, 1.0)
        });
        each.collect()
    }

    #[test]
    fn only_clean_runs_are_measured() {
        let mut lines = walls(&[2.0, 2.1, 2.2]);
        lines.push(timed(Kind::Crash, 0.1));
        lines.push(timed(Kind::Failure, 0.2));
        let measured = Measured::of(Quantity::Wall, &lines);
        assert_eq!(measured.values, [2.0, 2.1, 2.2]);
        assert_eq!(measured.spread.map(|it| it.median), Some(2.1));
        assert!(measured.is_whole());
        assert!(!Measured::of(Quantity::Wall, &lines[3..]).is_whole());
    }

    #[test]
    fn a_number_that_is_missing_in_some_runs_gives_no_ratio() {
        let control = Measured::of(Quantity::Metric, &metrics(&[Some(10.0); 8]));
        let mut whole = Measured::of(Quantity::Metric, &metrics(&[Some(20.0); 8]));
        whole.compare_with(&control, 0.95, 1);
        assert_eq!(whole.ratio.map(|it| it.ratio), Some(2.0));
        let mut numbers = [Some(20.0); 8];
        numbers[3] = None;
        numbers[4] = Some(f64::NAN);
        let mut gaps = Measured::of(Quantity::Metric, &metrics(&numbers));
        gaps.compare_with(&control, 0.95, 1);
        assert_eq!((gaps.missing, gaps.impossible, gaps.ratio), (1, 1, None));
        let mut other = Measured::of(Quantity::Metric, &metrics(&[Some(20.0); 8]));
        other.compare_with(&gaps, 0.95, 1);
        assert_eq!(other.ratio, None);
    }

    #[test]
    fn a_time_that_cannot_be_is_counted_and_not_used() {
        let mut lines = walls(&[1.0; 6]);
        lines.extend(walls(&[-3.0, 0.0]));
        lines.push(RunLine {
            total: 0.5,
            ..timed(Kind::Clean, 900.0)
        });
        let measured = Measured::of(Quantity::Wall, &lines);
        assert_eq!((measured.impossible, measured.values.len()), (3, 6));
    }

    #[test]
    fn what_speaks_against_a_series_is_named() {
        let mut times: Vec<f64> = (0..30).map(|at| 1.0 + 0.01 * f64::from(at % 5)).collect();
        assert!(
            Measured::of(Quantity::Wall, &walls(&times))
                .doubts
                .is_empty()
        );
        times[0] = 4.0;
        assert_eq!(
            Measured::of(Quantity::Wall, &walls(&times)).doubts,
            [Doubt::FirstApart]
        );
        times[9] = 5.0;
        let both = [Doubt::FirstApart, Doubt::Outliers { count: 1 }];
        assert_eq!(Measured::of(Quantity::Wall, &walls(&times)).doubts, both);
        let slower: Vec<f64> = (0..30).map(|at| 1.0 + 0.02 * f64::from(at)).collect();
        let doubts = Measured::of(Quantity::Wall, &walls(&slower)).doubts;
        assert!(
            matches!(doubts[..], [Doubt::Drift { share, .. }] if share > 0.3),
            "{doubts:?}"
        );
    }
}
