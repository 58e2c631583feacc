//! How often a program crashes, as far as runs of it show.

use statrs::function::beta::beta_reg;

/// Crashes among runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rate {
    /// Runs that crashed; never more than all.
    pub crashes: usize,
    /// Runs in all.
    pub runs: usize,
}

impl Rate {
    /// The share that crashed, from 0 to 1; `None` without a run.
    pub fn estimate(self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss)] // runs, not 2^52 of them
        (self.runs > 0).then(|| self.crashes as f64 / self.runs as f64)
    }

    /// Both ends of the 95 % confidence interval, from 0 to 1: the exact one of Clopper and Pearson
    /// (Biometrika 26, 1934), which holds for any number of runs and also where none crashed.
    /// `None` without a run.
    pub fn interval_95(self) -> Option<(f64, f64)> {
        const TAIL: f64 = 0.025;
        (self.runs > 0).then_some(())?;
        let crashes = self.crashes.min(self.runs);
        #[allow(clippy::cast_precision_loss)] // runs, not 2^52 of them
        let (hit, missed) = (crashes as f64, (self.runs - crashes) as f64);
        // P(X >= hit) grows with the rate, P(X <= hit) shrinks: each end is where its tail is met.
        let low = if crashes == 0 {
            0.0
        } else {
            meeting(|rate| beta_reg(hit, missed + 1.0, rate) - TAIL)
        };
        let high = if crashes == self.runs {
            1.0
        } else {
            meeting(|rate| beta_reg(hit + 1.0, missed, rate) - (1.0 - TAIL))
        };
        Some((low, high))
    }
}

/// Where a function that grows from below zero to above it meets zero between 0 and 1.
fn meeting(grows: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    // Halved until nothing is left between the two.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if grows(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The exact interval where one crashed in ten, and others that tables print.
    #[test]
    fn intervals_are_those_of_the_tables() {
        for (crashes, runs, low, high) in [
            (0, 10, 0.0, 0.3085),
            (1, 10, 0.0025, 0.4450),
            (5, 10, 0.1871, 0.8129),
            (10, 10, 0.6915, 1.0),
            (0, 100, 0.0, 0.0362),
            (4, 20, 0.0573, 0.4366),
        ] {
            let (found_low, found_high) = Rate { crashes, runs }.interval_95().expect("runs");
            assert!(
                (found_low - low).abs() < 1e-4,
                "{crashes}/{runs}: {found_low}"
            );
            assert!(
                (found_high - high).abs() < 1e-4,
                "{crashes}/{runs}: {found_high}"
            );
        }
    }

    #[test]
    fn without_a_run_nothing_is_known() {
        let none = Rate::default();
        assert_eq!((none.estimate(), none.interval_95()), (None, None));
    }

    proptest! {
        #[test]
        fn the_interval_holds_the_estimate_and_mirrors(runs in 1_usize..5000, share in 0.0..=1.0_f64) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let crashes = ((runs as f64) * share) as usize;
            let rate = Rate { crashes, runs };
            let (low, high) = rate.interval_95().expect("runs");
            let estimate = rate.estimate().expect("runs");
            prop_assert!(0.0 <= low && low <= estimate && estimate <= high && high <= 1.0);
            let (mirrored_low, mirrored_high) = Rate { crashes: runs - crashes, runs }.interval_95().expect("runs");
            prop_assert!((low + mirrored_high - 1.0).abs() < 1e-9);
            prop_assert!((high + mirrored_low - 1.0).abs() < 1e-9);
        }
    }
}
