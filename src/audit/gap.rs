//! What could not be read, where, and why.

use std::fmt;

/// Something in a file that could not be read while the rest could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Which structure, such as `a method list`.
    pub what: &'static str,
    /// Where it stands.
    pub place: Place,
    /// What is the matter with it.
    pub why: Why,
}

impl fmt::Display for Gap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at {}: {}", self.what, self.place, self.why)
    }
}

/// Where a gap is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// An address of the image, before it is slid.
    Address(u64),
    /// Bytes from the start of the architecture's part of the file.
    Offset(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Address(address) => write!(formatter, "{address:#x}"),
            Place::Offset(offset) => write!(formatter, "file offset {offset:#x}"),
        }
    }
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// No segment has the address.
    #[error("no segment has the address {0:#x}")]
    Unmapped(u64),
    /// The address is in a part of a segment that is filled with zeros when it is loaded.
    #[error("the file stores nothing for the address {0:#x}")]
    NotStored(u64),
    /// The bytes are encrypted in the file (FairPlay).
    #[error("the file stores {0:#x} encrypted")]
    Encrypted(u64),
    /// It reaches past the end of what holds it.
    #[error("it would need {needed} bytes, but there are only {available}")]
    Truncated {
        /// How many bytes.
        needed: u64,
        /// How many there are.
        available: u64,
    },
    /// A list claims more entries than there is room for.
    #[error("it claims {claimed} entries, but there is room for {room} only")]
    TooMany {
        /// How many it claims.
        claimed: u64,
        /// How many fit.
        room: u64,
    },
    /// A list's entries are shorter than their own fields.
    #[error("its entries have {0} bytes, which is too few for their fields")]
    EntrySize(u64),
    /// A text does not end within its section, or within the longest that is read.
    #[error("the text at {0:#x} does not end")]
    Endless(u64),
    /// A text is not UTF-8.
    #[error("the text at {0:#x} is not UTF-8")]
    NotUtf8(u64),
    /// A number stands where a pointer should, and the loader would leave it as it is.
    #[error("{0:#x} is not a pointer that the loader would adjust")]
    NotAPointer(u64),
    /// A pointer is null where it must not be.
    #[error("the pointer at {0:#x} is null")]
    Null(u64),
    /// A pointer leads to another image where only this one's would do.
    #[error("it is in another image, as `{0}`")]
    Imported(String),
    /// A pointer names an import that the table does not have.
    #[error("it names the import {ordinal}, but there are only {count}")]
    NoSuchImport {
        /// Which one, from 0.
        ordinal: u32,
        /// How many there are.
        count: u32,
    },
    /// Pointers of this format are not read.
    #[error("its pointers have the format {number} ({meaning})")]
    PointerFormat {
        /// `DYLD_CHAINED_PTR_...`.
        number: u16,
        /// What the format is for.
        meaning: &'static str,
    },
    /// The structure has a version or a format that is not known.
    #[error("its format {0} is not known")]
    Format(u32),
    /// A chain, a list or a tree comes back to where it has been.
    #[error("it was reached twice")]
    Twice,
    /// A chain leaves the page that it belongs to.
    #[error("its chain leaves the page")]
    LeavesPage,
    /// A stream of opcodes has one that is not known, or one that makes no sense where it is.
    #[error("the opcode {0:#04x} is not known or makes no sense there")]
    Opcode(u8),
    /// A variable-length number does not end, or is too large.
    #[error("a number does not end")]
    Number,
    /// The selector's name stands in the shared cache, which is not at hand.
    #[error("its selector is in the shared cache: the image is not self-contained")]
    SharedCacheSelector,
    /// The file's own structures would need more work than a file of its size can be worth.
    #[error("the file leads to more work than its size explains; nothing beyond it was read")]
    TooMuchWork,
    /// Two statements of the file contradict each other.
    #[error("{0}")]
    Contradiction(&'static str),
    /// A load command could not be understood.
    #[error("{0}")]
    Damaged(String),
}

/// The gaps of one reading. The first ones are kept, the rest is counted: a hostile file could have
/// one for every few bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps {
    kept: Vec<Gap>,
    unkept: u64,
}

impl Gaps {
    /// The gaps that were kept, in the order in which they were found.
    pub fn kept(&self) -> &[Gap] {
        &self.kept
    }

    /// How many there were, with those that were not kept.
    pub fn count(&self) -> u64 {
        self.kept.len() as u64 + self.unkept
    }

    /// Whether everything could be read.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub(super) fn at(&mut self, what: &'static str, address: u64, why: Why) {
        self.push(what, Place::Address(address), why);
    }

    pub(super) fn in_file(&mut self, what: &'static str, offset: u64, why: Why) {
        self.push(what, Place::Offset(offset), why);
    }

    fn push(&mut self, what: &'static str, place: Place, why: Why) {
        if self.kept.len() < MOST_KEPT {
            self.kept.push(Gap { what, place, why });
        } else {
            self.unkept += 1;
        }
    }
}

const MOST_KEPT: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_past_the_limit_are_counted_and_not_kept() {
        let mut gaps = Gaps::default();
        for address in 0..1500 {
            gaps.at("a thing", address, Why::Twice);
        }
        assert_eq!(gaps.kept().len(), 1000);
        assert_eq!(gaps.count(), 1500);
        assert_eq!(
            gaps.kept()[0].to_string(),
            "a thing at 0x0: it was reached twice"
        );
    }
}
