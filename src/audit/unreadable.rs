//! Why nothing of a file, or of one of its architectures, could be read.

use std::io;

use crate::target::image::Unreadable;

/// Why there is nothing to tell of a file or of one architecture of it.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused.
    #[error("could not {operation}: {source}")]
    Io {
        /// What was attempted.
        operation: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The file's outermost structure is not what it should be.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Neither Mach-O nor a universal file of it.
    #[error("not Mach-O")]
    NotMachO,
    /// Mach-O, of a kind that has no image to be read as the loader would.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The header or the load commands are damaged.
    #[error("{what} is damaged: {why}")]
    Malformed {
        /// Which structure.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

impl ReadError {
    pub(super) fn malformed(what: &'static str, why: impl Into<String>) -> Self {
        ReadError::Malformed {
            what,
            why: why.into(),
        }
    }
}
