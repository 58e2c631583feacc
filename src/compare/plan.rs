//! What a number of runs can tell, said before they are made.

use serde::Serialize;

use crate::stats::{BeyondReach, power_of_fisher, runs_needed};

/// How sure a plan is to find a difference that is there.
pub const POWER: f64 = 0.8;

/// Two rates that are to be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Detect {
    /// The control's.
    pub control: f64,
    /// The other arm's.
    pub other: f64,
}

/// What is told of the runs before they are made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Plan {
    /// Runs of each arm that are to be made.
    pub runs: u64,
    /// How sure it is to find a difference that is there.
    pub power: f64,
    /// The probability of taking chance for a difference, in one of the comparisons; their number is accounted for.
    pub alpha: f64,
    /// What is to be told apart.
    pub detect: Detect,
    /// Runs of each arm that this takes; `None` for more than are planned.
    pub needed: Option<u64>,
    /// With the runs that are to be made: the lowest rate of the control that is told from an arm that never crashes.
    pub tells_from_none: Option<f64>,
}

impl Plan {
    /// For `runs` of each arm, of which `arms - 1` are compared with the control, and the chance of any false finding
    /// at most `1 - confidence`.
    ///
    /// # Errors
    /// [`BeyondReach`] for rates that cannot be told apart or are none; not for too many runs, which is a plan's answer.
    pub fn new(
        runs: u64,
        arms: usize,
        detect: Detect,
        confidence: f64,
    ) -> Result<Self, BeyondReach> {
        let alpha = level(arms, confidence);
        let needed = match runs_needed(detect.control, detect.other, alpha, POWER) {
            Ok(needed) => Some(needed),
            Err(BeyondReach::TooMany(..)) => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            runs,
            power: POWER,
            alpha,
            detect,
            needed,
            tells_from_none: tells_from_none(runs, alpha),
        })
    }
}

/// The level of the first step of Holm's correction, which holds for every step.
#[allow(clippy::cast_precision_loss)] // a handful of arms
fn level(arms: usize, confidence: f64) -> f64 {
    (1.0 - confidence) / arms.saturating_sub(1).max(1) as f64
}

/// The lowest rate that is told from none; `None` where not even a crash in every run is.
fn tells_from_none(runs: u64, alpha: f64) -> Option<f64> {
    let tells = |rate: f64| power_of_fisher(runs, rate, 0.0, alpha) >= POWER;
    if !tells(1.0) {
        return None;
    }
    let (mut low, mut high) = (0.0, 1.0);
    // To a thousandth: it is printed with two digits.
    while high - low > 0.001 * high {
        let middle = f64::midpoint(low, high);
        if tells(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENTH: Detect = Detect {
        control: 0.1,
        other: 0.01,
    };

    #[test]
    fn a_plan_tells_what_its_runs_can_and_cannot() {
        let plan = Plan::new(20, 2, TENTH, 0.95).expect("a plan");
        // By the normal approximation some 100; Fisher's test is exact and asks for more.
        assert!(
            plan.needed
                .is_some_and(|needed| (95..140).contains(&needed)),
            "{plan:?}"
        );
        let tells = plan.tells_from_none.expect("it tells something");
        assert!((0.2..0.5).contains(&tells), "{tells}");
        assert!(power_of_fisher(20, tells, 0.0, 0.05) >= POWER);
    }

    #[test]
    fn more_arms_take_more_runs_and_few_runs_tell_nothing() {
        let two = Plan::new(20, 2, TENTH, 0.95).expect("a plan").needed;
        let five = Plan::new(20, 5, TENTH, 0.95).expect("a plan");
        assert!(two < five.needed && five.alpha < 0.0126);
        assert_eq!(
            Plan::new(3, 2, TENTH, 0.95)
                .expect("a plan")
                .tells_from_none,
            None
        );
        let close = Detect {
            control: 0.001,
            other: 0.0011,
        };
        assert_eq!(Plan::new(3, 2, close, 0.95).expect("a plan").needed, None);
        let same = Detect {
            control: 0.1,
            other: 0.1,
        };
        assert_eq!(Plan::new(20, 2, same, 0.95), Err(BeyondReach::Same(0.1)));
    }
}
