//! Probabilities of counts.

use statrs::function::factorial::ln_binomial;

use super::float;

/// The probability of exactly `hits` hits in `runs` runs, each with the probability `rate`.
pub(super) fn mass(hits: u64, runs: u64, rate: f64) -> f64 {
    if rate <= 0.0 {
        return f64::from(u8::from(hits == 0));
    }
    if rate >= 1.0 {
        return f64::from(u8::from(hits == runs));
    }
    if hits > runs {
        return 0.0;
    }
    let missed = float(runs - hits);
    (ln_binomial(runs, hits) + float(hits) * rate.ln() + missed * (-rate).ln_1p()).exp()
}

/// The counts that matter, first and last, with the probability of each: what is left out on either side comes to
/// less than 10^-12 together.
pub(super) fn masses(runs: u64, rate: f64) -> (u64, Vec<f64>) {
    /// Per side, and far below what a power is told to.
    const LEFT_OUT: f64 = 1e-15;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // between 0 and the number of runs
    let mode = ((float(runs) + 1.0) * rate).floor().clamp(0.0, float(runs)) as u64;
    let likely = |hits: &u64| mass(*hits, runs, rate) > LEFT_OUT;
    let below = (0..mode).rev().take_while(likely).count() as u64;
    let above = (mode + 1..=runs).take_while(likely).count() as u64;
    let first = mode - below;
    let masses = (first..=mode + above)
        .map(|hits| mass(hits, runs, rate))
        .collect();
    (first, masses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masses_add_up_and_are_those_of_small_tables() {
        assert!((mass(1, 2, 0.5) - 0.5).abs() < 1e-14);
        assert!((mass(0, 59, 0.05) - 0.95_f64.powi(59)).abs() < 1e-15);
        assert_eq!(
            (mass(3, 2, 0.5), mass(0, 5, 0.0), mass(5, 5, 1.0)),
            (0.0, 1.0, 1.0)
        );
        for (runs, rate) in [(1, 0.3), (20, 0.0), (20, 1.0), (400, 0.01), (100_000, 0.5)] {
            let (first, masses) = masses(runs, rate);
            let sum: f64 = masses.iter().sum();
            assert!((sum - 1.0).abs() < 1e-9, "{runs} {rate}: {sum}");
            assert!(first + masses.len() as u64 <= runs + 1);
        }
    }
}
