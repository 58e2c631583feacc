//! A snapshot as a file: what stood in the folders at one moment, to be compared with later.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Directory, Entry, FolderState, Snapshot};

/// The version of the file's layout.
pub const SCHEMA: u32 = 1;

/// A snapshot and when it was taken.
#[derive(Debug, Serialize, Deserialize)]
pub struct Stored {
    /// Version of this layout.
    pub schema: u32,
    /// Which program's snapshot it is; tells the file apart from other JSON.
    pub agxrun_snapshot: String,
    /// When it was taken.
    pub taken: DateTime<Utc>,
    directories: Vec<StoredDirectory>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredDirectory {
    path: Name,
    retired: bool,
    /// Why it could not be read; absent for one that could, or that was missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    missing: bool,
    files: Vec<StoredEntry>,
}

/// One file; times in nanoseconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
struct StoredEntry {
    name: Name,
    device: u64,
    inode: u64,
    size: u64,
    modified: i64,
}

/// A name is text, or bytes where it is none.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Bytes(Vec<u8>),
}

impl Name {
    fn of(name: &std::ffi::OsStr) -> Self {
        match name.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes(name.as_bytes().to_owned()),
        }
    }

    fn into_name(self) -> OsString {
        match self {
            Self::Text(text) => OsString::from(text),
            Self::Bytes(bytes) => OsString::from_vec(bytes),
        }
    }
}

impl Stored {
    /// A snapshot in the form of the file. Reports that were still being written are not part of
    /// it: once finished they are new.
    pub fn of(snapshot: &Snapshot, taken: DateTime<Utc>) -> Self {
        let entry = |entry: &Entry| StoredEntry {
            name: Name::of(&entry.name),
            device: entry.identity.0,
            inode: entry.identity.1,
            size: entry.size,
            modified: bounded(entry.modified),
        };
        let directory = |directory: &Directory| StoredDirectory {
            path: Name::of(directory.path.as_os_str()),
            retired: directory.retired,
            unreadable: match &directory.state {
                FolderState::Unreadable(reason) => Some(reason.clone()),
                FolderState::Watched | FolderState::Missing => None,
            },
            missing: directory.state == FolderState::Missing,
            files: directory.files.iter().map(entry).collect(),
        };
        Self {
            schema: SCHEMA,
            agxrun_snapshot: env!("CARGO_PKG_VERSION").to_owned(),
            taken,
            directories: snapshot.directories.iter().map(directory).collect(),
        }
    }

    /// The snapshot.
    pub fn into_snapshot(self) -> Snapshot {
        let entry = |entry: StoredEntry| Entry {
            name: entry.name.into_name(),
            identity: (entry.device, entry.inode),
            size: entry.size,
            modified: entry.modified.into(),
        };
        let directory = |directory: StoredDirectory| {
            let mut files: Vec<Entry> = directory.files.into_iter().map(entry).collect();
            // Looked up by halving, and the file may have been edited.
            files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
            Directory {
                path: PathBuf::from(directory.path.into_name()),
                retired: directory.retired,
                state: match (directory.unreadable, directory.missing) {
                    (Some(reason), _) => FolderState::Unreadable(reason),
                    (None, true) => FolderState::Missing,
                    (None, false) => FolderState::Watched,
                },
                files,
                pending: Vec::new(),
                errors: Vec::new(),
            }
        };
        Snapshot {
            directories: self.directories.into_iter().map(directory).collect(),
        }
    }

    /// Whether a directory could be read when it was taken. Of another one every file seems new.
    pub fn knows(snapshot: &Snapshot, path: &Path) -> bool {
        snapshot
            .directory(path)
            .is_some_and(|known| !matches!(known.state, FolderState::Unreadable(_)))
    }
}

/// Nanoseconds fit until the year 2262.
fn bounded(nanoseconds: i128) -> i64 {
    let clamped = nanoseconds.clamp(i64::MIN.into(), i64::MAX.into());
    i64::try_from(clamped).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::folders::ReportFolder;
    use crate::reports::snapshot::diff;

    #[test]
    fn what_is_stored_is_what_was_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let odd = OsString::from_vec(b"odd-\xff.ips".to_vec());
        for name in [&OsString::from("a.ips"), &odd] {
            std::fs::write(folder.path().join(name), "x").expect("written");
        }
        let gone = folder.path().join("gone");
        let folders = [ReportFolder::new(folder.path()), ReportFolder::new(gone)];
        let snapshot = Snapshot::take(&folders);
        let text = serde_json::to_string(&Stored::of(&snapshot, Utc::now())).expect("JSON");
        let stored: Stored = serde_json::from_str(&text).expect("its own form");
        let again = stored.into_snapshot();
        assert_eq!(again.file_count(), 2);
        assert_eq!(diff(&again, &Snapshot::take(&folders)), []);
        std::fs::write(folder.path().join("b.ips"), "y").expect("written");
        assert_eq!(diff(&again, &Snapshot::take(&folders)).len(), 1);
        assert!(Stored::knows(&again, folder.path()));
        assert!(!Stored::knows(&again, Path::new("/elsewhere")));
    }
}
