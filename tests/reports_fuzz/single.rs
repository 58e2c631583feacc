//! One damaged byte: there is a report, or a reason of a type.

use agxrun::reports::ips;
use agxrun::reports::problem::ReadError;
use proptest::prelude::*;
use std::sync::LazyLock;

use crate::judge::{judge, judge_file};
use crate::{Seed, seeds};

static SEEDS: LazyLock<Vec<Seed>> = LazyLock::new(seeds);

/// What breaks JSON, text and UTF-8, and what does not.
const BYTES: [u8; 8] = [b'"', b'}', b'[', b'\\', b'\n', b'0', 0, 0xff];

/// Judges, and for a report that has a header line behind which the damage lies holds that its
/// facts stand.
fn check(seed: &Seed, at: usize, byte: u8) {
    let mut bytes = seed.bytes.clone();
    bytes[at] = byte;
    let outcome = judge(&bytes);
    let header = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    if seed.bytes.starts_with(b"{\"") && at > header {
        let report = outcome.unwrap_or_else(|error| panic!("{} at {at}: {error}", seed.name));
        let whole = ips::read(&seed.bytes).expect("seeds are reports");
        assert_eq!(report.kind, whole.kind, "{} at {at}", seed.name);
        let written = whole.header.timestamp;
        assert_eq!(
            report.header.timestamp.is_some(),
            written.is_some(),
            "{}",
            seed.name
        );
        // A body that says another incident than the header is not believed.
        if ips::read_header(&seed.bytes).is_some_and(|header| header.incident.is_some()) {
            assert_eq!(report.incident(), whole.incident(), "{} at {at}", seed.name);
        }
    } else if let Err(error) = outcome {
        assert!(
            matches!(error, ReadError::NotAReport { .. }),
            "{} at {at}",
            seed.name
        );
    }
}

#[test]
fn every_byte_of_a_small_report_may_be_damaged() {
    let small = SEEDS.iter().filter(|seed| seed.bytes.len() < 1500);
    let mut count = 0;
    for seed in small {
        for at in 0..seed.bytes.len() {
            for byte in BYTES {
                check(seed, at, byte);
                count += 1;
            }
        }
    }
    assert!(count > 50_000, "{count}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_byte_of_any_report_may_be_damaged(
        seed in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let seed = seed.get(&SEEDS);
        check(seed, at.index(seed.bytes.len()), byte);
    }

    #[test]
    fn files_yield_what_their_bytes_do(
        seed in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let seed = seed.get(&SEEDS);
        let mut bytes = seed.bytes.clone();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        judge_file(&bytes);
    }
}
