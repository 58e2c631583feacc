//! Images whose code is random: whatever stands there, an answer comes.

use std::env;
use std::time::{Duration, Instant};

use agxrun::audit::Code;
use agxrun::audit::race::{Impls, destroys, recognise, untested_reads};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::image::{ARM64, Style};
use crate::layouts::only;
use crate::zoo::{BARK, Lists, zoo};

/// Branches, loads and stores among anything.
fn word() -> impl Strategy<Value = u32> {
    let near = |word: u32, width: u32, low: u32| {
        (-20..20_i32).prop_map(move |to| word | (to.cast_unsigned() & ((1 << width) - 1)) << low)
    };
    prop_oneof![
        any::<u32>(),
        near(0x1400_0000, 26, 0),
        near(0x9400_0000, 26, 0),
        near(0x5400_0008, 19, 5),
        near(0xb400_0008, 19, 5),
        // ldr x8, [x0, #8]; ldr x9, [x8, #24]; str xzr, [x0, #8]; br x8; ret
        Just(0xf940_0408),
        Just(0xf940_0d09),
        Just(0xf900_041f),
        Just(0xd61f_0100),
        Just(0xd65f_03c0),
    ]
}

/// An image whose methods have the words as their code.
fn image(words: &[u32]) -> Vec<u8> {
    let mut zoo = zoo(ARM64, Lists::Relative);
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    zoo.image.write(BARK, &bytes);
    zoo.image.build(Style::Chained(6))
}

fn ask(bytes: &[u8]) {
    let binary = only(bytes);
    let objc = binary.objc();
    let code = Code::of(&binary, &objc).expect("arm64");
    let impls = Impls::of(&objc);
    let found = destroys(&code, &impls);
    assert_eq!(found.len(), 1);
    for destroy in &found {
        assert!(recognise(&code, &impls, destroy).is_err());
    }
    let reads = untested_reads(&code, &impls);
    assert!(reads.functions >= 4);
    for read in &reads.untested {
        let addresses = read.function.addresses();
        assert!(addresses.contains(&read.load));
        assert!(addresses.contains(&read.dereference.address) || !read.calls.is_empty());
        assert!(read.calls.len() <= 3);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn random_code_is_followed_to_an_end(words in prop::collection::vec(word(), 400..=400)) {
        ask(&image(&words));
    }
}

#[test]
#[ignore = "runs for AGXRUN_FUZZ_SECONDS; scripts/fuzz-audit.sh starts it"]
fn code_and_damage_for_a_while() {
    let seconds: u64 = env::var("AGXRUN_FUZZ_SECONDS")
        .expect("AGXRUN_FUZZ_SECONDS says how long")
        .parse()
        .expect("AGXRUN_FUZZ_SECONDS is a number");
    let end = Instant::now() + Duration::from_secs(seconds);
    let strategy = prop::collection::vec(word(), 400..=400);
    let mut runner = TestRunner::new(ProptestConfig::default());
    let (mut tries, mut longest) = (0_u64, Duration::ZERO);
    while Instant::now() < end {
        let words = strategy.new_tree(&mut runner).expect("a value").current();
        let bytes = image(&words);
        let start = Instant::now();
        let outcome = std::panic::catch_unwind(|| ask(&bytes));
        assert!(outcome.is_ok(), "it panics with {words:#x?}");
        longest = longest.max(start.elapsed());
        tries += 1;
    }
    println!("{tries} images of random code, the longest {longest:?}");
    assert!(
        longest < Duration::from_secs(2),
        "{longest:?} for one image"
    );
}
