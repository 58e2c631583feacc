//! What a comparison comes to, in sentences that do not say more than it shows.

use crate::compare::analysis::{ArmResult, Comparison, Finding};
use crate::output::stress::percent::{Round, confidence, percent};

/// A sentence for each arm but the control.
pub fn all(comparison: &Comparison) -> Vec<String> {
    let Some(control) = comparison.of_control() else {
        return Vec::new();
    };
    let others = comparison.arms.iter().enumerate();
    others
        .filter(|(at, _)| *at != comparison.control)
        .map(|(_, arm)| sentence(arm, control, comparison))
        .collect()
}

/// `12 of 20`.
pub fn counted(arm: &ArmResult) -> String {
    format!("{} of {}", arm.rate.crashes, arm.rate.runs)
}

fn sentence(arm: &ArmResult, control: &ArmResult, comparison: &Comparison) -> String {
    let (name, reference) = (&arm.name, &control.name);
    let counts = format!(
        "{} against {} of `{reference}`",
        counted(arm),
        counted(control)
    );
    let against = arm.against;
    let p = against.map_or_else(String::new, |against| {
        let corrections = comparison.arms.len().saturating_sub(2);
        let by = if corrections > 0 {
            format!(
                "Fisher's exact test, corrected for {} comparisons",
                corrections + 1
            )
        } else {
            "Fisher's exact test".to_owned()
        };
        format!("p = {}, {by}", probability(against.corrected))
    });
    match against.map(|against| against.finding) {
        Some(Finding::Better) => format!(
            "`{name}` crashes less often than `{reference}`: {counts} ({p}){}",
            below(arm, comparison.confidence)
        ),
        Some(Finding::Worse) => {
            format!("`{name}` crashes more often than `{reference}`: {counts} ({p})")
        }
        Some(Finding::Undecided) => format!(
            "`{name}` is not told from `{reference}`: {counts} ({p}) (hint: more runs, or a workload that crashes more often)"
        ),
        Some(Finding::ControlNeverCrashed) => format!(
            "`{name}` cannot be called better: your control crashed in {}: this workload cannot tell (hint: more threads or more work, until the \
             control crashes)",
            counted(control)
        ),
        Some(Finding::Ambiguous) => format!(
            "`{name}` is not compared with `{reference}`: crash reports may belong to runs of several arms, which went on at the same time (hint: -j 1)"
        ),
        Some(Finding::NoRuns) | None => {
            let empty = if control.rate.runs == 0 {
                reference
            } else {
                name
            };
            format!("`{name}` is not compared: no run of `{empty}` shows whether it crashes")
        }
    }
}

/// What no crash at all shows.
fn below(arm: &ArmResult, sure: f64) -> String {
    match arm.rate.upper(sure) {
        Some(bound) if arm.rate.crashes == 0 => format!(
            "; {}: below {} with {} confidence",
            counted(arm),
            percent(bound, Round::Up),
            confidence(sure)
        ),
        _ => String::new(),
    }
}

/// Two digits that matter.
pub fn probability(p: f64) -> String {
    if p < 1e-6 {
        return "0.000001 or less".to_owned();
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 1 to 7
    let decimals = (1.0 - p.log10().floor()).clamp(2.0, 7.0) as usize;
    format!("{p:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_has_the_digits_that_matter() {
        let cases = [
            (1.0, "1.00"),
            (0.047, "0.047"),
            (0.0234, "0.023"),
            (0.003_41, "0.0034"),
            (0.000_041_2, "0.000041"),
            (1e-9, "0.000001 or less"),
        ];
        for (p, text) in cases {
            assert_eq!(probability(p), text);
        }
    }
}
