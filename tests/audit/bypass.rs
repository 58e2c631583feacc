//! Ways to a method's code past the runtime: each kind is found where it is, and nowhere else.

use std::collections::BTreeSet;

use agxrun::audit::bypass::{Bypass, LookupKind, Reference, ReferenceKind, find};
use agxrun::audit::{Authentication, Code, Key};

use crate::cross::Tools;
use crate::encode::{self, NOP, RET};
use crate::image::{ARM64, ARM64E, Field, Room, Style, To, X86_64};
use crate::layouts::only;
use crate::zoo::{ALLOC, BARK, LAYOUTS, Lists, Zoo, zoo};

/// Where code stands that may call others.
const CALLER: u64 = BARK + 0x100;

fn with_code(processor: (u32, u32), words: &[u32]) -> Zoo {
    let mut zoo = zoo(processor, Lists::Relative);
    write(&mut zoo, CALLER, words);
    zoo
}

fn write(zoo: &mut Zoo, at: u64, words: &[u32]) {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    zoo.image.write(at, &bytes);
}

fn style(processor: (u32, u32)) -> Style {
    Style::Chained(if processor == ARM64E { 12 } else { 6 })
}

/// What leads to the code of `bark`.
fn found(zoo: &Zoo) -> Vec<Reference> {
    let bytes = zoo.image.build(style(zoo.image.processor));
    let binary = only(&bytes);
    let objc = binary.objc();
    let code = Code::of(&binary, &objc).expect("arm64");
    find(&code, &BTreeSet::from([BARK]), &mut |_| {}).references
}

#[track_caller]
fn assert_one(zoo: &Zoo, kind: ReferenceKind, address: u64, instructions: &[&str]) {
    let found = found(zoo);
    let [reference] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(
        (reference.kind, reference.address, reference.target),
        (kind, address, BARK)
    );
    let texts: Vec<String> = reference
        .instructions
        .iter()
        .map(|instruction| instruction.text())
        .collect();
    assert_eq!(texts, instructions);
}

#[test]
fn an_image_without_any() {
    for processor in [ARM64, ARM64E] {
        for lists in LAYOUTS {
            let zoo = zoo(processor, lists);
            assert_eq!(found(&zoo), [], "{processor:?} {lists:?}");
        }
    }
}

#[test]
fn another_processor_has_no_code_that_is_read() {
    let zoo = zoo(X86_64, Lists::Relative);
    let bytes = zoo.image.build(Style::Opcodes);
    let binary = only(&bytes);
    let objc = binary.objc();
    assert!(Code::of(&binary, &objc).is_none());
}

#[test]
fn calls_and_branches() {
    let at = CALLER + 4;
    let rows = [
        (encode::bl(at, BARK), ReferenceKind::Call, "bl"),
        (encode::b(at, BARK), ReferenceKind::Branch, "b"),
        (encode::b_eq(at, BARK), ReferenceKind::Branch, "b.eq"),
        (encode::cbnz(at, BARK, 3), ReferenceKind::Branch, "cbnz x3,"),
    ];
    for processor in [ARM64, ARM64E] {
        for (word, kind, mnemonic) in rows {
            let zoo = with_code(processor, &[NOP, word, RET]);
            assert_one(&zoo, kind, at, &[&format!("{mnemonic} {BARK:#x}")]);
        }
    }
}

#[test]
fn branches_to_others_and_into_the_middle_are_none() {
    let words = [
        encode::bl(CALLER, ALLOC),
        encode::bl(CALLER + 4, BARK + 4),
        encode::bl(CALLER + 8, BARK - 4),
    ];
    assert_eq!(found(&with_code(ARM64, &words)), []);
}

