//! What was measured of the arms, and what speaks against it.

use crate::compare::analysis::{ArmResult, Comparison};
use crate::compare::measured::{Doubt, Measured, Quantity, Ratio};
use crate::output::stress::words;

/// A measurement in its unit.
pub fn value(quantity: Quantity, value: f64) -> String {
    match quantity {
        Quantity::Wall => words::seconds(value),
        Quantity::Metric => number(value),
    }
}

/// `x 1.034 (0.998 to 1.072)`.
pub fn ratio(ratio: &Ratio) -> String {
    let Ratio { ratio, interval } = ratio;
    format!("x {ratio:.3} ({:.3} to {:.3})", interval.low, interval.high)
}

/// Four digits that matter.
fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(1e-3..1e7).contains(&size) {
        return format!("{value:.3e}");
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // -3 to 6
    let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
    format!("{value:.decimals$}")
}

/// What speaks against the measurements, a sentence each.
pub fn doubts(comparison: &Comparison, metric: Option<&str>, jobs: usize) -> Vec<String> {
    let mut sentences = Vec::new();
    if comparison.doubtful_reports > 0 {
        sentences.push(format!(
            "{} nobody's for certain and seen by several runs at the same time: each counts once, and it may be in the wrong one (hint: -j 1)",
            match comparison.doubtful_reports {
                1 => "1 crash report is".to_owned(),
                reports => format!("{reports} crash reports are"),
            }
        ));
    }
    if comparison.clock_set_back > 0 {
        sentences.push(format!(
            "the clock was set back during the comparison: {} start before those that were started earlier; durations are measured by another clock \
             and stand",
            words::runs(comparison.clock_set_back as u64)
        ));
    }
    for arm in &comparison.arms {
        of_arm(&mut sentences, arm, &arm.wall, metric, jobs);
        if let Some(measured) = &arm.metric {
            of_arm(&mut sentences, arm, measured, metric, jobs);
        }
    }
    sentences
}

fn of_arm(
    sentences: &mut Vec<String>,
    arm: &ArmResult,
    measured: &Measured,
    metric: Option<&str>,
    jobs: usize,
) {
    let name = &arm.name;
    let clean = measured.values.len() + measured.missing + measured.impossible;
    if measured.missing > 0 {
        let pattern = metric.unwrap_or_default();
        let what = if measured.missing == clean {
            format!("none of {clean} clean runs printed a number that `{pattern}` finds")
        } else {
            format!(
                "{} of {clean} clean runs printed no number that `{pattern}` finds: the output changes its form",
                measured.missing
            )
        };
        sentences.push(format!("`{name}`: {what}; no ratio is told (hint: look at its output with --show-output, and mend --metric)"));
    }
    if measured.impossible > 0 {
        sentences.push(format!(
            "`{name}`: {} of {clean} clean runs have {} that cannot be; no ratio is told",
            measured.impossible,
            match measured.quantity {
                Quantity::Wall => "a duration",
                Quantity::Metric => "a number",
            }
        ));
    }
    let what = match measured.quantity {
        Quantity::Wall => "times",
        Quantity::Metric => "numbers",
    };
    let quiet = if jobs > 1 {
        "-j 1 and nothing else running"
    } else {
        "a machine on which nothing else runs"
    };
    for doubt in &measured.doubts {
        sentences.push(match doubt {
            Doubt::FirstApart if measured.quantity == Quantity::Wall => format!(
                "`{name}`: the first run took much longer than the others: something was not loaded or built yet (hint: run the command once before)"
            ),
            Doubt::FirstApart => format!("`{name}`: the first run's number is far above the others (hint: run the command once before)"),
            Doubt::Outliers { count } => format!(
                "`{name}`: {count} of {clean} {what} are far from the others: something interfered (hint: {quiet})"
            ),
            Doubt::Drift { share, .. } => format!(
                "`{name}`: the {what} {} by {:.0} % over the comparison: heat, memory or other work (hint: {quiet}; all arms meet it alike, as their \
                 runs are made by turns)",
                if *share > 0.0 { "grow" } else { "shrink" },
                share.abs() * 100.0
            ),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        for (value, text) in [
            (0.0, "0"),
            (101.25, "101.2"),
            (0.012_341, "0.01234"),
            (1_234_567.0, "1234567"),
            (-3.5, "-3.500"),
            (1e9, "1.000e9"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
