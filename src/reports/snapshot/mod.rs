//! What stands in the report folders at one moment, and what changed between two moments.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::folders::ReportFolder;

mod diff;
mod incidents;
mod scan;
mod stored;

pub use diff::{Change, diff};
pub use incidents::{NewReports, distinct};
pub use stored::{SCHEMA as STORED_SCHEMA, Stored};

/// What stood in the report folders at one moment. Nothing is opened to take one.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Every folder, and every `Retired` folder, in the order given.
    pub directories: Vec<Directory>,
}

/// One directory of a snapshot.
#[derive(Debug, Clone)]
pub struct Directory {
    /// Where.
    pub path: PathBuf,
    /// Whether this is a `Retired` folder: missing is its normal state.
    pub retired: bool,
    /// Whether it could be read.
    pub state: FolderState,
    /// Finished reports, sorted by name.
    pub files: Vec<Entry>,
    /// Reports still being written: hidden files that will be renamed.
    pub pending: Vec<Entry>,
    /// Files that are named like reports and could not be looked at, with the reason.
    pub errors: Vec<(OsString, String)>,
}

/// Whether a directory is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FolderState {
    /// Its files are known.
    Watched,
    /// It does not exist. Once it does, everything in it is new.
    Missing,
    /// It exists and cannot be read: "cannot watch" is never "no crash".
    Unreadable(String),
}

/// One file of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// File name, without the directory.
    pub name: OsString,
    /// Device and inode: which file it is, whatever its name.
    pub identity: (u64, u64),
    /// Size, in bytes.
    pub size: u64,
    /// Modification time, nanoseconds since 1970.
    pub modified: i128,
}

impl Snapshot {
    /// Looks at every folder and the `Retired` folder below it; a folder named twice, once.
    pub fn take(folders: &[ReportFolder]) -> Self {
        let mut directories: Vec<Directory> = Vec::with_capacity(2 * folders.len());
        for folder in folders {
            for (path, retired) in [(folder.path.clone(), false), (folder.retired(), true)] {
                if !directories.iter().any(|known| known.path == path) {
                    directories.push(scan::directory(&path, retired));
                }
            }
        }
        Self { directories }
    }

    /// How many finished reports stand in it.
    pub fn file_count(&self) -> usize {
        self.directories
            .iter()
            .map(|directory| directory.files.len())
            .sum()
    }

    /// The path of every finished report.
    pub fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.directories.iter().flat_map(|directory| {
            directory
                .files
                .iter()
                .map(|entry| directory.path.join(&entry.name))
        })
    }

    /// Reports still being written: path and modification time. A caller that waits for a report
    /// waits for these to be renamed.
    pub fn pending(&self) -> impl Iterator<Item = (PathBuf, i128)> {
        self.directories.iter().flat_map(|directory| {
            let path = |entry: &Entry| (directory.path.join(&entry.name), entry.modified);
            directory.pending.iter().map(path)
        })
    }

    /// What was not watched, or not wholly: path and reason. A missing `Retired` folder is left
    /// out, a missing folder is not.
    pub fn unwatched(&self) -> Vec<(PathBuf, String)> {
        let mut all = Vec::new();
        for directory in &self.directories {
            match &directory.state {
                FolderState::Watched => {}
                FolderState::Missing if directory.retired => {}
                FolderState::Missing => {
                    all.push((directory.path.clone(), "does not exist".to_owned()));
                }
                FolderState::Unreadable(reason) => {
                    all.push((directory.path.clone(), reason.clone()));
                }
            }
            for (name, reason) in &directory.errors {
                all.push((directory.path.join(name), reason.clone()));
            }
        }
        all
    }

    /// The directory at a path, if it is one of those looked at.
    pub fn directory(&self, path: &Path) -> Option<&Directory> {
        self.directories
            .iter()
            .find(|directory| directory.path == path)
    }
}

impl Directory {
    /// The finished report of that name.
    pub fn entry(&self, name: &OsStr) -> Option<&Entry> {
        let index = self
            .files
            .binary_search_by(|entry| entry.name.as_os_str().cmp(name))
            .ok()?;
        self.files.get(index)
    }
}
