//! Damage for as long as one likes.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant, SystemTime};

use crate::judge::{judge, judge_file};
use crate::mutate::{Numbers, mutate};
use crate::{Seed, seeds};

/// How long one report may take; the largest has 1.5 MB, and machines are slow under load.
const LIMIT: Duration = Duration::from_secs(5);

/// One in so many is read from a file, too.
const FILES: u64 = 16;

fn for_a_while(reader: &str, takes: impl Fn(&Seed) -> bool) {
    let seconds: u64 = env::var("AGXRUN_FUZZ_SECONDS")
        .expect("AGXRUN_FUZZ_SECONDS says how long")
        .parse()
        .expect("AGXRUN_FUZZ_SECONDS is a number");
    let seeds: Vec<Seed> = seeds().into_iter().filter(takes).collect();
    // Large seeds would take all the time: one try in twenty is theirs.
    let (small, large): (Vec<_>, Vec<_>) = seeds.iter().partition(|seed| seed.bytes.len() < 50_000);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let start = now.map_or(1, |since| since.as_secs());
    let mut numbers = Numbers(start);
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut tries, mut refused, mut damaged) = (0_u64, 0_u64, 0_u64);
    while Instant::now() < end {
        let from = if large.is_empty() || numbers.below(20) > 0 {
            &small
        } else {
            &large
        };
        let seed = from[numbers.below(from.len())];
        let other = small[numbers.below(small.len())];
        let mut bytes = seed.bytes.clone();
        mutate(&mut bytes, &other.bytes, &mut numbers);
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            if tries.is_multiple_of(FILES) {
                judge_file(&bytes);
            }
            judge(&bytes)
        }));
        match outcome {
            Ok(Ok(report)) => damaged += u64::from(!report.problems.is_empty()),
            Ok(Err(_)) => refused += 1,
            Err(panic) => {
                let kept = env::temp_dir().join(format!("agxrun-fuzz-{reader}-{start}-{tries}"));
                std::fs::write(&kept, &bytes).expect("the bytes are kept");
                eprintln!("from `{}`, kept as `{}`", seed.name, kept.display());
                resume_unwind(panic);
            }
        }
        assert!(
            began.elapsed() < LIMIT,
            "{} took {:?}",
            seed.name,
            began.elapsed()
        );
        tries += 1;
    }
    eprintln!(
        "{reader}: {tries} reports from {} seeds (start {start}); {damaged} told of damage, \
         {refused} were none",
        seeds.len()
    );
    assert!(tries == 0 || damaged > 0);
}

#[test]
#[ignore = "runs for AGXRUN_FUZZ_SECONDS; scripts/fuzz-reports.sh starts it"]
fn json_for_a_while() {
    for_a_while("json", Seed::is_json);
}

#[test]
#[ignore = "runs for AGXRUN_FUZZ_SECONDS; scripts/fuzz-reports.sh starts it"]
fn text_for_a_while() {
    for_a_while("text", |seed| !seed.is_json());
}
