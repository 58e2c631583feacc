//! What the tests do to images after they were linked, and the signature's hashes after that: written from
//! mach-o/loader.h and cs_blobs.h, and independent of what is tested.
#![allow(dead_code)] // the tests of the schemas use a part of it

use sha2::{Digest, Sha256};

const UUID_COMMAND: u32 = 0x1b;
const SIGNATURE_COMMAND: u32 = 0x1d;

/// Gives an image another UUID.
pub fn set_uuid(image: &mut [u8], uuid: [u8; 16]) {
    let at = command(image, UUID_COMMAND).expect("it has a UUID");
    image[at + 8..at + 24].copy_from_slice(&uuid);
}

/// Labels an image as arm64e: `CPU_SUBTYPE_ARM64E`, with the ABI's bit.
pub fn label_as_arm64e(image: &mut [u8]) {
    image[8..12].copy_from_slice(&0x8000_0002_u32.to_le_bytes());
}

/// Where an image's signature is.
pub fn signature(image: &[u8]) -> std::ops::Range<usize> {
    let at = command(image, SIGNATURE_COMMAND).expect("it is signed");
    let start = little(image, at + 8);
    start..start + little(image, at + 12)
}

/// Computes the page hashes of the one code directory again.
pub fn sign_again(image: &mut [u8]) {
    let signature = signature(image);
    let directory = signature.start + big(image, signature.start + 16);
    assert_eq!(
        big(image, directory),
        0xfade_0c02,
        "a code directory comes first"
    );
    assert_eq!(image[directory + 37], 2, "it hashes with SHA-256");
    let (hashes, page) = (
        directory + big(image, directory + 16),
        1 << image[directory + 39],
    );
    let found: Vec<_> = image[..signature.start]
        .chunks(page)
        .map(Sha256::digest)
        .collect();
    assert_eq!(found.len(), big(image, directory + 28));
    for (number, hash) in found.iter().enumerate() {
        image[hashes + 32 * number..][..32].copy_from_slice(hash);
    }
}

fn command(image: &[u8], wanted: u32) -> Option<usize> {
    let mut at = 32;
    for _ in 0..little(image, 16) {
        if little(image, at) == wanted as usize {
            return Some(at);
        }
        at += little(image, at + 4);
    }
    None
}

fn little(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four")) as usize
}

pub fn big(bytes: &[u8], at: usize) -> usize {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four")) as usize
}

/// Makes the load commands say that the signature, which is last, has this many bytes.
pub fn set_signature_size(image: &mut [u8], size: usize) {
    let at = command(image, SIGNATURE_COMMAND).expect("it is signed");
    let start = little(image, at + 8);
    let size_field = u32::try_from(size).expect("small").to_le_bytes();
    image[at + 12..at + 16].copy_from_slice(&size_field);
    let mut segment = 32;
    while &image[segment + 8..segment + 18] != b"__LINKEDIT" {
        segment += little(image, segment + 4);
    }
    let offset = little(image, segment + 40);
    let stored = ((start + size - offset) as u64).to_le_bytes();
    image[segment + 48..segment + 56].copy_from_slice(&stored);
    let whole = ((start + size - offset).next_multiple_of(0x4000) as u64).to_le_bytes();
    image[segment + 32..segment + 40].copy_from_slice(&whole);
}

/// Whether the load commands can still be read as far as the signature, and it is in `place` with its directory first.
pub fn is_where(image: &[u8], place: &std::ops::Range<usize>) -> bool {
    let mut at = 32;
    for _ in 0..little(image, 16).min(64) {
        if at + 16 > 0x1000 {
            return false;
        }
        if little(image, at) == SIGNATURE_COMMAND as usize {
            let directory = place.start + 20;
            return little(image, at + 8) == place.start
                && little(image, at + 12) == place.len()
                && big(image, place.start + 16) == 20
                && big(image, directory) == 0xfade_0c02
                && image[directory + 37] == 2
                && image[directory + 39] == 12
                && big(image, directory + 28) == place.start.div_ceil(4096)
                && big(image, directory + 16) + place.start.div_ceil(4096) * 32
                    <= place.len() - 20;
        }
        at += little(image, at + 4);
    }
    false
}
