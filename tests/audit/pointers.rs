//! What the loader will have written, and where it is told that nobody can say.

use agxrun::audit::{Authentication, Binary, Key, Library, Pointer, ReadError, Why};

use crate::image::{ARM64, ARM64E, BASE, Field, Image, Room, Style, To};
use crate::layouts::only;
use crate::zoo::{BARK, Lists, zoo};

/// Signed, plain, imported, null, and a number that is none of them.
fn five(processor: (u32, u32)) -> (Image, u64) {
    let mut image = Image::new(processor);
    let start = image.put(
        Room::Const,
        &[
            Field::Pointer(To::Code(BARK)),
            Field::Pointer(To::Address(BARK)),
            Field::Pointer(To::Import("_free")),
            Field::Pointer(To::Null),
            Field::Number(0x1234),
            Field::Number(0),
        ],
    );
    (image, start)
}

#[test]
fn each_pointer_is_told_as_what_it_will_be() {
    let (image, start) = five(ARM64E);
    let bytes = image.build(Style::Chained(12));
    let binary = only(&bytes);
    assert_eq!(
        binary.pointer_at(start),
        Ok(Pointer::Address {
            address: BARK,
            authentication: Some(Authentication {
                key: Key::IA,
                diversity: 0xc0de,
                by_address: true
            })
        })
    );
    assert_eq!(
        binary.pointer_at(start + 8),
        Ok(Pointer::Address {
            address: BARK,
            authentication: None
        })
    );
    let Ok(Pointer::Import { import, addend, .. }) = binary.pointer_at(start + 16) else {
        panic!("{:?}", binary.pointer_at(start + 16))
    };
    assert_eq!(
        (import.name, import.library, addend),
        ("_free", Library::Ordinal(1), 0)
    );
    assert_eq!(binary.library_name(import.library), Some("/lib/objc"));
    assert_eq!(binary.pointer_at(start + 24), Ok(Pointer::Null));
    assert_eq!(binary.pointer_at(start + 32), Err(Why::NotAPointer(0x1234)));
    assert_eq!(binary.pointer_at(BASE - 8), Err(Why::Unmapped(BASE - 8)));
    assert_eq!(
        binary.pointers().collect::<Vec<_>>(),
        [start, start + 8, start + 16]
    );
}

#[test]
fn an_image_of_the_shared_cache_has_plain_pointers() {
    let (mut image, start) = five(ARM64);
    image.flags |= 0x8000_0000;
    image.write(start + 32, &BARK.to_le_bytes());
    let bytes = image.build(Style::Opcodes);
    let binary = only(&bytes);
    assert!(binary.is_from_cache());
    assert_eq!(
        binary.pointer_at(start + 32),
        Ok(Pointer::Address {
            address: BARK,
            authentication: None
        })
    );
}

#[test]
fn pointers_of_kernels_and_caches_are_refused_by_name() {
    for number in [4, 8, 11, 13, 14, 99] {
        let mut bytes = zoo(ARM64, Lists::Relative).image.build(Style::Chained(6));
        // The segment's table is 52 bytes into the payload, the format 6 bytes into the table.
        let at = 0x8000 + 52 + 6;
        bytes[at..at + 2].copy_from_slice(&u16::to_le_bytes(number));
        let binary = only(&bytes);
        assert!(
            matches!(binary.gaps().kept(), [gap] if matches!(gap.why, Why::PointerFormat { number: told, .. } if told == number)),
            "{:?}",
            binary.gaps()
        );
        let objc = binary.objc();
        assert!(objc.classes.is_empty() && !objc.gaps.is_empty());
    }
}

#[test]
fn a_chain_that_leaves_its_page_ends_there() {
    let (image, start) = five(ARM64);
    let mut bytes = image.build(Style::Chained(6));
    let at = usize::try_from(start - BASE).expect("small");
    // The first slot's distance becomes the longest.
    bytes[at + 6] |= 0xf8;
    bytes[at + 7] |= 0x7f;
    let binary = only(&bytes);
    assert!(
        matches!(binary.gaps().kept(), [gap] if gap.why == Why::LeavesPage),
        "{:?}",
        binary.gaps()
    );
    assert_eq!(binary.pointers().count(), 1);
}

#[test]
fn what_is_no_image_is_refused_with_a_word() {
    for bytes in [&b""[..], b"#!/bin/sh\n", b"\x7fELF", &[0; 4096]] {
        assert!(matches!(Binary::parse(bytes), Err(ReadError::NotMachO)));
    }
    assert!(matches!(
        Binary::parse(b"dyld_v1  arm64e"),
        Err(ReadError::Unsupported(_))
    ));
    let mut bytes = zoo(ARM64, Lists::Absolute).image.build(Style::Chained(6));
    for (kind, word) in [
        (1, "object file"),
        (4, "core"),
        (10, "debugging"),
        (12, "kernel"),
    ] {
        bytes[12] = kind;
        let parts = Binary::parse(&bytes).expect("Mach-O");
        let refused = parts[0].binary.as_ref().expect_err("no image");
        assert!(refused.to_string().contains(word), "{refused}");
    }
}

#[test]
fn segments_that_overlap_are_refused() {
    let mut bytes = zoo(ARM64, Lists::Absolute).image.build(Style::Chained(6));
    let data = bytes
        .windows(7)
        .position(|window| window == b"__DATA\0")
        .expect("the command");
    // The address is 16 bytes behind the name's start: one page lower.
    bytes[data + 17] = 0x30;
    let parts = Binary::parse(&bytes).expect("Mach-O");
    assert!(matches!(parts[0].binary, Err(ReadError::Malformed { .. })));
}

#[test]
fn what_is_encrypted_is_told_and_the_rest_is_read() {
    let mut bytes = zoo(ARM64, Lists::Absolute).image.build(Style::Chained(6));
    // In place of LC_LOAD_DYLIB, the last command: LC_ENCRYPTION_INFO_64 over the texts' pages.
    let size = usize::try_from(u32::from_le_bytes(bytes[20..24].try_into().expect("four")))
        .expect("small");
    let at = 32 + size - 40;
    for (index, word) in [0x2c, 40, 0x1000, 0x2000, 1, 0].into_iter().enumerate() {
        bytes[at + index * 4..at + index * 4 + 4].copy_from_slice(&u32::to_le_bytes(word));
    }
    let objc = only(&bytes).objc();
    assert_eq!(objc.classes.len(), 2);
    assert!(objc.classes.iter().all(|class| class.name.is_none()));
    assert_eq!(
        objc.classes[1].instance_methods[0].implementation,
        Some(BARK)
    );
    assert!(
        objc.gaps
            .kept()
            .iter()
            .any(|gap| matches!(gap.why, Why::Encrypted(_)))
    );
}
