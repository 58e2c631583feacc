use super::*;
use crate::stats::random::Random;

const PLANS: [(f64, f64); 9] = [
    (0.05, 0.95),
    (0.01, 0.95),
    (0.01, 0.99),
    (0.1, 0.9),
    (0.2, 0.99),
    (0.5, 0.95),
    (0.9, 0.999),
    (0.3, 0.5),
    (0.002, 0.8),
];

fn plan(max_rate: f64, confidence: f64) -> Sequential {
    Sequential::new(max_rate, confidence).expect("within reach")
}

#[test]
fn without_a_crash_it_takes_little_more_than_a_fixed_number_of_runs() {
    // The fixed number: (1 - R)^n <= 1 - C.
    for (max_rate, confidence, fixed, ours) in [
        (0.05, 0.95, 59, 61),
        (0.01, 0.95, 299, 309),
        (0.1, 0.95, 29, 30),
        (0.01, 0.99, 459, 469),
    ] {
        let by_formula = ((1.0_f64 - confidence).ln() / (1.0_f64 - max_rate).ln()).ceil();
        assert!((by_formula - f64::from(fixed)).abs() < 1e-9);
        assert_eq!(
            plan(max_rate, confidence).fewest(),
            ours,
            "{max_rate} {confidence}"
        );
    }
}

/// The tables of `docs/statistics.md`.
#[test]
fn the_plans_are_those_of_the_documentation() {
    let documented: [(f64, f64, &[u64]); 4] = [
        (0.05, 0.95, &[61, 130, 183]),
        (0.1, 0.95, &[30, 61, 89]),
        (0.01, 0.95, &[309, 685, 946]),
        (0.01, 0.99, &[469, 889, 1171, 1445, 1716, 1989, 2262]),
    ];
    for (max_rate, confidence, accept) in documented {
        let test = plan(max_rate, confidence);
        assert_eq!(test.accept(), accept);
        assert_eq!(Some(&test.most()), accept.last());
    }
    let test = plan(0.05, 0.95);
    for (rate, runs) in [
        (0.0, 61),
        (0.005, 81),
        (0.05, 52),
        (0.1, 24),
        (0.25, 8),
        (0.5, 4),
    ] {
        let known = test.operating(rate).runs;
        assert!((known - f64::from(runs)).abs() <= 0.5, "{rate}: {known}");
    }
}

#[test]
fn both_errors_are_within_what_is_stated_whatever_the_true_rate_is() {
    for (max_rate, confidence) in PLANS {
        let test = plan(max_rate, confidence);
        let error = 1.0 - confidence;
        for step in 0..=50 {
            let from_limit = max_rate + (1.0 - max_rate) * f64::from(step) / 50.0;
            let below = test.operating(from_limit).below;
            assert!(
                below <= error + 1e-12,
                "{max_rate} {confidence} at {from_limit}: {below}"
            );
            let good = max_rate * GOOD_PART * f64::from(step) / 50.0;
            let not_below = test.operating(good).not_below;
            assert!(
                not_below <= error + 1e-12,
                "{max_rate} {confidence} at {good}: {not_below}"
            );
        }
    }
}

#[test]
fn it_always_ends_and_its_parts_add_up() {
    for (max_rate, confidence) in PLANS {
        let test = plan(max_rate, confidence);
        assert!(test.accept().is_sorted_by(|a, b| a < b), "{test:?}");
        for rate in [0.0, 0.001, 0.01, 0.05, 0.2, 0.5, 0.99, 1.0] {
            let at = test.operating(rate);
            assert!(
                (at.below + at.not_below - 1.0).abs() < 1e-9,
                "{max_rate} {rate}: {at:?}"
            );
            assert!(
                at.runs <= float(test.most()) + 1e-6,
                "{max_rate} {rate}: {at:?}"
            );
        }
        for crashes in 0..=test.accept().len() as u64 {
            assert_ne!(test.decide(crashes, test.most()), Decision::Continue);
        }
    }
}

/// One series at a true rate, from crash to crash: between two only *below* can be said.
fn simulate(test: &Sequential, rate: f64, random: &mut Random) -> (Decision, u64) {
    let (mut crashes, mut runs) = (0, 0_u64);
    loop {
        let accept = test.accept()[usize::try_from(crashes).expect("few")];
        let next = runs.saturating_add(random.tries_to_hit(rate));
        if accept < next {
            return (test.decide(crashes, accept), accept);
        }
        (crashes, runs) = (crashes + 1, next);
        let decision = test.decide(crashes, runs);
        if decision != Decision::Continue {
            return (decision, runs);
        }
    }
}

/// The same, run by run.
fn simulate_each(test: &Sequential, rate: f64, random: &mut Random) -> (Decision, u64) {
    let (mut crashes, mut runs) = (0, 0);
    loop {
        runs += 1;
        crashes += u64::from(random.unit() < rate);
        let decision = test.decide(crashes, runs);
        if decision != Decision::Continue {
            return (decision, runs);
        }
    }
}

