//! Files with several images.

use std::fs;

use agxrun::audit::{Binary, MappedFile, ReadError, Why};
use agxrun::target::image::Processor;

use crate::image::{ARM64E, Style, X86_64, short};
use crate::zoo::{Lists, zoo};

/// A universal file: images at multiples of 16 KiB.
fn universal(images: &[((u32, u32), Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let big = |bytes: &mut Vec<u8>, words: &[u32]| {
        for word in words {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
    };
    big(&mut bytes, &[0xcafe_babe, short(images.len())]);
    let mut at = 0x4000;
    for ((cpu, subtype), image) in images {
        big(
            &mut bytes,
            &[*cpu, *subtype, short(at), short(image.len()), 14],
        );
        at += image.len().next_multiple_of(0x4000);
    }
    for (_, image) in images {
        bytes.resize(bytes.len().next_multiple_of(0x4000), 0);
        bytes.extend_from_slice(image);
    }
    bytes
}

fn two() -> Vec<u8> {
    universal(&[
        (
            X86_64,
            zoo(X86_64, Lists::Absolute).image.build(Style::Opcodes),
        ),
        (
            ARM64E,
            zoo(ARM64E, Lists::Relative).image.build(Style::Chained(12)),
        ),
    ])
}

#[test]
fn every_part_is_read_from_a_mapped_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("driver");
    fs::write(&path, two()).expect("written");
    let file = MappedFile::open(&path).expect("it is there");
    let parts = Binary::parse(file.bytes()).expect("universal");
    let told: Vec<_> = parts
        .iter()
        .map(|part| {
            let objc = part.binary.as_ref().expect("an image").objc();
            assert!(objc.gaps.is_empty(), "{:?}", objc.gaps);
            (part.processor, part.offset, objc.classes.len())
        })
        .collect();
    assert_eq!(
        told,
        [
            (Processor::X86_64, 0x4000, 2),
            (Processor::Arm64e, 0x10000, 2)
        ]
    );
}

#[test]
fn a_part_that_is_cut_off_is_read_as_far_as_it_goes() {
    let mut bytes = two();
    bytes.truncate(bytes.len() - 100);
    let parts = Binary::parse(&bytes).expect("universal");
    assert!(parts[0].binary.as_ref().expect("whole").gaps().is_empty());
    let binary = parts[1].binary.as_ref().expect("its head is there");
    assert!(
        binary
            .gaps()
            .kept()
            .iter()
            .any(|gap| matches!(gap.why, Why::Truncated { .. })),
        "{:?}",
        binary.gaps()
    );
}

#[test]
fn a_damaged_part_says_nothing_of_its_neighbour() {
    let mut bytes = two();
    bytes[0x4000] = 0;
    let parts = Binary::parse(&bytes).expect("universal");
    assert!(matches!(parts[0].binary, Err(ReadError::NotMachO)));
    assert_eq!(
        parts[1]
            .binary
            .as_ref()
            .expect("whole")
            .objc()
            .classes
            .len(),
        2
    );
}

#[test]
fn a_folder_a_pipe_and_an_empty_file_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(MappedFile::open(folder.path()).is_err());
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    assert!(MappedFile::open(&pipe).is_err());
    let empty = folder.path().join("empty");
    fs::write(&empty, b"").expect("written");
    let file = MappedFile::open(&empty).expect("it can be mapped");
    assert!(matches!(
        Binary::parse(file.bytes()),
        Err(ReadError::NotMachO)
    ));
    assert!(matches!(
        MappedFile::open(&folder.path().join("none")),
        Err(ReadError::Io { .. })
    ));
}
