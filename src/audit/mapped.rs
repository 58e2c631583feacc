//! A file's contents, mapped into memory.
#![allow(unsafe_code)]

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use memmap2::Mmap;

use super::ReadError;
use crate::target::image::Unreadable;

/// A file as it is read: pages come into memory when somebody looks at them.
///
/// Somebody who shortens the file meanwhile ends the process with SIGBUS, as with every program that
/// maps files; nothing short of a copy would prevent it.
#[derive(Debug)]
pub struct MappedFile {
    map: Mmap,
}

impl MappedFile {
    /// Maps the file at `path`; links are followed.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        // Without O_NONBLOCK, opening a pipe would wait for its writer.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)
            .map_err(|source| ReadError::Io {
                operation: "open it",
                source,
            })?;
        let metadata = file.metadata().map_err(|source| ReadError::Io {
            operation: "look at its metadata",
            source,
        })?;
        if !metadata.is_file() {
            return Err(Unreadable::NotAFile.into());
        }
        // SAFETY: the mapping is private and read-only. Bytes that another process writes meanwhile
        // are only ever read as integers and as text that is checked where it is used; each place is
        // read once for each decision.
        let map = unsafe { Mmap::map(&file) }.map_err(|source| ReadError::Io {
            operation: "map it into memory",
            source,
        })?;
        Ok(MappedFile { map })
    }

    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }
}
