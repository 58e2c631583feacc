//! How often a program crashes, as far as runs of it show.

use statrs::function::beta::beta_reg;

use super::float;

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
        (self.runs > 0).then(|| float(self.crashes as u64) / float(self.runs as u64))
    }

    /// Both ends of the confidence interval, from 0 to 1: the exact one of Clopper and Pearson
    /// (Biometrika 26, 1934), which holds for any number of runs and also where none crashed.
    /// `None` without a run, or where `confidence` is not between 0 and 1.
    pub fn interval(self, confidence: f64) -> Option<(f64, f64)> {
        let each = f64::midpoint(1.0, confidence);
        Some((self.lower(each)?, self.upper(each)?))
    }

    /// [`Rate::interval`] with 95 % confidence.
    pub fn interval_95(self) -> Option<(f64, f64)> {
        self.interval(0.95)
    }

    /// The rate that the true one is not above, with this confidence: one-sided, so all of the error is on this side.
    /// `None` as for [`Rate::interval`].
    pub fn upper(self, confidence: f64) -> Option<f64> {
        let (hit, missed) = self.parts(confidence)?;
        // P(X <= hit) shrinks as the rate grows: the end is where it is no more than what confidence leaves.
        Some(if missed == 0.0 {
            1.0
        } else if hit == 0.0 {
            // The same in closed form: (1 - rate)^runs is what is left.
            -((-confidence).ln_1p() / missed).exp_m1()
        } else {
            meeting(|rate| beta_reg(hit + 1.0, missed, rate) - confidence)
        })
    }

    /// The rate that the true one is not below, with this confidence; one-sided. `None` as for [`Rate::interval`].
    pub fn lower(self, confidence: f64) -> Option<f64> {
        let mirrored = Self {
            crashes: self.runs.saturating_sub(self.crashes),
            runs: self.runs,
        };
        Some(1.0 - mirrored.upper(confidence)?)
    }

    /// Runs that crashed, and the others.
    fn parts(self, confidence: f64) -> Option<(f64, f64)> {
        let stands = self.runs > 0 && confidence > 0.0 && confidence < 1.0;
        let crashes = self.crashes.min(self.runs);
        stands.then(|| (float(crashes as u64), float((self.runs - crashes) as u64)))
    }
}

/// What was known after each run: the one-sided upper bound of the rate, for runs in the order in which they ended.
///
/// Each bound holds by itself, for a series that was to end there; that all of them hold at once is not said.
pub fn cumulative_bound(crashed: impl IntoIterator<Item = bool>, confidence: f64) -> Vec<f64> {
    let mut rate = Rate::default();
    let mut bounds = Vec::new();
    for crashed in crashed {
        rate.crashes += usize::from(crashed);
        rate.runs += 1;
        bounds.extend(rate.upper(confidence));
    }
    bounds
}

/// Where a function that grows from below zero to above it meets zero between 0 and 1.
pub(super) fn meeting(grows: impl Fn(f64) -> f64) -> f64 {
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
