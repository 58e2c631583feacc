//! Whether a series of measured times is what a comparison takes it for: the same thing again and again.

use serde::Serialize;
use statrs::function::erf::erfc;

use super::{float, median};

/// A number as far from the median as this many standard deviations of a normal distribution is an outlier. Ten, as
/// times have a long tail of their own; `hyperfine` (src/outlier_detection.rs) takes ten as well.
pub const OUTLIER: f64 = 10.0;
/// From the median absolute deviation to the standard deviation of a normal distribution.
const OF_MEDIAN_DEVIATION: f64 = 1.4826;
/// From the mean absolute deviation to the same.
const OF_MEAN_DEVIATION: f64 = 1.2533;

/// Fewer numbers than these have no trend: the normal approximation of Mann and Kendall's test needs ten (R. O.
/// Gilbert, Statistical Methods for Environmental Pollution Monitoring, 1987, 16.4).
pub const FEWEST_FOR_DRIFT: usize = 10;
/// A trend as clear as this, by chance in one of a hundred series...
const DRIFT_LEVEL: f64 = 0.01;
/// ...and over the whole series as large as this share of its median, is a drift.
const DRIFT_SHARE: f64 = 0.05;
/// Numbers that are paired with each other; of more, medians of neighbours are.
const MOST_PAIRED: usize = 1000;

/// Places of the outliers, by the modified z-score (B. Iglewicz and D. C. Hoaglin, How to Detect and Handle Outliers,
/// 1993): the distance from the median over the median absolute deviation, and over the mean absolute deviation where
/// more than half of the numbers are the same.
pub fn outliers(numbers: &[f64]) -> Vec<usize> {
    let Some(middle) = median(numbers) else {
        return Vec::new();
    };
    let distances: Vec<f64> = numbers.iter().map(|it| (it - middle).abs()).collect();
    let deviation = OF_MEDIAN_DEVIATION * median(&distances).unwrap_or_default();
    let deviation = if deviation > 0.0 {
        deviation
    } else {
        OF_MEAN_DEVIATION * distances.iter().sum::<f64>() / float(numbers.len() as u64)
    };
    (0..numbers.len())
        .filter(|&at| distances[at] > OUTLIER * deviation)
        .collect()
}

/// A trend of the numbers in the order in which they were taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Drift {
    /// From the first to the last, as a share of the median: 0.2 where the last takes a fifth more.
    pub share: f64,
    /// How often chance alone gives a trend as clear: two-sided.
    pub p: f64,
}

/// A trend that is clear and large enough to matter: Mann and Kendall's test (H. B. Mann, Econometrica 13, 1945; M. G.
/// Kendall, Rank Correlation Methods, 1948), and Theil and Sen's slope (P. K. Sen, Journal of the American Statistical
/// Association 63, 1968). `None` without one, and for fewer than [`FEWEST_FOR_DRIFT`] numbers.
pub fn drift(numbers: &[f64]) -> Option<Drift> {
    let middle = median(numbers).filter(|middle| *middle > 0.0)?;
    if numbers.len() < FEWEST_FOR_DRIFT {
        return None;
    }
    let numbers = thinned(numbers);
    let steps = float(numbers.len() as u64 - 1);
    let p = mann_kendall(&numbers);
    let share = theil_sen(&numbers)? * steps / middle;
    (p < DRIFT_LEVEL && share.abs() >= DRIFT_SHARE).then_some(Drift { share, p })
}

/// At most [`MOST_PAIRED`] numbers: medians of neighbours where there are more.
fn thinned(numbers: &[f64]) -> Vec<f64> {
    let each = numbers.len().div_ceil(MOST_PAIRED);
    numbers.chunks(each).filter_map(median).collect()
}

/// How often chance alone gives a trend as clear, by the normal approximation with ties taken into account.
fn mann_kendall(numbers: &[f64]) -> f64 {
    let mut score = 0.0;
    for (at, first) in numbers.iter().enumerate() {
        for second in &numbers[at + 1..] {
            score += (second - first)
                .partial_cmp(&0.0)
                .map_or(0.0, |order| f64::from(order as i8));
        }
    }
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let pairs = |count: f64| count * (count - 1.0) * (2.0 * count + 5.0);
    let ties: f64 = sorted
        .chunk_by(|a, b| a.total_cmp(b).is_eq())
        .map(|tied| pairs(float(tied.len() as u64)))
        .sum();
    let variance = (pairs(float(numbers.len() as u64)) - ties) / 18.0;
    if variance <= 0.0 {
        return 1.0;
    }
    // One closer to zero, as the score is discrete.
    let z = (score.abs() - 1.0).max(0.0) / variance.sqrt();
    erfc(z / std::f64::consts::SQRT_2)
}

/// The median of the slopes between any two; per place.
fn theil_sen(numbers: &[f64]) -> Option<f64> {
    let mut slopes = Vec::with_capacity(numbers.len() * numbers.len() / 2);
    for (at, first) in numbers.iter().enumerate() {
        for (distance, second) in numbers[at + 1..].iter().enumerate() {
            slopes.push((second - first) / float(distance as u64 + 1));
        }
    }
    median(&slopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Random;

    fn noise(count: usize, seed: u64) -> Vec<f64> {
        let mut random = Random::new(seed);
        (0..count).map(|_| 1.0 + 0.1 * random.unit()).collect()
    }

    #[test]
    fn one_that_took_much_longer_is_an_outlier() {
        let mut numbers = noise(30, 1);
        assert!(outliers(&numbers).is_empty());
        numbers[7] = 3.0;
        numbers[20] = 0.1;
        assert_eq!(outliers(&numbers), [7, 20]);
    }

    #[test]
    fn where_most_are_the_same_the_mean_deviation_decides() {
        let mut numbers = vec![1.0; 40];
        assert!(outliers(&numbers).is_empty());
        numbers[3] = 1.5;
        assert_eq!(outliers(&numbers), [3]);
        assert!(outliers(&[]).is_empty());
        assert!(outliers(&[1.0, f64::NAN]).is_empty());
    }

    #[test]
    fn a_machine_that_gets_slower_is_told() {
        let slower: Vec<f64> = noise(40, 2)
            .iter()
            .enumerate()
            .map(|(at, time)| time * (1.0 + 0.01 * float(at as u64)))
            .collect();
        let found = drift(&slower).expect("a drift");
        assert!((0.2..0.5).contains(&found.share), "{found:?}");
        let faster: Vec<f64> = slower.iter().rev().copied().collect();
        assert!(drift(&faster).expect("a drift").share < -0.2);
        let many: Vec<f64> = slower.iter().flat_map(|time| vec![*time; 1000]).collect();
        assert!(drift(&many).is_some());
    }

    #[test]
    fn noise_is_hardly_ever_taken_for_a_drift() {
        let found = (0..500).filter(|seed| mann_kendall(&noise(30, *seed)) < 0.01);
        assert!(found.count() <= 14, "one in a hundred");
        assert_eq!(drift(&[1.0; 50]), None);
        assert_eq!(drift(&noise(9, 1)), None);
        // Clear, and too small to matter.
        let slight: Vec<f64> = (0..50).map(|at| 1.0 + 0.0002 * f64::from(at)).collect();
        assert_eq!(drift(&slight), None);
    }
}
