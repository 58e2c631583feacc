//! Files cut short and overwritten: nothing is said to arrive that would not.

use agxrun::target::verdict::Kind;

use crate::elf::{Elf, X86_64};
use crate::macho::{ARM64, Slice, universal, universal_of};
use crate::signature::{DYLD_VARIABLES, NO_LIBRARY_VALIDATION, RUNTIME, Signature};
use crate::support::{Case, LINUX, elf_library, library};

/// Under the hardened runtime, with both entitlements: nearly every field has a say.
fn entitled() -> Slice {
    Slice::program(ARM64)
        .signed(Signature::developer(RUNTIME).entitled(&[DYLD_VARIABLES, NO_LIBRARY_VALIDATION]))
}

/// The same without entitlements: the library does not arrive.
fn hardened() -> Slice {
    Slice::program(ARM64).signed(Signature::developer(RUNTIME).entitled(&[]))
}

#[test]
fn cut_anywhere_it_is_unknown() {
    let library = library();
    for whole in [entitled().build(), universal(&[entitled()])] {
        assert!(Case::on_a_mac(&whole, &library).verdict().arrives());
        // The header and the commands byte by byte; the padding of a universal file in steps.
        let lengths = (0..whole.len()).filter(|length| length % 997 == 0 || *length < 2048);
        let lengths = lengths.chain(whole.len() - 1024..whole.len());
        for length in lengths {
            let verdict = Case::on_a_mac(&whole[..length], &library).verdict();
            assert_eq!(verdict.kind, Kind::Unknown, "{length}: {verdict:?}");
        }
    }
}

#[test]
fn an_elf_file_cut_anywhere_does_not_arrive() {
    let library = elf_library();
    let whole = Elf::program(X86_64, "/lib64/ld-linux-x86-64.so.2").build();
    for length in 0..whole.len() {
        let case = Case {
            host: LINUX,
            ..Case::on_a_mac(&whole[..length], &library)
        };
        assert_eq!(case.verdict().kind, Kind::Unknown, "{length}");
    }
}

/// Every field in turn, by the values that sizes and offsets overflow with.
#[test]
fn overwritten_anywhere_it_does_not_arrive_by_mistake() {
    let library = library();
    for whole in [hardened().build(), universal(&[hardened()])] {
        assert!(!Case::on_a_mac(&whole, &library).verdict().arrives());
        for offset in (0..whole.len() - 4).step_by(4) {
            for value in [u32::MAX, 0x7fff_ffff, 0x8000_0000] {
                for bytes in [value.to_le_bytes(), value.to_be_bytes()] {
                    let mut file = whole.clone();
                    file[offset..offset + 4].copy_from_slice(&bytes);
                    // 0x7fffffff in little-endian order, and 0x80000000 in either, clear the flag
                    // of the hardened runtime: the program is another one then.
                    let keeps_the_flag = value == u32::MAX;
                    let verdict = Case::on_a_mac(&file, &library).verdict();
                    assert!(
                        !verdict.arrives() || (!keeps_the_flag && is_flags(&whole, offset)),
                        "{value:#x} at {offset}: {verdict:?}"
                    );
                }
            }
        }
    }
}

/// Whether the flags of the code directory stand at `offset`.
fn is_flags(file: &[u8], offset: usize) -> bool {
    let magic = 0xfade_0c02_u32.to_be_bytes();
    offset >= 12 && file[offset - 12..].starts_with(&magic)
}

#[test]
fn slices_that_overlap_or_hold_their_own_table_are_refused() {
    let library = library();
    let slice = entitled().build();
    let honest = universal_of(&[(ARM64, slice.clone()), (ARM64, slice)]);
    let mut overlapping = honest.clone();
    overlapping.copy_within(16..20, 36);
    let mut cyclic = honest.clone();
    cyclic[16..20].fill(0);
    let mut endless = honest;
    endless[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
    for (file, expected) in [
        (overlapping, "overlap"),
        (cyclic, "overlap"),
        (endless, "4294967295"),
    ] {
        let verdict = Case::on_a_mac(&file, &library).verdict();
        assert_eq!(verdict.kind, Kind::Unknown);
        assert!(verdict.because.contains(expected), "{verdict:?}");
    }
}

#[test]
fn a_table_that_names_another_processor_than_its_slice_is_refused() {
    let library = library();
    let intel = Slice::program(crate::macho::X86_64).unsigned().build();
    let verdict = Case::on_a_mac(&universal_of(&[(ARM64, intel)]), &library).verdict();
    assert_eq!(verdict.kind, Kind::Unknown);
    assert!(
        verdict.because.contains("different processors"),
        "{verdict:?}"
    );
}
