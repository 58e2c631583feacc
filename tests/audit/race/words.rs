//! Images whose code is random: whatever stands there, an answer comes.

use agxrun::audit::Code;
use agxrun::audit::race::{Impls, destroys, recognise, untested_reads};
use proptest::prelude::*;

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn random_code_is_followed_to_an_end(words in prop::collection::vec(word(), 400..=400)) {
        let mut zoo = zoo(ARM64, Lists::Relative);
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        zoo.image.write(BARK, &bytes);
        let bytes = zoo.image.build(Style::Chained(6));
        let binary = only(&bytes);
        let objc = binary.objc();
        let code = Code::of(&binary, &objc).expect("arm64");
        let impls = Impls::of(&objc);
        let found = destroys(&code, &impls);
        prop_assert_eq!(found.len(), 1);
        for destroy in &found {
            prop_assert!(recognise(&code, &impls, destroy).is_err());
        }
        let reads = untested_reads(&code, &impls);
        prop_assert!(reads.functions >= 4);
        for read in &reads.untested {
            prop_assert!(read.function.addresses().contains(&read.load));
            prop_assert!(read.function.addresses().contains(&read.dereference.address));
        }
    }
}
