//! The nine edits that were published for one build: AGXMetalG16X 329.2 of macOS 15.7.3 (24G419).
//!
//! The published description gives the old words, what each path does afterwards, and where the
//! branch leads; the new words follow from these, and a test derives them. The ninth, in the place of
//! the store, has nothing left to do.

use sha2::{Digest, Sha256};

use super::Edit;
use crate::audit::arm64::Register;

/// The build's UUID.
pub const UUID: [u8; 16] = [
    0x0c, 0xe4, 0x53, 0xff, 0x9f, 0x17, 0x32, 0x1f, 0xbc, 0x18, 0x38, 0x35, 0x73, 0xa4, 0x82, 0x21,
];

/// Address, old word, new word.
pub const EDITS: [Edit; 9] = [
    edit(0x2b_e05c, 0x5400_0108, 0x5400_0128), // b.hi 0x2be07c -> 0x2be080
    edit(0x2b_e070, 0x8b15_0320, 0xf838_6a7f), // str xzr, [x19, x24]
    edit(0x2b_e074, 0x9410_5a5c, 0x8b15_0320), // add x0, x25, x21
    edit(0x2b_e078, 0x1400_0005, 0x9410_5a5b), // bl unlock
    edit(0x2b_e07c, 0x8b15_0320, 0x1400_0005), // b 0x2be090, the epilogue
    edit(0x2b_e080, 0x9410_5a59, 0xf838_6a7f), // path 2: str xzr, [x19, x24]
    edit(0x2b_e084, 0xaa14_03e0, 0x8b15_0320), // add x0, x25, x21
    edit(0x2b_e088, 0x9410_598f, 0x9410_5a57), // bl unlock; nothing frees x20
    edit(0x2b_e08c, 0xf838_6a7f, 0xd503_201f), // nop
];

/// The epilogue of the build's `destroyImpl`.
pub const EPILOGUE: u64 = 0x2b_e090;
/// The build's stub of the function that unlocks.
pub const UNLOCK: u64 = 0x6d_49e4;
/// The build's stub of `free`.
pub const FREE: u64 = 0x6d_46c4;
/// The register that has what `_impl` held.
pub const POINTER: Register = 20;

const fn edit(address: u64, old: u32, new: u32) -> Edit {
    Edit { address, old, new }
}

/// What the published sums say of a whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// Which form of the file it is.
    pub form: &'static str,
    /// The original's SHA-256.
    pub original: &'static str,
    /// That of the same with the nine edits, not signed again.
    pub patched: &'static str,
}

/// The published sums.
pub const SUMS: [Sums; 2] = [
    Sums {
        form: "universal",
        original: "fbd62445e186aeee071e65a4baf6a6da5947ca73a0cd65a9f53a6c269f32d345",
        patched: "3b6813011e481cea46dd2942b966bdc48712d9adcd1a1b836f6710ecb1c3fb0d",
    },
    Sums {
        form: "arm64e only",
        original: "3f9c4e77f09ed624dbfe288a25f3bb717c067b5fd44e09994938fec496bf6601",
        patched: "db8c76d46bb6d6053055b2cb26ffffba6e8d5874af45906122b3b0d819734409",
    },
];

/// The published sums of the file that `bytes` are, where it is a published original.
pub fn sums_of(bytes: &[u8]) -> Option<&'static Sums> {
    let sum = sum(bytes);
    SUMS.iter().find(|sums| sums.original == sum)
}

/// SHA-256 in hexadecimal digits.
pub fn sum(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::super::encode;
    use super::*;

    #[test]
    fn the_new_words_are_what_the_description_says() {
        let store = EDITS[8].old;
        let argument = EDITS[1].old;
        let path_2 = 0x2b_e080;
        let words = [
            encode::retarget(EDITS[0].old, EDITS[0].address, path_2),
            Ok(store),
            Ok(argument),
            encode::call(0x2b_e078, UNLOCK),
            encode::branch(0x2b_e07c, EPILOGUE),
            Ok(store),
            Ok(argument),
            encode::call(0x2b_e088, UNLOCK),
            Ok(encode::NOP),
        ];
        for (edit, word) in EDITS.iter().zip(words) {
            assert_eq!(Ok(edit.new), word, "{:#x}", edit.address);
        }
    }

    #[test]
    fn the_old_words_are_the_published_bytes() {
        let bytes: Vec<[u8; 4]> = EDITS.iter().map(|edit| edit.old.to_le_bytes()).collect();
        assert_eq!(bytes[0], [0x08, 0x01, 0x00, 0x54]);
        assert_eq!(bytes[2], [0x5c, 0x5a, 0x10, 0x94]);
        assert_eq!(bytes[7], [0x8f, 0x59, 0x10, 0x94]);
        assert_eq!(bytes[8], [0x7f, 0x6a, 0x38, 0xf8]);
    }
}
