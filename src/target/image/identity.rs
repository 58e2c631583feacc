//! Which file it was, and what executing it does to the process's privileges.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::host;

/// A file's identity and state. Equal means: the same file, and nobody wrote to it, renamed another
/// one over it or changed its mode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds since 1970. The time of the last change to the inode; unlike that of
    /// the last write, no program can set it.
    changed: (i64, i64),
}

impl Identity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether `path` still names this file, unchanged.
    pub fn still_at(&self, path: &Path) -> io::Result<bool> {
        Ok(Identity::of(&std::fs::metadata(path)?) == *self)
    }

    /// The file's length in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

/// What in a file's metadata makes the loader distrust the environment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions {
    /// The owner whose rights the process gets, where the file is setuid.
    pub runs_as_user: Option<u32>,
    /// The group whose rights the process gets, where the file is setgid.
    pub runs_as_group: Option<u32>,
    /// Linux: the file carries capabilities.
    pub capabilities: bool,
    /// macOS: the file carries the `restricted` flag, by which System Integrity Protection marks
    /// what it protects (`ls -lO`).
    pub sip_restricted: bool,
}

impl Permissions {
    pub(super) fn of(file: &File, metadata: &Metadata) -> io::Result<Self> {
        let mode = metadata.mode();
        Ok(Permissions {
            runs_as_user: (mode & SETUID != 0).then(|| metadata.uid()),
            // Without the group's execute bit, setgid means mandatory locking, not a change of group.
            runs_as_group: (mode & SETGID != 0 && mode & GROUP_EXECUTE != 0)
                .then(|| metadata.gid()),
            capabilities: host::has_capabilities(file)?,
            sip_restricted: host::is_sip_restricted(metadata),
        })
    }
}

const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
const GROUP_EXECUTE: u32 = 0o0010;
