//! How many runs a comparison needs.

use super::binomial::masses;

/// Runs an arm beyond which no plan is made.
pub const MOST_RUNS: u64 = 100_000;

/// Up to here every number is tried; beyond it, halving finds one that is enough.
const EACH_TRIED: u64 = 300;

/// Why there is no number of runs.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum BeyondReach {
    /// A rate or a probability that is none.
    #[error("{what} is {value}, and has to be between 0 and 1")]
    OutOfRange {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// The rates are the same.
    #[error("rates of {0} and {0} do not differ, and no number of runs tells them apart")]
    Same(f64),
    /// More than anybody runs.
    #[error(
        "to tell a rate of {0} from one of {1} takes more than {MOST_RUNS} runs an arm (hint: choose rates that differ more)"
    )]
    TooMany(f64, f64),
}

/// How many runs each of two arms needs so that Fisher's exact test, two-sided at the level `alpha`, finds their
/// rates `p1` and `p2` different with a probability of at least `power`.
///
/// Exact: the probability is summed over every outcome of both arms. Up to 300 runs it is the smallest number that is
/// enough. As the test is discrete, the power falls a little after each step up; beyond 300 runs the number is one at
/// which it crosses `power`.
///
/// # Errors
/// [`BeyondReach`]: for numbers that are no rates and for more than [`MOST_RUNS`] runs an arm.
pub fn runs_needed(p1: f64, p2: f64, alpha: f64, power: f64) -> Result<u64, BeyondReach> {
    for (what, value, closed) in [
        ("the first rate", p1, true),
        ("the second rate", p2, true),
        ("the level", alpha, false),
        ("the power", power, false),
    ] {
        let inside = value > 0.0 && value < 1.0;
        if !inside && !(closed && (value == 0.0 || value == 1.0)) {
            return Err(BeyondReach::OutOfRange { what, value });
        }
    }
    if (p1 - p2).abs() < f64::EPSILON {
        return Err(BeyondReach::Same(p1));
    }
    let enough = |runs| power_of_fisher(runs, p1, p2, alpha) >= power;
    if let Some(runs) = (1..=EACH_TRIED).find(|runs| enough(*runs)) {
        return Ok(runs);
    }
    let (mut few, mut many) = (EACH_TRIED, EACH_TRIED);
    while !enough(many) {
        if many == MOST_RUNS {
            return Err(BeyondReach::TooMany(p1, p2));
        }
        few = many;
        many = (many * 2).min(MOST_RUNS);
    }
    while many - few > 1 {
        let middle = u64::midpoint(few, many);
        if enough(middle) {
            many = middle;
        } else {
            few = middle;
        }
    }
    Ok(many)
}

/// The probability that Fisher's exact test, two-sided at the level `alpha`, finds two arms of `runs` runs each
/// different when their rates are `p1` and `p2`.
pub fn power_of_fisher(runs: u64, p1: f64, p2: f64, alpha: f64) -> f64 {
    let (first_a, a) = masses(runs, p1);
    let (first_b, b) = masses(runs, p2);
    let last = first_a + first_b + (a.len() + b.len()) as u64 - 2;
    let at = |masses: &[f64], first: u64, hits: u64| -> f64 {
        let place = hits
            .checked_sub(first)
            .and_then(|at| usize::try_from(at).ok());
        place.and_then(|at| masses.get(at)).copied().unwrap_or(0.0)
    };
    let both = |x: u64, y: u64| at(&a, first_a, x) * at(&b, first_b, y);
    let mut power = 0.0;
    for crashes in first_a + first_b..=last {
        let fewest = crashes.saturating_sub(runs);
        let Some(bar) = rejected_up_to(runs, crashes, alpha) else {
            continue;
        };
        // With arms of one size the test is symmetric: what is told apart with few crashes in the one arm is with few
        // in the other.
        for few in fewest..=bar {
            power += both(few, crashes - few) + both(crashes - few, few);
        }
    }
    power.min(1.0)
}

