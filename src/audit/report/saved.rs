//! Audits in files.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::model::{Audit, SCHEMA};

/// The most that is read of a saved audit, in bytes: a driver's has one megabyte.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Why a saved audit cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// The system refused.
    #[error("could not be read: {0}")]
    Io(#[from] io::Error),
    /// Not a file.
    #[error("is not a regular file")]
    NotAFile,
    /// Longer than any.
    #[error("is too large for an audit")]
    TooLarge,
    /// No audit.
    #[error("is no audit that agxrun wrote: {0} (hint: `agxrun audit --output FILE` writes one)")]
    NotAnAudit(serde_json::Error),
    /// Of another version of the layout.
    #[error("has the layout {0}, but this agxrun reads {SCHEMA} (hint: make it again)")]
    Schema(u32),
}

impl Audit {
    /// The audit as JSON.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// An audit from its JSON.
    pub fn from_json(text: &[u8]) -> Result<Self, SavedError> {
        #[derive(serde::Deserialize)]
        struct Head {
            schema: u32,
        }
        let head: Head = serde_json::from_slice(text).map_err(SavedError::NotAnAudit)?;
        if head.schema != SCHEMA {
            return Err(SavedError::Schema(head.schema));
        }
        serde_json::from_slice(text).map_err(SavedError::NotAnAudit)
    }

    /// An audit from its file.
    pub fn read(path: &Path) -> Result<Self, SavedError> {
        // Without O_NONBLOCK, opening a pipe would wait for its writer.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)?;
        if !file.metadata()?.is_file() {
            return Err(SavedError::NotAFile);
        }
        let mut text = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut text)?;
        if text.len() as u64 > LARGEST {
            return Err(SavedError::TooLarge);
        }
        Self::from_json(&text)
    }
}
