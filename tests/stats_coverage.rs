//! The intervals hold the true rate as often as they say: summed over every outcome, and in simulated series.

use agxrun::stats::Rate;
use agxrun::stats::random::Random;

const RUNS: [usize; 5] = [5, 20, 40, 59, 120];
const RATES: [f64; 12] = [
    0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5,
];

/// What is told after each number of crashes: both ends, and the one-sided bound.
fn told(runs: usize, confidence: f64) -> Vec<(f64, f64, f64)> {
    (0..=runs)
        .map(|crashes| {
            let rate = Rate { crashes, runs };
            let (low, high) = rate.interval(confidence).expect("runs");
            (low, high, rate.upper(confidence).expect("runs"))
        })
        .collect()
}

/// The probability of each number of crashes, each from the one before.
fn probabilities(runs: usize, rate: f64) -> Vec<f64> {
    let number = |count: usize| f64::from(u32::try_from(count).expect("few"));
    let mut probability = (1.0 - rate).powi(i32::try_from(runs).expect("few"));
    let mut all = vec![probability];
    for crashes in 0..runs {
        probability *= number(runs - crashes) / number(crashes + 1) * rate / (1.0 - rate);
        all.push(probability);
    }
    all
}

#[test]
fn in_the_sum_over_all_outcomes_they_cover_at_least_what_they_say() {
    for confidence in [0.8, 0.95, 0.99] {
        for runs in RUNS {
            let told = told(runs, confidence);
            for rate in RATES {
                let probabilities = probabilities(runs, rate);
                let covered = |holds: fn(&(f64, f64, f64), f64) -> bool| -> f64 {
                    let outcomes = told.iter().zip(&probabilities);
                    outcomes
                        .filter(|(ends, _)| holds(ends, rate))
                        .map(|(_, probability)| probability)
                        .sum()
                };
                let two_sided = covered(|ends, rate| ends.0 <= rate && rate <= ends.1);
                let one_sided = covered(|ends, rate| rate <= ends.2);
                for covered in [two_sided, one_sided] {
                    assert!(
                        covered >= confidence - 1e-12,
                        "{runs} runs at {rate}: {covered} for {confidence}"
                    );
                }
            }
        }
    }
}

/// How many of so many runs crash at this rate, drawn from crash to crash.
fn crashes(runs: usize, rate: f64, random: &mut Random) -> usize {
    let (mut crashes, mut left) = (0, runs as u64);
    loop {
        match left.checked_sub(random.tries_to_hit(rate)) {
            Some(rest) => (crashes, left) = (crashes + 1, rest),
            None => return crashes,
        }
    }
}

#[test]
fn in_ten_thousand_simulated_series_a_cell_they_cover_as_often_as_was_summed() {
    const SERIES: u32 = 10_000;
    const CONFIDENCE: f64 = 0.95;
    let mut random = Random::new(95);
    for runs in RUNS {
        let told = told(runs, CONFIDENCE);
        for rate in RATES {
            let holds = |crashes: &usize| {
                let (low, high, _) = told[*crashes];
                low <= rate && rate <= high
            };
            let held = (0..SERIES)
                .map(|_| crashes(runs, rate, &mut random))
                .filter(holds)
                .count();
            let share = f64::from(u32::try_from(held).expect("few")) / f64::from(SERIES);
            let outcomes = probabilities(runs, rate);
            let known: f64 = (0..=runs).filter(holds).map(|at| outcomes[at]).sum();
            // Five standard errors.
            let error = (known * (1.0 - known).max(0.0) / f64::from(SERIES)).sqrt();
            assert!(
                (share - known).abs() <= 5.0 * error + 1e-9,
                "{runs} runs at {rate}: {share} for {known}"
            );
            assert!(
                share >= CONFIDENCE - 5.0 * error - 1e-9,
                "{runs} runs at {rate}: {share}"
            );
        }
    }
}
