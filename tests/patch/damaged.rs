//! Whatever is done to a driver: an answer, and a copy only of what is understood.

use std::env;
use std::ops::Range;
use std::time::{Duration, Instant};

use agxrun::patch::{Kind, patch, verify};

use crate::images::{Shape, Tools};
use crate::signing;

/// Numbers that are the same for the same seed (Vigna's splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("small")
    }

    fn within(&mut self, range: &Range<usize>) -> usize {
        range.start + self.below(range.len())
    }
}

/// A driver with a few bytes changed, or cut off. Half of them are signed again, so that they are looked at further.
fn damage(driver: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let signature = signing::signature(driver);
    // Load commands and code; metadata; the loader's tables; the signature.
    let places = [
        0x20..0x900,
        0x4000..signature.start,
        signature.start - 0x800..signature.start,
        signature,
    ];
    let mut damaged = driver.to_vec();
    let place = &places[numbers.below(places.len())];
    for _ in 0..=numbers.below(6) {
        let at = numbers.within(place);
        damaged[at] = match numbers.below(3) {
            0 => 0xff,
            1 => damaged[at] ^ 1 << numbers.below(8),
            _ => u8::try_from(numbers.below(256)).expect("a byte"),
        };
    }
    if numbers.below(16) == 0 {
        damaged.truncate(numbers.below(driver.len()));
    } else if numbers.below(2) == 0 && signing::is_where(&damaged, &places[3]) {
        signing::sign_again(&mut damaged);
    }
    damaged
}

/// The answer to a damaged driver; whether it was patched.
fn ask(damaged: &[u8], seed: u64) -> bool {
    let before = Instant::now();
    let patched = patch(damaged, Kind::Rebuilt);
    let report = verify::verify(damaged, None);
    if let Ok(report) = report {
        assert!(
            !report.is_good(),
            "seed {seed}: an original is no patched copy"
        );
    }
    if let Ok(patched) = &patched {
        let report = verify::verify(&patched.bytes, Some(damaged)).expect("it is read");
        assert!(report.is_good(), "seed {seed}: {report:?}");
        let edits = patched.parts.iter().flat_map(|part| &part.methods);
        assert!(
            edits.into_iter().all(|method| method.edits.len() <= 9),
            "seed {seed}"
        );
    }
    let took = before.elapsed();
    assert!(took < Duration::from_secs(20), "seed {seed}: {took:?}");
    patched.is_ok()
}

fn drivers() -> Option<[Vec<u8>; 2]> {
    let tools = Tools::find()?;
    Some([false, true].map(|authenticated| {
        tools.driver(Shape {
            authenticated,
            ..Shape::default()
        })
    }))
}

#[test]
fn damage_is_refused_or_harmless() {
    let Some(drivers) = drivers() else { return };
    let mut patched = 0;
    for seed in 0..400 {
        let mut numbers = Numbers(seed);
        let driver = &drivers[numbers.below(drivers.len())];
        patched += usize::from(ask(&damage(driver, &mut numbers), seed));
    }
    assert!(
        patched > 0,
        "damage that bears on nothing is no reason to refuse"
    );
    assert!(patched < 400);
}

/// `scripts/fuzz-patch.sh` runs it.
#[test]
#[ignore = "takes as long as AGXRUN_FUZZ_SECONDS says"]
fn damage_for_a_while() {
    let drivers = drivers().expect("LLVM is installed");
    let seconds =
        env::var("AGXRUN_FUZZ_SECONDS").map_or(60, |text| text.parse().expect("a number"));
    let end = Instant::now() + Duration::from_secs(seconds);
    let first = u64::from(std::process::id()) << 32;
    let (mut count, mut patched) = (0, 0);
    while Instant::now() < end {
        let seed = first + count;
        let mut numbers = Numbers(seed);
        let driver = &drivers[numbers.below(drivers.len())];
        patched += u64::from(ask(&damage(driver, &mut numbers), seed));
        count += 1;
    }
    println!("{count} drivers from seed {first}, {patched} patched");
}