#[test]
fn addresses_that_are_formed() {
    let zoo = with_code(ARM64E, &[encode::adr(CALLER, BARK, 9), RET]);
    let text = format!("adr x9, {BARK:#x}");
    assert_one(&zoo, ReferenceKind::Address, CALLER, &[&text]);

    let page = encode::adrp(CALLER, BARK, 16);
    let words = [page, NOP, encode::add(16, 16, BARK), RET];
    let texts = [
        format!("adrp x16, {:#x}", BARK & !0xfff),
        format!("add x16, x16, #{:#x}", BARK & 0xfff),
    ];
    let zoo = with_code(ARM64E, &words);
    let texts = [texts[0].as_str(), texts[1].as_str()];
    assert_one(&zoo, ReferenceKind::Address, CALLER + 8, &texts);
}

#[test]
fn half_an_address_is_none() {
    // Another register, and one that was changed in between: mov x16, x2.
    let page = encode::adrp(CALLER, BARK, 16);
    for words in [
        vec![page, encode::add(17, 17, BARK)],
        vec![page, 0xaa02_03f0, encode::add(16, 16, BARK)],
        vec![page, RET, encode::add(16, 16, BARK)],
    ] {
        assert_eq!(found(&with_code(ARM64, &words)), [], "{words:x?}");
    }
}

#[test]
fn pointers_in_data_and_what_loads_them() {
    let mut zoo = with_code(ARM64, &[]);
    let slot = zoo
        .image
        .put(Room::Const, &[Field::Pointer(To::Code(BARK))]);
    let pointer = ReferenceKind::Pointer {
        authentication: None,
    };
    assert_one(&zoo, pointer, slot, &[]);

    write(
        &mut zoo,
        CALLER,
        &[
            encode::adrp(CALLER, slot, 8),
            encode::ldr(8, 8, slot),
            encode::ldr_literal(CALLER + 8, slot, 9),
        ],
    );
    let found = found(&zoo);
    let load = ReferenceKind::Load { pointer: slot };
    let kinds: Vec<_> = found.iter().map(|it| (it.kind, it.address)).collect();
    assert_eq!(
        kinds,
        [(load, CALLER + 4), (load, CALLER + 8), (pointer, slot)]
    );
    assert!(found.iter().all(|it| it.target == BARK));
}

#[test]
fn pointers_that_are_signed() {
    let mut zoo = with_code(ARM64E, &[]);
    let slot = zoo
        .image
        .put(Room::Const, &[Field::Pointer(To::Code(BARK))]);
    let authentication = Some(Authentication {
        key: Key::IA,
        diversity: 0xc0de,
        by_address: true,
    });
    assert_one(&zoo, ReferenceKind::Pointer { authentication }, slot, &[]);
}

#[test]
fn a_recursion_is_told_from_a_call() {
    let mut zoo = with_code(ARM64, &[]);
    write(&mut zoo, BARK, &[NOP, encode::bl(BARK + 4, BARK)]);
    let found = found(&zoo);
    assert!(
        matches!(&found[..], [one] if one.within_target),
        "{found:?}"
    );
}

#[test]
fn what_was_looked_at_is_counted() {
    let zoo = with_code(ARM64, &[encode::bl(CALLER, BARK), 0x0420_0000]);
    let bytes = zoo.image.build(style(ARM64));
    let binary = only(&bytes);
    let objc = binary.objc();
    let code = Code::of(&binary, &objc).expect("arm64");
    let mut told = 0;
    let looked_at = find(&code, &BTreeSet::from([BARK]), &mut |bytes| told += bytes).looked_at;
    let expected: u64 = code.sections().iter().map(|it| it.end - it.start).sum();
    assert_eq!(told, expected);
    assert_eq!(looked_at.instructions * 4, expected);
    assert_eq!(looked_at.undecoded, 1);
    assert_eq!((looked_at.methods, looked_at.unread), (1, 0));
    assert_eq!(looked_at.pointers, binary.pointers().count() as u64);
    assert!(looked_at.functions >= 4);
}

