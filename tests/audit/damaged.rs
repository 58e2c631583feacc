//! Whatever is done to an image, its reader neither panics nor works without bound.

use std::env;
use std::time::{Duration, Instant};

use agxrun::audit::{Binary, Code, Objc, Why, bypass};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::encode;
use crate::image::{ARM64, ARM64E, BASE, Field, Image, Room, Style, To, X86_64};
use crate::layouts::only;
use crate::zoo::{BARK, Lists, zoo};

/// Everything that can be asked of a file.
fn ask_all(bytes: &[u8]) {
    let Ok(parts) = Binary::parse(bytes) else {
        return;
    };
    for part in parts {
        let Ok(binary) = part.binary else { continue };
        let objc = binary.objc();
        for class in &objc.classes {
            assert!(objc.ancestors(class).len() <= objc.classes.len() + 1);
        }
        for pointer in binary.pointers() {
            // Asked for its panics only.
            drop(binary.pointer_at(pointer));
        }
        let _count = binary.imports().count();
        if let Ok(symbols) = binary.symbols() {
            let _count = symbols.count();
        }
        if let Ok(starts) = binary.function_starts() {
            let _count = starts.count();
        }
        let mut length = 0;
        binary.exports(|export| length += export.name.len());
        for section in binary.sections() {
            drop(binary.bytes_at(section.address, section.size));
            drop(binary.indirect_symbol(section, 0));
        }
        ask_code(&binary, &objc);
    }
}

