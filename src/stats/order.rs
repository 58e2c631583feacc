//! Medians and quartiles.

use serde::Serialize;

use super::float;

/// Where the middle of some numbers is, and how far they spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// How many numbers there are.
    pub count: usize,
    /// The smallest.
    pub least: f64,
    /// A quarter is no larger.
    pub lower_quartile: f64,
    /// Half are no larger.
    pub median: f64,
    /// Three quarters are no larger.
    pub upper_quartile: f64,
    /// The largest.
    pub most: f64,
}

impl Spread {
    /// Of these numbers; `None` where there are none, or one is not finite.
    pub fn of(numbers: &[f64]) -> Option<Self> {
        let sorted = sorted(numbers)?;
        Some(Self {
            count: sorted.len(),
            least: sorted[0],
            lower_quartile: quantile(&sorted, 0.25),
            median: quantile(&sorted, 0.5),
            upper_quartile: quantile(&sorted, 0.75),
            most: sorted[sorted.len() - 1],
        })
    }

    /// The width of the middle half; `None` for fewer than two numbers, which spread nothing.
    pub fn interquartile_range(&self) -> Option<f64> {
        (self.count > 1).then(|| self.upper_quartile - self.lower_quartile)
    }
}

/// The median; `None` where there is no number, or one is not finite.
pub fn median(numbers: &[f64]) -> Option<f64> {
    Some(quantile(&sorted(numbers)?, 0.5))
}

/// In rising order; `None` where there is no number, or one is not finite.
fn sorted(numbers: &[f64]) -> Option<Vec<f64>> {
    let stands = !numbers.is_empty() && numbers.iter().all(|number| number.is_finite());
    stands.then(|| {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted
    })
}

/// The number below which a share of them lies, between two of them where need be (R. J. Hyndman and Y. Fan, The
/// American Statistician 50, 1996: definition 7, that of NumPy and R).
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = float(sorted.len() as u64 - 1) * share;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a place in the list
    let (below, part) = (at.floor() as usize, at.fract());
    match sorted.get(below + 1) {
        Some(above) if part > 0.0 => sorted[below] + part * (above - sorted[below]),
        _ => sorted[below],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_numpys() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]).expect("numbers");
        let known = (1.0, 1.75, 2.5, 3.25, 4.0);
        let found = (
            spread.least,
            spread.lower_quartile,
            spread.median,
            spread.upper_quartile,
            spread.most,
        );
        assert_eq!(found, known);
        assert_eq!(spread.interquartile_range(), Some(1.5));
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    }

    #[test]
    fn one_number_has_no_spread_and_none_has_no_median() {
        let spread = Spread::of(&[2.0]).expect("a number");
        assert_eq!((spread.median, spread.interquartile_range()), (2.0, None));
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(median(&[1.0, f64::NAN]), None);
        assert_eq!(median(&[1.0, f64::INFINITY]), None);
    }
}
