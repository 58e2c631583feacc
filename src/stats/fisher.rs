//! Whether two rates differ, and what is left of it when several are compared.

use super::{Rate, float};

/// Two tables count as equally likely when their probabilities differ by less than this, relatively: they are
/// products of many roundings. R's `fisher.test` takes the same.
const TOLERANCE: f64 = 1e-7;

/// Fisher's exact test (R. A. Fisher, Journal of the Royal Statistical Society 85, 1922): how likely two arms of one
/// and the same rate are to differ by at least so much, given how many crashed in all.
///
/// Two-sided: the probabilities of all tables that are no more likely than the one that was seen, added up. 1 where an
/// arm has no run.
pub fn fisher_exact(a: Rate, b: Rate) -> f64 {
    let (crashes, runs) = (a.crashes + b.crashes, a.runs + b.runs);
    let first = crashes.saturating_sub(b.runs);
    let last = crashes.min(a.runs);
    let seen = a.crashes.clamp(first, last);
    let weights = weights(
        a.runs as u64,
        runs as u64,
        crashes as u64,
        first as u64,
        last as u64,
    );
    let bar = weights[seen - first] * (1.0 + TOLERANCE);
    let all: f64 = weights.iter().sum();
    let no_likelier: f64 = weights.iter().filter(|weight| **weight <= bar).sum();
    (no_likelier / all).min(1.0)
}

/// How likely each table is, against the likeliest: `first..=last` crashes in the arm of `drawn` runs, where `crashes`
/// of `runs` crashed in all. Each follows from its neighbour, and as a logarithm none is too small to be one.
fn weights(drawn: u64, runs: u64, crashes: u64, first: u64, last: u64) -> Vec<f64> {
    // P(x + 1) / P(x) of the hypergeometric distribution.
    let ratio = |x: u64| {
        let up = float(crashes - x) * float(drawn - x);
        let down = float(x + 1) * float(runs - crashes + x + 1 - drawn);
        up / down
    };
    let (mut log, mut highest) = (0.0, 0.0_f64);
    let mut logs = vec![log];
    for x in first..last {
        log += ratio(x).ln();
        highest = highest.max(log);
        logs.push(log);
    }
    logs.iter().map(|log| (log - highest).exp()).collect()
}

/// Holm's correction (S. Holm, Scandinavian Journal of Statistics 6, 1979): what each of several probabilities is
/// worth when all were looked at, in the same order. Holding those below a bar for real is wrong in any of them with a
/// probability of at most that bar.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut so_far = 0.0_f64;
    for (rank, at) in order.into_iter().enumerate() {
        so_far = so_far.max(p[at] * float((p.len() - rank) as u64)).min(1.0);
        adjusted[at] = so_far;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(crashes: usize, runs: usize) -> Rate {
        Rate { crashes, runs }
    }

    #[test]
    fn the_tea_tasting_lady() {
        // Fisher's own example (The Design of Experiments, 1935): four cups of each kind, three of four right.
        assert!((fisher_exact(rate(3, 4), rate(1, 4)) - 34.0 / 70.0).abs() < 1e-12);
        assert!((fisher_exact(rate(4, 4), rate(0, 4)) - 2.0 / 70.0).abs() < 1e-12);
    }

    #[test]
    fn what_shows_nothing_has_a_probability_of_one() {
        for (a, b) in [
            (rate(0, 0), rate(5, 9)),
            (rate(0, 40), rate(0, 40)),
            (rate(7, 7), rate(3, 3)),
            (rate(5, 50), rate(5, 50)),
        ] {
            assert!((fisher_exact(a, b) - 1.0).abs() < 1e-12, "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_hundred_thousand_runs_are_compared_as_well() {
        let p = fisher_exact(rate(50_000, 100_000), rate(49_000, 100_000));
        // By the normal approximation 7.7e-6.
        assert!((7e-6..9e-6).contains(&p), "{p}");
        let p = fisher_exact(rate(100_000, 100_000), rate(0, 100_000));
        assert!(p < 1e-300, "{p}");
    }

    #[test]
    fn holms_correction_is_that_of_his_paper() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, known) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - known).abs() < 1e-12, "{adjusted:?}");
        }
        assert_eq!(holm(&[0.7, 0.9]), [1.0, 1.0]);
        assert_eq!(holm(&[0.2]), [0.2]);
        assert!(holm(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn arms_may_change_places_and_so_may_the_outcomes(
            a in (0_usize..60, 0_usize..60), b in (0_usize..60, 0_usize..60),
        ) {
            let (one, two) = (rate(a.0, a.0 + a.1), rate(b.0, b.0 + b.1));
            let p = fisher_exact(one, two);
            prop_assert!(p > 0.0 && p <= 1.0);
            prop_assert!((p - fisher_exact(two, one)).abs() < 1e-9);
            let mirrored = fisher_exact(rate(a.1, one.runs), rate(b.1, two.runs));
            prop_assert!((p - mirrored).abs() < 1e-9);
        }

        #[test]
        fn the_correction_keeps_the_order_and_lowers_nothing(p in prop::collection::vec(0.0..=1.0_f64, 0..8)) {
            let adjusted = holm(&p);
            for (at, one) in p.iter().enumerate() {
                prop_assert!(*one <= adjusted[at] && adjusted[at] <= 1.0);
                for (other_at, other) in p.iter().enumerate() {
                    prop_assert!(one > other || adjusted[at] <= adjusted[other_at]);
                }
            }
        }
    }
}
