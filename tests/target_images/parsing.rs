//! What is read, and what of it, against what was written.

use agxrun::target::image::{
    Contents, Elf, FileType, Flags, Grant, Image, Interpreter, MachO, Platform, Processor,
};

use crate::elf;
use crate::macho::{ARM64, ARM64E, I386, Slice, X86_64, big_words, universal};
use crate::signature::{
    AD_HOC, DYLD_VARIABLES, LINKER_SIGNED, RUNTIME, Signature, blob, der, super_blob,
};

fn slices(bytes: &[u8]) -> Vec<agxrun::target::image::Slice> {
    match Image::from_bytes(bytes).expect("it is whole").contents {
        Contents::MachO(slices) => slices,
        other => panic!("not Mach-O: {other:?}"),
    }
}

fn only(bytes: &[u8]) -> MachO {
    let mut slices = slices(bytes);
    assert_eq!(slices.len(), 1);
    slices.remove(0).contents.expect("it is whole")
}

#[test]
fn a_program_signed_by_a_developer() {
    let program = Slice::program(ARM64)
        .signed(Signature::developer(RUNTIME).entitled(&[DYLD_VARIABLES]))
        .build();
    let read = only(&program);
    assert_eq!(read.file_type, FileType::Executable);
    assert!(read.asks_for_dyld && !read.restrict_section && !read.encrypted);
    assert_eq!(read.platforms, [Platform::MacOs]);
    assert_eq!(read.libraries, ["/usr/lib/libSystem.B.dylib"]);
    let signature = read.signature.expect("it is signed");
    assert_eq!(signature.flags, Flags::HARDENED_RUNTIME);
    assert_eq!(signature.identifier, "org.example.program");
    assert_eq!(signature.team.as_deref(), Some("ABCDE12345"));
    assert_eq!(signature.platform, 0);
    assert!(signature.certified);
    let entitlements = signature.entitlements.expect("they are whole");
    assert_eq!(entitlements.dyld_variables, Grant::Given);
    assert_eq!(entitlements.no_library_validation, Grant::Absent);
}

#[test]
fn a_program_signed_by_the_linker() {
    let signature = only(&Slice::program(ARM64).build())
        .signature
        .expect("it is signed");
    assert_eq!(signature.flags, Flags(AD_HOC | LINKER_SIGNED));
    assert!(signature.flags.has(Flags::AD_HOC) && signature.flags.has(Flags::LINKER_SIGNED));
    assert_eq!(signature.team, None);
    assert!(!signature.certified, "an empty CMS blob is none");
}

#[test]
fn universal_and_32_bit_files() {
    let file = universal(&[
        Slice::program(X86_64),
        Slice::program(ARM64),
        Slice::program(ARM64E),
    ]);
    let processors: Vec<Processor> = slices(&file).iter().map(|slice| slice.processor).collect();
    assert_eq!(
        processors,
        [Processor::X86_64, Processor::Arm64, Processor::Arm64e]
    );
    let old = Slice {
        restrict: Some(("__RESTRICT", "__restrict")),
        ..Slice::program(I386)
    };
    assert!(only(&old.build()).restrict_section);
}

#[test]
fn a_damaged_slice_says_nothing_of_its_neighbour() {
    let mut file = universal(&[Slice::program(X86_64), Slice::program(ARM64)]);
    // The first slice's magic number.
    file[0x4000] = 0;
    let slices = slices(&file);
    assert!(slices[0].contents.is_err());
    assert!(slices[1].contents.is_ok());
}

/// As codesign signs for systems before 10.11: SHA-1 first, SHA-256 as the alternate.
#[test]
fn the_directory_with_the_stronger_hash_counts() {
    let directory = |flags: u32, hash: u8| {
        let mut bytes = big_words(&[0xfade_0c02, 60, 0x2_0100, flags, 56, 52, 0, 0, 0]);
        bytes.extend([20, hash, 0, 12]);
        bytes.extend([0; 12]);
        bytes.extend(b"id\0\0\0\0\0\0");
        bytes
    };
    for (blobs, expected) in [
        (vec![(0, directory(1, 1)), (0x1000, directory(2, 2))], 2),
        (vec![(0x1000, directory(2, 2)), (0, directory(1, 1))], 2),
        (vec![(0, directory(1, 2)), (0x1000, directory(2, 99))], 1),
    ] {
        let read = only(&with_signature(&super_blob(&blobs)));
        assert_eq!(read.signature.expect("signed").flags, Flags(expected));
    }
    let unknown = with_signature(&super_blob(&[(0, directory(1, 99))]));
    assert!(slices(&unknown)[0].contents.is_err());
}

