//! How sure a ratio is.

use serde::Serialize;

use super::median;
use super::order::quantile;
use super::random::Random;

/// From here to there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether a number is inside.
    pub fn holds(self, number: f64) -> bool {
        self.low <= number && number <= self.high
    }
}

/// Fewer numbers than these tell nothing of how they would vary: their resamples are the same few again and again.
pub const FEWEST: usize = 5;

/// Resamples, as far as the work allows.
const RESAMPLES: usize = 10_000;
const FEWEST_RESAMPLES: usize = 1000;
/// Numbers drawn in all, roughly: a second's work without any optimisation.
const WORK: usize = 20_000_000;

/// The median of `a` over that of `b`, with its confidence interval: the percentile bootstrap (B. Efron, The Annals of
/// Statistics 7, 1979), both sides resampled. The same seed gives the same interval.
///
/// `None` for fewer than [`FEWEST`] numbers on either side, and where a number is not finite or not above zero: then the
/// ratio has no meaning.
pub fn bootstrap_ratio_of_medians(
    a: &[f64],
    b: &[f64],
    confidence: f64,
    seed: u64,
) -> Option<(f64, Interval)> {
    let resamples = (WORK / (a.len() + b.len()).max(1)).clamp(FEWEST_RESAMPLES, RESAMPLES);
    ratio_by(resamples, a, b, confidence, seed)
}

/// The same with so many resamples.
fn ratio_by(
    resamples: usize,
    a: &[f64],
    b: &[f64],
    confidence: f64,
    seed: u64,
) -> Option<(f64, Interval)> {
    let enough = a.len() >= FEWEST && b.len() >= FEWEST;
    let positive = |numbers: &[f64]| numbers.iter().all(|it| it.is_finite() && *it > 0.0);
    let stands = confidence > 0.0 && confidence < 1.0;
    if !(enough && stands && positive(a) && positive(b)) {
        return None;
    }
    let ratio = median(a)? / median(b)?;
    let mut random = Random::new(seed);
    let mut drawn = Vec::new();
    let mut ratios: Vec<f64> = (0..resamples)
        .map(|_| {
            let above = median_of_resample(a, &mut drawn, &mut random);
            above / median_of_resample(b, &mut drawn, &mut random)
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    let interval = Interval {
        low: quantile(&ratios, tail),
        high: quantile(&ratios, 1.0 - tail),
    };
    Some((ratio, interval))
}

/// The median of as many numbers, each drawn from all. `drawn` is room to work in.
fn median_of_resample(numbers: &[f64], drawn: &mut Vec<f64>, random: &mut Random) -> f64 {
    drawn.clear();
    drawn.extend(numbers.iter().map(|_| numbers[random.place(numbers.len())]));
    let half = drawn.len() / 2;
    let is_even = drawn.len().is_multiple_of(2);
    let (below, middle, _) = drawn.select_nth_unstable_by(half, f64::total_cmp);
    let middle = *middle;
    if is_even {
        let highest = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        f64::midpoint(highest, middle)
    } else {
        middle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers around a middle, each with a factor of at most 1 +- 0.1.
    fn around(middle: f64, count: usize, random: &mut Random) -> Vec<f64> {
        (0..count)
            .map(|_| middle * (0.9 + 0.2 * random.unit()))
            .collect()
    }

    #[test]
    fn the_interval_holds_the_true_ratio_about_as_often_as_it_says() {
        let mut random = Random::new(2026);
        let held = (0..400)
            .filter(|seed| {
                let (a, b) = (around(3.0, 25, &mut random), around(2.0, 25, &mut random));
                // Fewer resamples: the ends are as often on either side, and no farther out.
                let (_, interval) = ratio_by(RESAMPLES / 20, &a, &b, 0.9, *seed).expect("numbers");
                interval.holds(1.5)
            })
            .count();
        // The percentile bootstrap is approximate: 90 % plus or minus a little more than three standard errors.
        assert!((340..=385).contains(&held), "{held} of 400");
    }

    #[test]
    fn a_seed_repeats_the_interval_and_the_ratio_is_inside() {
        let mut random = Random::new(3);
        let (a, b) = (around(1.0, 24, &mut random), around(4.0, 31, &mut random));
        let one = bootstrap_ratio_of_medians(&a, &b, 0.95, 1).expect("numbers");
        assert_eq!(Some(one), bootstrap_ratio_of_medians(&a, &b, 0.95, 1));
        assert!(one.1.holds(one.0), "{one:?}");
        let (wider, narrower) = (
            bootstrap_ratio_of_medians(&a, &b, 0.99, 1)
                .expect("numbers")
                .1,
            bootstrap_ratio_of_medians(&a, &b, 0.8, 1)
                .expect("numbers")
                .1,
        );
        assert!(wider.low <= narrower.low && narrower.high <= wider.high);
        let alike = [2.0; 6];
        let same = bootstrap_ratio_of_medians(&alike, &alike, 0.95, 1).expect("numbers");
        assert_eq!(
            same,
            (
                1.0,
                Interval {
                    low: 1.0,
                    high: 1.0
                }
            )
        );
    }

    #[test]
    fn no_interval_of_what_has_none() {
        let good = [1.0, 2.0, 3.0, 4.0, 5.0];
        for bad in [
            &[1.0, 2.0, 3.0, 4.0][..],
            &[0.0, 1.0, 2.0, 3.0, 4.0],
            &[1.0, 2.0, f64::NAN, 4.0, 5.0],
        ] {
            assert_eq!(bootstrap_ratio_of_medians(bad, &good, 0.95, 1), None);
            assert_eq!(bootstrap_ratio_of_medians(&good, bad, 0.95, 1), None);
        }
        assert_eq!(bootstrap_ratio_of_medians(&good, &good, 1.0, 1), None);
    }
}