fn ask_code(binary: &Binary<'_>, objc: &Objc<'_>) {
    let Some(code) = Code::of(binary, objc) else {
        return;
    };
    let methods = objc.classes.iter().flat_map(|it| &it.instance_methods);
    let targets = methods.filter_map(|method| method.implementation);
    let found = bypass::find(&code, &targets.collect(), &mut |_| {});
    for reference in found.references {
        let _name = code.place_of(reference.address);
        for instruction in reference.instructions {
            assert!(!instruction.text().is_empty());
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    vec![
        zoo(ARM64, Lists::Relative).image.build(Style::Chained(6)),
        zoo(ARM64E, Lists::Absolute).image.build(Style::Chained(12)),
        zoo(ARM64E, Lists::Direct).image.build(Style::Threaded),
        zoo(X86_64, Lists::Absolute).image.build(Style::Opcodes),
        with_ways(),
    ]
}

/// With code that leads to a method past the runtime.
fn with_ways() -> Vec<u8> {
    let mut zoo = zoo(ARM64E, Lists::Relative);
    let slot = Field::Pointer(To::Code(BARK));
    let slot = zoo.image.put(Room::Const, &[slot]);
    let mut code = Vec::new();
    for at in (BARK + 0x100..BARK + 0x400).step_by(20) {
        let words = [
            encode::bl(at, BARK),
            encode::adrp(at + 4, BARK, 8),
            encode::add(8, 8, BARK),
            encode::adrp(at + 12, slot, 9),
            encode::ldr(9, 9, slot),
        ];
        code.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    }
    zoo.image.write(BARK + 0x100, &code);
    zoo.image.build(Style::Chained(12))
}

/// The parts of a made image that are not zero, which is where damage matters.
fn damage(length: usize) -> impl Strategy<Value = Vec<(usize, u8)>> {
    let place = prop_oneof![
        // Header and load commands.
        0..0x500_usize,
        // Code.
        0x3800..0x4000_usize,
        // Lists of classes, categories, protocols, references.
        0x4000..0x4d00_usize,
        // What they lead to.
        0x5000..0x5800_usize,
        // The loader's tables.
        0x8000..length,
    ];
    let value = prop_oneof![any::<u8>(), Just(0), Just(0xff), Just(0x80), Just(0x7f)];
    prop::collection::vec((place, value), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn damaged_images_are_read_as_far_as_they_go(
        (seed, changes, kept) in (0..5_usize).prop_flat_map(|seed| {
            let length = seeds()[seed].len();
            (Just(seed), damage(length), prop_oneof![9 => Just(length), 1 => 0..length])
        })
    ) {
        let mut bytes = seeds().swap_remove(seed);
        for (at, value) in changes {
            bytes[at] = value;
        }
        bytes.truncate(kept);
        ask_all(&bytes);
    }
}

#[test]
fn a_class_above_itself_is_told_once() {
    let mut zoo = zoo(ARM64, Lists::Relative);
    // Animal's superclass is Dog, whose superclass is Animal.
    zoo.image
        .pointers
        .insert(zoo.animal + 8, To::Address(zoo.dog));
    let bytes = zoo.image.build(Style::Chained(6));
    let objc = only(&bytes).objc();
    for class in &objc.classes {
        assert_eq!(objc.ancestors(class).len(), 1, "{:?}", class.name);
    }
}

#[test]
fn a_list_with_more_entries_than_room_is_not_believed() {
    let mut image = Image::new(ARM64);
    let name = image.text("Cat");
    let methods = image.put(
        Room::Const,
        &[Field::Number(0x8000_000c), Field::Number(0x1000_0000)],
    );
    let part = image.put(
        Room::Const,
        &[
            Field::Number(0),
            Field::Number(0),
            Field::Number(0),
            Field::Number(0),
            Field::Pointer(To::Null),
            Field::Pointer(To::Address(name)),
            Field::Pointer(To::Address(methods)),
            Field::Pointer(To::Null),
            Field::Pointer(To::Null),
        ],
    );
    let class = image.next(Room::Const);
    image.put(
        Room::Const,
        &[
            Field::Pointer(To::Address(class)),
            Field::Pointer(To::Null),
            Field::Pointer(To::Null),
            Field::Pointer(To::Null),
            Field::Pointer(To::Address(part)),
        ],
    );
    // Listed three times: the second and third are told and left.
    let listed = Field::Pointer(To::Address(class));
    image.put(Room::Classes, &[listed, listed, listed]);
    let bytes = image.build(Style::Chained(6));
    let objc = only(&bytes).objc();
    assert_eq!(objc.classes.len(), 1);
    assert_eq!(objc.classes[0].name, Some("Cat"));
    assert!(objc.classes[0].instance_methods.is_empty());
    let whys: Vec<_> = objc.gaps.kept().iter().map(|gap| &gap.why).collect();
    assert!(
        matches!(
            whys[..],
            [
                Why::Twice,
                Why::Twice,
                Why::TooMany {
                    claimed: 0x1000_0000,
                    ..
                },
                Why::TooMany { .. }
            ]
        ),
        "{whys:?}"
    );
}

/// Method lists that overlap, each a few bytes behind the last one: the square of the image's size, were
/// every entry read.
#[test]
fn lists_that_overlap_are_read_until_the_work_outgrows_the_image() {
    let mut image = Image::new(ARM64);
    let mut entries = Vec::new();
    // A list begins at every eighth byte, and each word is a count and a size as well as a distance.
    for _ in 0..700 {
        entries.extend([Field::Number(0x8000_000c), Field::Number(200)]);
    }
    let lists = image.put(Room::Const, &entries);
    let text = image.text(&"x".repeat(7000));
    let mut categories = Vec::new();
    for index in 0..100 {
        let category = image.put(
            Room::Const,
            &[
                Field::Pointer(To::Address(text)),
                Field::Pointer(To::Null),
                Field::Pointer(To::Address(lists + index * 8)),
                Field::Pointer(To::Address(lists + index * 8)),
                Field::Pointer(To::Null),
            ],
        );
        categories.push(Field::Pointer(To::Address(category)));
    }
    image.put(Room::Categories, &categories);
    let bytes = image.build(Style::Chained(6));
    let objc = only(&bytes).objc();
    assert_eq!(objc.categories.len(), 100);
    assert!(objc.gaps.count() >= 1000 && objc.gaps.kept().len() == 1000);
}

#[test]
fn nothing_is_read_past_the_image() {
    let bytes = zoo(ARM64, Lists::Relative).image.build(Style::Chained(6));
    let binary = only(&bytes);
    let end = BASE + 0x8000;
    assert!(binary.bytes_at(end - 8, 8).is_ok());
    assert!(matches!(
        binary.bytes_at(end - 8, 9),
        Err(Why::Truncated { .. })
    ));
    assert!(binary.bytes_at(u64::MAX, 1).is_err());
}

#[test]
#[ignore = "runs for AGXRUN_FUZZ_SECONDS; scripts/fuzz-audit.sh starts it"]
fn damage_for_a_while() {
    let seconds: u64 = env::var("AGXRUN_FUZZ_SECONDS")
        .expect("AGXRUN_FUZZ_SECONDS says how long")
        .parse()
        .expect("AGXRUN_FUZZ_SECONDS is a number");
    let end = Instant::now() + Duration::from_secs(seconds);
    let seeds = seeds();
    let strategies: Vec<_> = seeds.iter().map(|seed| damage(seed.len())).collect();
    let mut runner = TestRunner::new(ProptestConfig::default());
    let (mut tries, mut longest) = (0_u64, Duration::ZERO);
    while Instant::now() < end {
        for (seed, strategy) in seeds.iter().zip(&strategies) {
            let changes = strategy.new_tree(&mut runner).expect("a value").current();
            let mut bytes = seed.clone();
            for (at, value) in &changes {
                bytes[*at] = *value;
            }
            let start = Instant::now();
            let outcome = std::panic::catch_unwind(|| ask_all(&bytes));
            assert!(outcome.is_ok(), "it panics with {changes:x?}");
            longest = longest.max(start.elapsed());
            tries += 1;
        }
    }
    println!("{tries} damaged images, the longest {longest:?}");
    assert!(
        longest < Duration::from_secs(2),
        "{longest:?} for one image"
    );
}