/// A program whose signature is replaced by these bytes.
fn with_signature(signature: &[u8]) -> Vec<u8> {
    let mut file = Slice::program(ARM64).build();
    let old = Signature::by_linker().build().len();
    let start = file.len() - old;
    file.truncate(start);
    file.extend(signature);
    let size = u32::try_from(signature.len()).expect("small").to_le_bytes();
    let command = file
        .windows(8)
        .position(|bytes| bytes == [0x1d, 0, 0, 0, 16, 0, 0, 0])
        .expect("the load command");
    file[command + 12..command + 16].copy_from_slice(&size);
    file
}

#[test]
fn one_slot_filled_twice_is_a_contradiction() {
    let directory = || {
        let mut bytes = big_words(&[0xfade_0c02, 60, 0x2_0100, 0, 56, 52, 0, 0, 0]);
        bytes.extend([20, 2, 0, 12]);
        bytes.extend([0; 12]);
        bytes.extend(b"id\0\0\0\0\0\0");
        bytes
    };
    let entitlements = |value| blob(0xfade_7172, &der(&[(DYLD_VARIABLES, value)]));
    for blobs in [
        vec![(0, directory()), (0, directory())],
        vec![
            (0, directory()),
            (7, entitlements(true)),
            (7, entitlements(false)),
        ],
    ] {
        let file = with_signature(&super_blob(&blobs));
        let error = slices(&file).remove(0).contents.expect_err("refused");
        assert!(error.to_string().contains("contradicts itself"), "{error}");
    }
}

#[test]
fn a_property_list_of_any_shape_is_read_within_bounds() {
    let program = |xml: String| {
        Slice::program(ARM64)
            .signed(Signature {
                xml: Some(xml.into_bytes()),
                ..Signature::developer(RUNTIME)
            })
            .build()
    };
    let plist = |value: &str| {
        format!("<plist version=\"1.0\"><dict><key>{DYLD_VARIABLES}</key>{value}</dict></plist>")
    };
    let grant = |value: &str| {
        let signature = only(&program(plist(value))).signature.expect("signed");
        signature.entitlements.map(|read| read.dyld_variables)
    };
    for (value, expected) in [
        ("<true/>", Grant::Given),
        ("<true></true>", Grant::Given),
        ("<false/>", Grant::Refused),
        ("<string>true</string>", Grant::Refused),
        ("<integer>1</integer>", Grant::Refused),
        ("<array><true/></array>", Grant::Refused),
        (
            &format!("{}{}", "<array>".repeat(500), "</array>".repeat(500)),
            Grant::Refused,
        ),
    ] {
        assert_eq!(grant(value).expect("it is whole"), expected, "{value}");
    }
    for value in [
        "<true>",
        "",
        &"<array>".repeat(500),
        &"<array>".repeat(30_000),
        &format!("{}{}", "<array>".repeat(9_000), "</array>".repeat(9_000)),
    ] {
        assert!(grant(value).is_err(), "{} bytes", value.len());
    }
}

#[test]
fn an_elf_program_and_its_loader() {
    let made = elf::Elf::program(elf::AARCH64, "/lib/ld-linux-aarch64.so.1");
    let Contents::Elf(read) = Image::from_bytes(&made.build()).expect("whole").contents else {
        panic!("not ELF");
    };
    assert_eq!(
        read,
        Elf {
            processor: Processor::Arm64,
            is_64_bit: true,
            executable: true,
            shared: true,
            interpreter: Interpreter::Path("/lib/ld-linux-aarch64.so.1".to_owned()),
        }
    );
}
