//! Code signatures, checked as the kernel does: a hash for each page of the file.
//!
//! The layout is that of `CS_SuperBlob` and `CS_CodeDirectory` in XNU's osfmk/kern/cs_blobs.h; everything is big-endian.

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use super::cursor::{Cursor, big_endian, part};

const SUPER_BLOB: u32 = 0xfade_0cc0;
const CODE_DIRECTORY: u32 = 0xfade_0c02;
/// `CSSLOT_CODEDIRECTORY`.
const CODE_DIRECTORY_SLOT: u32 = 0;
/// `CS_ADHOC`: signed by nobody.
const AD_HOC: u32 = 2;
/// `CS_HASHTYPE_SHA256`.
const SHA_256: u8 = 2;
const SHA_256_SIZE: usize = 32;

/// An ad-hoc signature whose hashes are right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name that the code was signed under.
    pub identifier: String,
    /// How many pages have a hash.
    pub pages: usize,
    /// Bytes of the slice that are covered: all that stand before the signature.
    pub covered: usize,
}

/// Checks the signature that stands in `slice` at `offset`.
pub fn check(slice: &[u8], offset: usize, size: usize) -> Result<Signature> {
    let blob = part(slice, offset, size).context("the signature is cut off")?;
    ensure!(
        big_endian(blob, 0)? == SUPER_BLOB,
        "the signature has no super blob"
    );
    let directory = code_directory(blob)?;
    ensure!(
        big_endian(directory, 0)? == CODE_DIRECTORY,
        "the code directory is none"
    );

    let flags = big_endian(directory, 12)?;
    ensure!(
        flags & AD_HOC != 0,
        "flags {flags:#x} do not say that it is signed ad hoc"
    );
    let hashes = big_endian(directory, 16)? as usize;
    let name = big_endian(directory, 20)? as usize;
    let pages = big_endian(directory, 28)? as usize;
    let covered = big_endian(directory, 32)? as usize;
    let &[hash_size, hash_type, _, page_bits] = part(directory, 36, 4)? else {
        bail!("the code directory is cut off");
    };
    ensure!(
        usize::from(hash_size) == SHA_256_SIZE && hash_type == SHA_256,
        "hashes of type {hash_type} with {hash_size} bytes, not SHA-256"
    );
    ensure!(
        (12..=16).contains(&page_bits),
        "pages of 2^{page_bits} bytes"
    );
    // What stands behind would run unsigned; what is claimed beyond is not there.
    ensure!(
        covered == offset,
        "{covered} bytes are signed, and the signature stands at {offset}"
    );
    let page = 1usize << page_bits;
    ensure!(
        pages == covered.div_ceil(page),
        "{pages} hashes for {covered} bytes"
    );
    for (index, bytes) in slice[..covered].chunks(page).enumerate() {
        let expected = part(directory, hashes + index * SHA_256_SIZE, SHA_256_SIZE)?;
        ensure!(
            Sha256::digest(bytes).as_slice() == expected,
            "page {index}, at {:#x}, is not what was signed",
            index * page
        );
    }
    let name = directory
        .get(name..)
        .context("the identifier is not in the code directory")?;
    Ok(Signature {
        identifier: Cursor(name).string()?.to_owned(),
        pages,
        covered,
    })
}

/// The blob in the slot of the code directory.
fn code_directory(blob: &[u8]) -> Result<&[u8]> {
    for index in 0..big_endian(blob, 8)? as usize {
        let entry = 12 + 8 * index;
        if big_endian(blob, entry)? == CODE_DIRECTORY_SLOT {
            let start = big_endian(blob, entry + 4)? as usize;
            let size = big_endian(blob, start + 4)? as usize;
            return part(blob, start, size);
        }
    }
    bail!("the signature has no code directory")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: usize = 5000;

    /// Code with its signature, in which `patch` may change the code directory.
    fn signed(patch: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let code: Vec<u8> = (0..=250).cycle().take(CODE).collect();
        let mut directory = Vec::new();
        let word = |value: usize| u32::try_from(value).unwrap().to_be_bytes();
        for value in [
            CODE_DIRECTORY as usize,
            0,
            0x20400,
            AD_HOC as usize,
            48,
            44,
            0,
            2,
            CODE,
        ] {
            directory.extend(word(value));
        }
        directory.extend([32, SHA_256, 0, 12, 0, 0, 0, 0]);
        directory.extend(b"lib\0");
        for page in code.chunks(4096) {
            directory.extend(Sha256::digest(page));
        }
        let size = word(directory.len());
        directory[4..8].copy_from_slice(&size);
        patch(&mut directory);
        let mut file = code;
        for value in [SUPER_BLOB as usize, 20 + directory.len(), 1, 0, 20] {
            file.extend(word(value));
        }
        file.extend(directory);
        file
    }

    fn checked(file: &[u8]) -> Result<Signature> {
        check(file, CODE, file.len() - CODE)
    }

    #[test]
    fn a_right_signature_is_read() {
        let expected = Signature {
            identifier: "lib".to_owned(),
            pages: 2,
            covered: CODE,
        };
        assert_eq!(checked(&signed(|_| {})).unwrap(), expected);
    }

    #[test]
    fn every_byte_of_the_code_counts() {
        for place in [0, 4095, 4096, CODE - 1] {
            let mut file = signed(|_| {});
            file[place] ^= 1;
            let said = checked(&file).unwrap_err().to_string();
            assert!(said.contains("is not what was signed"), "{place}: {said}");
        }
    }

    #[test]
    fn a_directory_that_lies_is_refused() {
        type Patch = fn(&mut Vec<u8>);
        let cases: [(Patch, &str); 6] = [
            (|it| it[0] = 0, "is none"),
            (|it| it[15] = 0, "signed ad hoc"),
            (|it| it[31] = 1, "1 hashes for 5000 bytes"),
            (
                |it| it[34..36].copy_from_slice(&[0, 16]),
                "16 bytes are signed",
            ),
            (|it| it[37] = 1, "not SHA-256"),
            (|it| it[39] = 40, "pages of 2^40 bytes"),
        ];
        for (patch, expected) in cases {
            let said = checked(&signed(patch)).unwrap_err().to_string();
            assert!(said.contains(expected), "{expected}: {said}");
        }
    }

    #[test]
    fn a_signature_that_is_cut_off_is_refused() {
        let file = signed(|_| {});
        for length in CODE..file.len() {
            assert!(checked(&file[..length]).is_err(), "{length}");
        }
    }
}