#[test]
fn ten_thousand_simulated_series_a_cell_do_what_was_computed() {
    const SERIES: u32 = 10_000;
    let mut random = Random::new(20_261_123);
    for (max_rate, confidence) in [(0.05, 0.95), (0.1, 0.9), (0.01, 0.95), (0.2, 0.99)] {
        let test = plan(max_rate, confidence);
        for rate in [0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5] {
            let (mut below, mut all_runs) = (0_u32, 0);
            // Where series are short, each run is drawn; from crash to crash is the same, and quicker.
            let simulate = if rate >= 0.2 { simulate_each } else { simulate };
            for _ in 0..SERIES {
                let (decision, runs) = simulate(&test, rate, &mut random);
                below += u32::from(decision == Decision::Below);
                all_runs += runs;
            }
            let known = test.operating(rate);
            let share = f64::from(below) / f64::from(SERIES);
            // Five standard errors.
            let error = (known.below * known.not_below / f64::from(SERIES)).sqrt();
            assert!(
                (share - known.below).abs() <= 5.0 * error + 1e-9,
                "{max_rate} at {rate}: {share} for {known:?}"
            );
            let mean = float(all_runs) / f64::from(SERIES);
            assert!(
                (mean - known.runs).abs() <= 0.05 * known.runs,
                "{max_rate} at {rate}: {mean} for {known:?}"
            );
            if rate >= max_rate {
                assert!(
                    share <= 1.0 - confidence + 5.0 * error,
                    "{max_rate} at {rate}: {share}"
                );
            }
        }
    }
}

#[test]
fn what_crashes_at_once_is_told_at_once() {
    let test = plan(0.05, 0.95);
    assert_eq!(test.decide(1, 1), Decision::Continue);
    assert_eq!(test.decide(2, 2), Decision::NotBelow);
    assert_eq!(test.decide(2, 100), Decision::Continue);
    assert_eq!(test.decide(3, 150), Decision::NotBelow);
    assert!(test.operating(0.5).runs < 5.0);
    assert_eq!(test.decide(0, 0), Decision::Continue);
    assert_eq!(test.decide(u64::MAX, u64::MAX), Decision::NotBelow);
    assert_eq!(
        (test.left(0, 1), test.left(0, 61), test.left(9, 9)),
        (Some(60), None, None)
    );
}

#[test]
fn the_bound_is_at_most_the_limit_where_it_says_below() {
    for (max_rate, confidence) in PLANS {
        let test = plan(max_rate, confidence);
        for (crashes, runs) in (0..).zip(test.accept()) {
            let bound = test.bound(crashes, *runs);
            assert!(
                bound <= max_rate + 1e-9,
                "{max_rate} {confidence} {crashes}: {bound}"
            );
            // Of a test that had been planned for these runs it would be lower, or the same without a crash.
            let counted = |count: u64| usize::try_from(count).expect("few");
            let rate = Rate {
                crashes: counted(crashes),
                runs: counted(*runs),
            };
            let fixed = rate.upper(confidence).expect("runs");
            assert!(
                bound >= fixed - 1e-9,
                "{max_rate} {confidence} {crashes}: {bound} {fixed}"
            );
        }
    }
    let test = plan(0.05, 0.95);
    assert!((test.bound(0, 0) - 1.0).abs() < 1e-12);
    assert!(test.bound(0, 30) > test.bound(0, 60));
    assert!(test.bound(1, 61) > test.bound(0, 61));
}

/// Over all series that end with *below*, the bound covers the true rate as often as it says.
#[test]
fn the_bound_covers_although_the_series_ended_by_itself() {
    let test = plan(0.05, 0.95);
    for rate in [0.001, 0.01, 0.02, 0.03, 0.05] {
        let mut walk = Walk::new(rate);
        let mut missed = 0.0;
        for (at, &accept) in test.accept.iter().enumerate() {
            if test.bound(at as u64, accept) < rate {
                missed += walk.alive(accept);
            }
            walk.crash(&Way {
                until: accept,
                rejected_within: test.reject[at + 1],
            });
        }
        assert!(missed <= 0.05 + 1e-9, "at {rate}: {missed}");
    }
}

#[test]
fn what_is_out_of_reach_is_told_with_the_number() {
    for (max_rate, confidence) in [
        (0.0, 0.95),
        (1.0, 0.95),
        (f64::NAN, 0.95),
        (0.05, 1.0),
        (0.05, -1.0),
    ] {
        let told = Sequential::new(max_rate, confidence).expect_err("none");
        assert!(matches!(told, Unreachable::OutOfRange { .. }), "{told}");
    }
    let told = Sequential::new(1e-9, 0.95).expect_err("too many");
    assert!(
        matches!(told, Unreachable::TooManyRuns { needed, .. } if needed > 2_900_000_000),
        "{told}"
    );
    assert!(told.to_string().contains("hint"), "{told}");
    let told = Sequential::new(f64::MIN_POSITIVE, 0.95).expect_err("too many");
    assert!(matches!(told, Unreachable::TooManyRuns { .. }));
}

#[test]
fn a_run_that_ends_late_is_waited_for() {
    let mut series = InOrder::new(plan(0.05, 0.95));
    // The first is still running while the next sixty end well.
    for number in 1..=60 {
        assert_eq!(series.add(number, Some(false)), Decision::Continue);
    }
    assert_eq!(series.runs(), 0);
    assert_eq!(series.add(0, Some(true)), Decision::Continue);
    assert_eq!((series.crashes(), series.runs()), (1, 61));
    // What shows nothing leaves the count as it is.
    assert_eq!(series.add(61, None), Decision::Continue);
    assert_eq!(series.runs(), 61);
    for number in 62..=130 {
        series.add(number, Some(false));
    }
    assert_eq!(series.decision(), Decision::Below);
    assert_eq!(
        (series.crashes(), series.runs()),
        (1, series.test().accept()[1])
    );
    // The first decision is the last.
    assert_eq!(series.add(131, Some(true)), Decision::Below);
    assert!(series.bound() <= 0.05);
}
