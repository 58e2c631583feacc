//! How long runs go without a crash.

use statrs::function::erf::erf_inv;

use super::float;

/// After a time at which runs crashed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Seconds of running.
    pub time: f64,
    /// Runs that had come so far.
    pub at_risk: u64,
    /// Those of them that crashed at this time.
    pub crashed: u64,
    /// The share of runs that goes on beyond it without a crash.
    pub share: f64,
    /// The lower end of its confidence interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The share of runs that have not crashed, over time: the product-limit estimate (E. L. Kaplan and P. Meier, Journal
/// of the American Statistical Association 53, 1958). A run that ended otherwise says that it had not crashed up to
/// then, and nothing of what would have come.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Survival {
    /// Its steps, in the order of time; between them it stays as it is.
    pub steps: Vec<Step>,
    /// Times at which runs ended without a crash, in rising order.
    pub ended: Vec<f64>,
}

impl Survival {
    /// Of runs, each with its seconds and whether it crashed then. The bounds are Greenwood's on the scale of log(-log)
    /// (M. Greenwood, Reports on Public Health and Medical Subjects 33, 1926; J. D. Kalbfleisch and R. L. Prentice, The
    /// Statistical Analysis of Failure Time Data, 1980), which stay between 0 and 1, and hold for each time by itself.
    /// Runs with a time that is negative or no number are left out.
    pub fn of(runs: &[(f64, bool)], confidence: f64) -> Self {
        let mut runs: Vec<(f64, bool)> = runs
            .iter()
            .copied()
            .filter(|(time, _)| time.is_finite() && *time >= 0.0)
            .collect();
        runs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let z = std::f64::consts::SQRT_2 * erf_inv(confidence.clamp(0.0, 1.0));
        let mut survival = Self::default();
        let (mut share, mut greenwood) = (1.0, 0.0);
        let mut at_risk = runs.len() as u64;
        for tied in runs.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
            let time = tied[0].0;
            let crashed = tied.iter().filter(|run| run.1).count() as u64;
            if crashed > 0 {
                let (crashes, risk) = (float(crashed), float(at_risk));
                share *= 1.0 - crashes / risk;
                greenwood += crashes / (risk * (risk - crashes));
                let (low, high) = bounds(share, greenwood, z);
                survival.steps.push(Step {
                    time,
                    at_risk,
                    crashed,
                    share,
                    low,
                    high,
                });
            }
            let others = tied.len() as u64 - crashed;
            survival.ended.extend((0..others).map(|_| time));
            at_risk -= tied.len() as u64;
        }
        survival
    }

    /// The share that has not crashed after so many seconds.
    pub fn at(&self, time: f64) -> f64 {
        let before = self.steps.iter().take_while(|step| step.time <= time);
        before.last().map_or(1.0, |step| step.share)
    }

    /// The last time of which anything is known; `None` without a run.
    pub fn last_time(&self) -> Option<f64> {
        let crashed = self.steps.last().map(|step| step.time);
        let ended = self.ended.last().copied();
        crashed.into_iter().chain(ended).reduce(f64::max)
    }
}

/// Both ends of the interval of a share.
fn bounds(share: f64, greenwood: f64, z: f64) -> (f64, f64) {
    if share <= 0.0 {
        // Nobody is left, and no formula tells how sure that is: from nothing to what was there before would be a guess.
        return (0.0, 1.0);
    }
    let log = share.ln();
    let width = z * greenwood.sqrt() / log;
    // log is below zero, so that the wider exponent is the lower end.
    let (one, other) = (share.powf(width.exp()), share.powf((-width).exp()));
    (one.min(other), one.max(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_is_that_of_a_textbook() {
        // The 6-MP arm of E. J. Freireich et al. (Blood 21, 1963), as survival analysis is taught with it: remissions
        // in weeks; + is one that went on.
        let relapsed = [6.0, 6.0, 6.0, 7.0, 10.0, 13.0, 16.0, 22.0, 23.0];
        let going_on = [
            6.0, 9.0, 10.0, 11.0, 17.0, 19.0, 20.0, 25.0, 32.0, 32.0, 34.0, 35.0,
        ];
        let runs: Vec<(f64, bool)> = relapsed
            .iter()
            .map(|time| (*time, true))
            .chain(going_on.iter().map(|time| (*time, false)))
            .collect();
        let survival = Survival::of(&runs, 0.95);
        let found: Vec<_> = survival
            .steps
            .iter()
            .map(|step| (step.time, step.at_risk, step.crashed, step.share))
            .collect();
        let known = [
            (6.0, 21, 3, 0.8571),
            (7.0, 17, 1, 0.8067),
            (10.0, 15, 1, 0.7529),
            (13.0, 12, 1, 0.6902),
            (16.0, 11, 1, 0.6275),
            (22.0, 7, 1, 0.5378),
            (23.0, 6, 1, 0.4482),
        ];
        assert_eq!(found.len(), known.len());
        for (found, known) in found.iter().zip(known) {
            assert_eq!((found.0, found.1, found.2), (known.0, known.1, known.2));
            assert!((found.3 - known.3).abs() < 5e-5, "{found:?}");
        }
        // R: survfit(..., conf.type = "log-log") at 10 weeks: 0.503 to 0.889.
        let at_ten = survival.steps[2];
        assert!(
            (at_ten.low - 0.503).abs() < 6e-4 && (at_ten.high - 0.889).abs() < 6e-4,
            "{at_ten:?}"
        );
        assert!((survival.at(12.0) - 0.7529).abs() < 5e-5);
        assert_eq!((survival.at(5.9), survival.last_time()), (1.0, Some(35.0)));
    }

    #[test]
    fn without_a_crash_it_stays_at_one_and_when_all_crash_it_ends_at_none() {
        let clean = Survival::of(&[(1.0, false), (2.0, false)], 0.95);
        assert_eq!((clean.at(9.0), clean.steps.len()), (1.0, 0));
        let crashed = Survival::of(&[(1.0, true), (2.0, true)], 0.95);
        assert_eq!(crashed.at(1.5), 0.5);
        assert_eq!((crashed.at(2.0), crashed.steps[1].low), (0.0, 0.0));
        assert_eq!(Survival::of(&[], 0.95).last_time(), None);
        let odd = Survival::of(&[(f64::NAN, true), (-1.0, true), (3.0, false)], 0.95);
        assert_eq!((odd.steps.len(), odd.last_time()), (0, Some(3.0)));
    }

    #[test]
    fn a_step_lies_within_its_bounds() {
        let runs: Vec<(f64, bool)> = (0..40)
            .map(|at| (f64::from(at % 17), at % 3 == 0))
            .collect();
        for step in Survival::of(&runs, 0.9).steps {
            assert!(
                0.0 <= step.low
                    && step.low <= step.share
                    && step.share <= step.high
                    && step.high <= 1.0
            );
        }
    }
}
