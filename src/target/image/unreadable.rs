//! Why a file, or a part of it, could not be read.

use std::io;

/// The reason for which nothing can be said about a file.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The system refused.
    #[error("cannot {operation}: {source}")]
    Io {
        /// What was tried, as a verb phrase.
        operation: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A part of the file could not be read.
    #[error("cannot read {what}: {source}")]
    Read {
        /// Which structure.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A folder, a pipe, a device.
    #[error("not a regular file")]
    NotAFile,
    /// A structure reaches past the end of the file, or of the part that it belongs to.
    #[error("{what} would lie at {offset} with {size} bytes, but there are only {available}")]
    Truncated {
        /// Which structure.
        what: &'static str,
        /// Where, from the start of the part that it belongs to.
        offset: u64,
        /// How many bytes.
        size: u64,
        /// How many there are.
        available: u64,
    },
    /// A structure is larger than any honest one.
    #[error("{what} has {size} bytes, more than the {limit} that are read")]
    TooLarge {
        /// Which structure.
        what: &'static str,
        /// How many bytes, or entries, it claims.
        size: u64,
        /// How many are read.
        limit: usize,
    },
    /// A structure is not what its place says it is.
    #[error("{what} is damaged: {why}")]
    Malformed {
        /// Which structure.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Two places of the file say different things, and the system might believe either.
    #[error("the file contradicts itself: {what}")]
    Contradiction {
        /// Which two.
        what: &'static str,
    },
    /// Somebody wrote to the file meanwhile.
    #[error("the file changed while it was read")]
    Changed,
}

impl Unreadable {
    /// A structure that is not what its place says it is.
    pub(super) fn malformed(what: &'static str, why: impl Into<String>) -> Self {
        Unreadable::Malformed {
            what,
            why: why.into(),
        }
    }
}
