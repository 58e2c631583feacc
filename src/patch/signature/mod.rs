//! The embedded signature of one architecture's image: checking its hashes, and renewing it ad hoc.
//!
//! Layouts and numbers are those of xnu's `osfmk/kern/cs_blobs.h`; all of it is big-endian. A
//! signature is a table of blobs by slot: a code directory with the hash of every page and of the
//! other blobs, requirements, entitlements, and the CMS signature by which a certificate vouches for
//! the directory. Changed code needs new hashes, which no certificate vouches for any more: what is
//! written here is ad hoc.

mod blobs;
mod directory;
mod renew;
mod verify;

use std::ops::Range;

use crate::audit::{Binary, FileType};

pub use renew::{Renewed, renew};
pub use verify::{CheckedDirectory, CheckedSlot, SlotState, Verified, verify};

/// Where an image has what its signature speaks of; offsets are from the image's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The bytes that `LC_CODE_SIGNATURE` names.
    pub signature: Range<usize>,
    /// The part of the file that is `__TEXT`.
    pub text: Range<u64>,
    /// Whether it is a program.
    pub program: bool,
}

impl Place {
    /// Where `binary` has it.
    pub fn of(binary: &Binary<'_>) -> Result<Self, SignatureError> {
        let (offset, size) = binary.signature().ok_or(SignatureError::Unsigned)?;
        let (start, end) = (offset as usize, offset as usize + size as usize);
        if end > binary.bytes().len() {
            return Err(SignatureError::damaged(
                "the load command's range",
                "it reaches past the image's end",
            ));
        }
        let text = binary.segments().iter().find(|part| part.name == "__TEXT");
        let text = text.ok_or(SignatureError::NoText)?;
        Ok(Place {
            signature: start..end,
            text: text.offset..text.offset.saturating_add(text.stored),
            program: binary.file_type() == FileType::Executable,
        })
    }
}

/// Why a signature cannot be read, or not be renewed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is none.
    #[error(
        "it is not signed, and arm64 code without a signature is not loaded (hint: sign the original with `codesign -s -`, if it is yours)"
    )]
    Unsigned,
    /// The image has no `__TEXT`.
    #[error("it has no segment `__TEXT`, whose place a signature names")]
    NoText,
    /// A structure is damaged.
    #[error("its signature is damaged: {what}: {why}")]
    Damaged {
        /// Which structure.
        what: &'static str,
        /// What is the matter with it.
        why: String,
    },
    /// A feature that is not understood, so that it could not be carried over.
    #[error("its signature has what is not understood: {0}")]
    Unknown(String),
    /// Hashes that do not fit what they are of: the image is not as it was signed.
    #[error("it is not what was signed: {0} (hint: take an unchanged copy)")]
    Broken(String),
    /// The new signature is longer than the old one.
    #[error("the new signature needs {needed} bytes, and the old one leaves room for {room}")]
    NoRoom {
        /// Bytes of the new one.
        needed: usize,
        /// Bytes that the load command names.
        room: usize,
    },
}

impl SignatureError {
    pub(super) fn damaged(what: &'static str, why: impl Into<String>) -> Self {
        SignatureError::Damaged {
            what,
            why: why.into(),
        }
    }
}

/// A hash by which a code directory goes (`CS_HASHTYPE_...`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hash {
    /// SHA-1: of systems before 10.11.
    Sha1,
    /// SHA-256, of which 20 bytes are kept.
    Sha256Truncated,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
}

impl Hash {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Hash::Sha1 => "SHA-1",
            Hash::Sha256Truncated => "truncated SHA-256",
            Hash::Sha256 => "SHA-256",
            Hash::Sha384 => "SHA-384",
        }
    }
}
