//! What changed between two snapshots.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use super::{Directory, Entry, Snapshot};

/// One change. Removed files are none: the system removes old reports by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A report that did not stand in any watched folder before.
    New {
        /// Where it is now.
        path: PathBuf,
    },
    /// A known report with another time, size or content: the same crash happened again, or the
    /// file was replaced. Its capture time tells which run it belongs to.
    Touched {
        /// Where it is now.
        path: PathBuf,
    },
    /// A known report under another path, most often in `Retired`.
    Moved {
        /// Where it was.
        from: PathBuf,
        /// Where it is now.
        to: PathBuf,
    },
}

impl Change {
    /// Where the report is now.
    pub fn path(&self) -> &PathBuf {
        match self {
            Self::New { path } | Self::Touched { path } | Self::Moved { to: path, .. } => path,
        }
    }
}

/// What changed between two snapshots of the same folders, in the order of the later one.
pub fn diff(before: &Snapshot, after: &Snapshot) -> Vec<Change> {
    let known = LazyCell::new(|| Known::of(before));
    let mut changes = Vec::new();
    for directory in &after.directories {
        let earlier = before.directory(&directory.path);
        for entry in &directory.files {
            let path = || directory.path.join(&entry.name);
            if let Some(was) = earlier.and_then(|earlier| earlier.entry(&entry.name)) {
                if was != entry {
                    changes.push(Change::Touched { path: path() });
                }
            } else if let Some(change) = known.elsewhere(entry, after) {
                match change {
                    Elsewhere::Moved(from) => changes.push(Change::Moved { from, to: path() }),
                    Elsewhere::Touched => changes.push(Change::Touched { path: path() }),
                }
            } else {
                changes.push(Change::New { path: path() });
            }
        }
    }
    changes
}

enum Elsewhere {
    Moved(PathBuf),
    Touched,
}

/// The earlier snapshot, by file and by name.
struct Known<'a> {
    by_identity: HashMap<(u64, u64), (&'a Directory, &'a Entry)>,
    by_name: HashMap<&'a OsStr, Vec<(&'a Directory, &'a Entry)>>,
}

impl<'a> Known<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let mut known = Self {
            by_identity: HashMap::new(),
            by_name: HashMap::new(),
        };
        for directory in &snapshot.directories {
            for entry in &directory.files {
                known.by_identity.insert(entry.identity, (directory, entry));
                known
                    .by_name
                    .entry(&entry.name)
                    .or_default()
                    .push((directory, entry));
            }
        }
        known
    }

    /// Whether a file under a path that was not there before is a known one. An inode alone says
    /// little, as file systems give that of a removed file to the next one: its time and size or
    /// its name must agree too.
    fn elsewhere(&self, entry: &Entry, after: &Snapshot) -> Option<Elsewhere> {
        if let Some((directory, was)) = self.by_identity.get(&entry.identity) {
            if was.size == entry.size && was.modified == entry.modified {
                return Some(Elsewhere::Moved(directory.path.join(&was.name)));
            }
            if was.name == entry.name {
                return Some(Elsewhere::Touched);
            }
        }
        // A move across volumes is a copy and a removal: same name and size, and the old one gone.
        let (directory, _) =
            self.by_name
                .get(entry.name.as_os_str())?
                .iter()
                .find(|(directory, was)| {
                    let gone = after
                        .directory(&directory.path)
                        .is_none_or(|now| now.entry(&was.name).is_none());
                    was.size == entry.size && gone
                })?;
        Some(Elsewhere::Moved(directory.path.join(&entry.name)))
    }
}
