//! Shares as percentages, rounded to the side on which they stay true.

/// To which side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// To the nearest: an estimate.
    Nearest,
    /// Up: an upper bound.
    Up,
    /// Down: a lower bound.
    Down,
}

/// `5.0 %`: one decimal, and below one percent two digits that matter. A share of exactly 0 or 1 has none.
pub fn percent(share: f64, round: Round) -> String {
    let percent = share * 100.0;
    if percent <= 0.0 {
        return "0 %".to_owned();
    }
    if percent >= 100.0 {
        return "100 %".to_owned();
    }
    let decimals = decimals(percent);
    let scale = 10_f64.powi(i32::try_from(decimals).unwrap_or(i32::MAX));
    // What is a rounding error of the calculation itself is none of the share's.
    let fuzz = percent * scale * 1e-9;
    let scaled = match round {
        Round::Nearest => (percent * scale).round(),
        Round::Up => (percent * scale - fuzz).ceil(),
        Round::Down => (percent * scale + fuzz).floor(),
    };
    format!("{:.decimals$} %", scaled / scale)
}

fn decimals(percent: f64) -> usize {
    if percent >= 1.0 {
        return 1;
    }
    // The place of the first digit that is not 0, and one more.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0.0 to some hundred
    let zeros = (-percent.log10()).floor().clamp(0.0, 9.0) as usize;
    zeros + 2
}

/// `95 %`: as few decimals as say it.
pub fn confidence(share: f64) -> String {
    let percent = (share * 1e6).round() / 1e4;
    format!("{percent} %")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bound_is_never_told_tighter_than_it_is() {
        // 1 - 0.05^(1/59)
        assert_eq!(percent(0.049_510, Round::Up), "5.0 %");
        assert_eq!(percent(0.050_01, Round::Up), "5.1 %");
        assert_eq!(percent(0.050, Round::Up), "5.0 %");
        assert_eq!(percent(0.157_9, Round::Down), "15.7 %");
        assert_eq!(percent(0.157_9, Round::Nearest), "15.8 %");
        assert_eq!(percent(0.002_951, Round::Up), "0.30 %");
        assert_eq!(percent(0.000_299_5, Round::Up), "0.030 %");
        assert_eq!(percent(0.0, Round::Down), "0 %");
        assert_eq!(percent(1.0, Round::Up), "100 %");
    }

    #[test]
    fn a_confidence_has_the_decimals_that_it_needs() {
        assert_eq!(confidence(0.95), "95 %");
        assert_eq!(confidence(0.999), "99.9 %");
        assert_eq!(confidence(0.99), "99 %");
    }

    proptest! {
        #[test]
        fn rounding_keeps_to_its_side(share in 1e-6..1.0_f64) {
            let read = |round| {
                let text = percent(share, round);
                text.trim_end_matches(" %").parse::<f64>().expect("a number") / 100.0
            };
            prop_assert!(read(Round::Up) >= share * (1.0 - 1e-6));
            prop_assert!(read(Round::Down) <= share * (1.0 + 1e-6));
            prop_assert!(read(Round::Down) <= read(Round::Nearest));
            prop_assert!(read(Round::Nearest) <= read(Round::Up));
            prop_assert!(read(Round::Up) - read(Round::Down) <= 0.11 * read(Round::Up));
        }
    }
}