/// The most crashes in one arm at which the test rejects when `crashes` of both arms' `runs` each crashed in all;
/// `None` where it never does.
fn rejected_up_to(runs: u64, crashes: u64, alpha: f64) -> Option<u64> {
    let fewest = crashes.saturating_sub(runs);
    let mut bar = None;
    let mut tail = 0.0;
    // The table in the middle, and all beyond it by symmetry.
    let middle = crashes.div_ceil(2);
    for few in fewest..middle {
        tail += table(runs, crashes, few);
        // As the test itself, which takes tables as equally likely that differ by rounding alone.
        if 2.0 * tail > alpha * (1.0 + 1e-9) {
            break;
        }
        bar = Some(few);
    }
    bar
}

/// The probability of `few` crashes in one of two arms of `runs` runs each, where `crashes` crashed in all.
fn table(runs: u64, crashes: u64, few: u64) -> f64 {
    use statrs::function::factorial::ln_binomial;
    (ln_binomial(runs, few) + ln_binomial(runs, crashes - few) - ln_binomial(2 * runs, crashes))
        .exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Rate, binomial, fisher_exact};

    /// Every outcome of both arms, each by the test itself.
    fn by_hand(runs: usize, p1: f64, p2: f64, alpha: f64) -> f64 {
        let all = 0..=runs;
        let mut power = 0.0;
        for x in all.clone() {
            for y in all.clone() {
                let p = fisher_exact(Rate { crashes: x, runs }, Rate { crashes: y, runs });
                if p <= alpha {
                    let mass = |hits, rate| binomial::mass(hits as u64, runs as u64, rate);
                    power += mass(x, p1) * mass(y, p2);
                }
            }
        }
        power
    }

    #[test]
    fn the_power_is_that_of_the_test() {
        for (runs, p1, p2) in [
            (5, 0.9, 0.1),
            (20, 0.5, 0.1),
            (40, 0.3, 0.02),
            (33, 0.0, 0.2),
            (21, 1.0, 0.4),
        ] {
            for alpha in [0.05, 0.01] {
                let (fast, slow) = (
                    power_of_fisher(runs as u64, p1, p2, alpha),
                    by_hand(runs, p1, p2, alpha),
                );
                assert!(
                    (fast - slow).abs() < 1e-9,
                    "{runs} {p1} {p2}: {fast} {slow}"
                );
            }
        }
    }

    #[test]
    fn a_plan_is_enough_and_one_run_less_is_not() {
        for (p1, p2) in [
            (0.1, 0.01),
            (0.5, 0.1),
            (0.02, 0.3),
            (0.05, 0.01),
            (0.01, 0.002),
        ] {
            let runs = runs_needed(p1, p2, 0.05, 0.8).expect("within reach");
            assert!(power_of_fisher(runs, p1, p2, 0.05) >= 0.8, "{runs}");
            assert!(power_of_fisher(runs - 1, p1, p2, 0.05) < 0.8, "{runs}");
        }
    }

    #[test]
    fn what_cannot_be_planned_is_told() {
        let told = |p1, p2, alpha, power| runs_needed(p1, p2, alpha, power).expect_err("no plan");
        assert_eq!(told(0.1, 0.1, 0.05, 0.8), BeyondReach::Same(0.1));
        assert_eq!(
            told(0.001, 0.0011, 0.05, 0.8),
            BeyondReach::TooMany(0.001, 0.0011)
        );
        for (p1, p2, alpha, power) in [
            (-0.1, 0.1, 0.05, 0.8),
            (0.1, 1.1, 0.05, 0.8),
            (0.1, f64::NAN, 0.05, 0.8),
            (0.1, 0.2, 0.0, 0.8),
            (0.1, 0.2, 0.05, 1.0),
        ] {
            assert!(matches!(
                told(p1, p2, alpha, power),
                BeyondReach::OutOfRange { .. }
            ));
        }
    }
}
