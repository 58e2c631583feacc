//! Random damage: no panic, no large allocation, and a verdict.

use agxrun::target::image::Image;
use agxrun::target::rules::System;
use proptest::prelude::*;

use crate::elf::{Elf, I386, X86_64 as ELF_X86_64};
use crate::macho::{ARM64, ARM64E, Slice, X86_64, universal};
use crate::signature::{DYLD_VARIABLES, NO_LIBRARY_VALIDATION, RUNTIME, Signature};
use crate::support::{Case, LINUX, MAC, elf_library, library};

pub fn seeds() -> Vec<Vec<u8>> {
    let entitled = Slice::program(ARM64)
        .signed(Signature::developer(RUNTIME).entitled(&[DYLD_VARIABLES, NO_LIBRARY_VALIDATION]));
    vec![
        entitled.build(),
        universal(&[Slice::program(X86_64), entitled, Slice::program(ARM64E)]),
        Slice {
            restrict: Some(("__RESTRICT", "__restrict")),
            encrypted: true,
            ..Slice::program(X86_64)
        }
        .build(),
        Elf::program(ELF_X86_64, "/lib64/ld-linux-x86-64.so.2").build(),
        Elf::program(I386, "/lib/ld-linux.so.2").build(),
    ]
}

/// One act of damage: at a place (a share of the length), of a kind.
#[derive(Debug, Clone)]
enum Damage {
    Byte(f64, u8),
    Word(f64, u32),
    Cut(f64),
    Repeat(f64, f64),
}

fn damage() -> impl Strategy<Value = Damage> {
    let word = prop_oneof![
        any::<u32>(),
        0_u32..256,
        Just(u32::MAX),
        Just(0x7fff_ffff),
        (0_u32..32).prop_map(|bit| 1 << bit),
    ];
    prop_oneof![
        4 => (0.0..1.0, any::<u8>()).prop_map(|(place, value)| Damage::Byte(place, value)),
        4 => (0.0..1.0, word).prop_map(|(place, value)| Damage::Word(place, value)),
        1 => (0.0..1.0).prop_map(Damage::Cut),
        1 => (0.0..1.0, 0.0..1.0).prop_map(|(from, to)| Damage::Repeat(from, to)),
    ]
}

fn apply(file: &mut Vec<u8>, damage: &Damage) {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )] // A share of a small file's length.
    let at = |share: f64| (share * file.len() as f64) as usize;
    match *damage {
        Damage::Byte(place, value) => {
            let place = at(place);
            if let Some(byte) = file.get_mut(place) {
                *byte = value;
            }
        }
        Damage::Word(place, value) => {
            let place = at(place) & !3;
            if let Some(bytes) = file.get_mut(place..place + 4) {
                let value = if place % 8 == 0 {
                    value.to_be_bytes()
                } else {
                    value.to_le_bytes()
                };
                bytes.copy_from_slice(&value);
            }
        }
        Damage::Cut(place) => file.truncate(at(place)),
        Damage::Repeat(from, to) => {
            let (from, to) = (at(from), at(to));
            let size = 64.min(file.len() - from.max(to));
            file.copy_within(from..from + size, to);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_damaged_file_gets_a_verdict(
        seed in 0_usize..5,
        damages in prop::collection::vec(damage(), 1..6),
    ) {
        let mut file = seeds().swap_remove(seed);
        for damage in &damages {
            apply(&mut file, damage);
        }
        for (host, library) in [(MAC, library()), (LINUX, elf_library())] {
            let case = Case { host, ..Case::on_a_mac(&file, &library) };
            let verdict = case.verdict();
            prop_assert!(!verdict.because.is_empty());
            if verdict.arrives() {
                prop_assert!(Image::from_bytes(&file).is_ok());
            }
            // And as the library.
            let plain = match host.system {
                System::MacOs => Slice::program(ARM64).build(),
                System::Linux => Elf::program(ELF_X86_64, "/lib64/ld-linux-x86-64.so.2").build(),
            };
            let case = Case { host, ..Case::on_a_mac(&plain, &file) };
            prop_assert!(!case.verdict().because.is_empty());
        }
    }

    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..4096), magic in 0_usize..6) {
        let magics: [&[u8]; 6] = [
            b"\x7fELF\x02\x01",
            b"\xcf\xfa\xed\xfe",
            b"\xca\xfe\xba\xbe\x00\x00\x00\x01",
            b"\xca\xfe\xba\xbf\x00\x00\x00\x01",
            b"\xfe\xed\xfa\xce",
            b"",
        ];
        let mut file = magics[magic].to_vec();
        file.extend(bytes);
        // Either answer will do: there must be one.
        let answered = match Image::from_bytes(&file) {
            Ok(image) => format!("{image:?}"),
            Err(reason) => reason.to_string(),
        };
        prop_assert!(!answered.is_empty());
    }
}