/// What the assembled image has, each by the function that it is in.
#[test]
fn as_the_linker_lays_it_out() {
    let Some(tools) = Tools::find() else { return };
    for options in [
        &["-fixup_chains", "-objc_relative_method_lists"],
        &["-no_fixup_chains", "-no_objc_relative_method_lists"],
    ] {
        let path = tools.link_source("arm64", "bypass", include_str!("bypass.s"), options);
        let bytes = std::fs::read(&path).expect("linked");
        let binary = only(&bytes);
        let objc = binary.objc();
        let code = Code::of(&binary, &objc).expect("arm64");
        assert!(code.gaps().is_empty(), "{:?}", code.gaps());
        let bark = objc.classes[0].instance_methods[0].implementation;
        let targets = BTreeSet::from([bark.expect("it has code")]);
        let found = find(&code, &targets, &mut |_| {});
        check(&code, &found, options);
    }
}

/// `strip` may leave stubs without the names of their symbols: their pointers have them, too.
#[test]
fn stubs_without_symbols() {
    let Some(tools) = Tools::find() else { return };
    let options = ["-fixup_chains"];
    let path = tools.link_source("arm64", "bypass", include_str!("bypass.s"), &options);
    let mut bytes = std::fs::read(&path).expect("linked");
    let mut at = 32;
    // LC_DYSYMTAB, whose last but six fields are the place and the number of indirect symbols.
    while word(&bytes, at) != 0xb {
        at += usize::try_from(word(&bytes, at + 4)).expect("small");
    }
    assert_ne!(word(&bytes, at + 60), 0);
    bytes[at + 60..at + 64].fill(0);
    let binary = only(&bytes);
    let objc = binary.objc();
    let code = Code::of(&binary, &objc).expect("arm64");
    assert!(code.gaps().is_empty(), "{:?}", code.gaps());
    let mut stubs: Vec<&str> = code.stubs().map(|(_, name)| name).collect();
    stubs.sort_unstable();
    assert_eq!(stubs, ["_class_getMethodImplementation"]);
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn check(code: &Code<'_>, found: &Bypass<'_>, options: &[&str]) {
    let name = |address| code.place_of(address).map(|(name, _)| name.to_owned());
    let mut references: Vec<(String, Option<String>)> = found
        .references
        .iter()
        .map(|it| {
            let kind = match it.kind {
                ReferenceKind::Call => "call",
                ReferenceKind::Branch => "branch",
                ReferenceKind::Address => "address",
                ReferenceKind::Pointer { .. } => "pointer",
                ReferenceKind::Load { .. } => "load",
                ReferenceKind::Distance => "distance",
            };
            (kind.to_owned(), name(it.address))
        })
        .collect();
    references.sort();
    let row = |kind: &str, name: &str| (kind.to_owned(), Some(name.to_owned()));
    assert_eq!(
        references,
        [
            row("address", "_takes_address"),
            row("branch", "_branches"),
            row("call", "-[Dog calls]"),
            ("distance".to_owned(), None),
            row("load", "_loads_pointer"),
            ("pointer".to_owned(), None),
        ],
        "{options:?}"
    );
    let mut lookups: Vec<(&str, LookupKind, Vec<Option<String>>)> = found
        .lookups
        .iter()
        .map(|it| {
            let uses = it.uses.iter().map(|it| name(it.address)).collect();
            (it.name, it.kind, uses)
        })
        .collect();
    lookups.sort();
    let used = |name: &str| vec![Some(name.to_owned())];
    assert_eq!(
        lookups,
        [
            (
                "class_getMethodImplementation",
                LookupKind::Function,
                used("_asks")
            ),
            ("methodForSelector:", LookupKind::Selector, used("_sends")),
        ],
        "{options:?}"
    );
    let direct: Vec<&str> = found.direct_methods.iter().map(|it| it.symbol).collect();
    assert_eq!(direct, ["-[Dog direct]"], "{options:?}");
    assert_eq!(found.direct_methods[0].class(), "Dog");
}
