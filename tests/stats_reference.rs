//! Our intervals and probabilities against SciPy's: `scripts/stats-reference.py` wrote the tables.

use agxrun::stats::{Rate, fisher_exact};

/// The cases of a table, each its numbers.
fn cases(table: &'static str) -> Vec<Vec<f64>> {
    let lines = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    let number = |text: &str| text.parse().expect("a number");
    lines
        .map(|line| line.split('\t').map(number).collect())
        .collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts
fn rate(crashes: f64, runs: f64) -> Rate {
    Rate {
        crashes: crashes as usize,
        runs: runs as usize,
    }
}

#[track_caller]
fn assert_close(ours: f64, theirs: f64, case: &[f64]) {
    let difference = (ours - theirs).abs();
    assert!(
        difference <= 1e-9 * theirs.abs() + 1e-12,
        "{ours} and SciPy's {theirs} for {case:?}"
    );
}

#[test]
fn intervals_are_scipys() {
    let cases = cases(include_str!("data/stats/clopper-pearson.tsv"));
    assert!(cases.len() > 500);
    for case in &cases {
        let &[crashes, runs, confidence, low, high, lower, upper] = &case[..] else {
            panic!("seven columns: {case:?}")
        };
        let rate = rate(crashes, runs);
        let ours = rate.interval(confidence).expect("runs");
        assert_close(ours.0, low, case);
        assert_close(ours.1, high, case);
        assert_close(rate.lower(confidence).expect("runs"), lower, case);
        assert_close(rate.upper(confidence).expect("runs"), upper, case);
    }
}

#[test]
fn fishers_test_is_scipys() {
    let cases = cases(include_str!("data/stats/fisher.tsv"));
    assert!(cases.len() > 400);
    for case in &cases {
        let &[a, runs_a, b, runs_b, p] = &case[..] else {
            panic!("five columns: {case:?}")
        };
        assert_close(fisher_exact(rate(a, runs_a), rate(b, runs_b)), p, case);
    }
}
