//! What becomes of the folders themselves.

use std::fmt;
use std::path::PathBuf;

use crate::reports::snapshot::{FolderState, Snapshot};

/// What became of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FolderChange {
    /// It does not exist, and is waited for.
    Missing,
    /// It was there, and is gone; it is waited for.
    Gone,
    /// It is there again, or for the first time.
    Back,
    /// It cannot be read, and why: reports in it are not seen.
    Unreadable(String),
    /// The system does not tell of changes in it, and why: it is looked at twice a second.
    NotNotified(String),
}

impl fmt::Display for FolderChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("does not exist; waiting for it"),
            Self::Gone => f.write_str("is gone; waiting for it"),
            Self::Back => f.write_str("is there"),
            Self::Unreadable(reason) => write!(f, "cannot be read: {reason}"),
            Self::NotNotified(reason) => write!(
                f,
                "is looked at twice a second, as the system does not tell of changes in it: {reason}"
            ),
        }
    }
}

/// What became of the folders between two looks. A `Retired` folder that is missing is none.
pub fn between(before: &Snapshot, after: &Snapshot) -> Vec<(PathBuf, FolderChange)> {
    let mut changes = Vec::new();
    for directory in &after.directories {
        let was = before
            .directory(&directory.path)
            .map(|earlier| &earlier.state);
        let change = match (was, &directory.state) {
            (Some(was), now) if was == now => continue,
            (_, FolderState::Unreadable(reason)) => FolderChange::Unreadable(reason.clone()),
            (Some(FolderState::Unreadable(_)), FolderState::Watched) => FolderChange::Back,
            _ if directory.retired => continue,
            (None, FolderState::Missing) => FolderChange::Missing,
            (Some(_), FolderState::Missing) => FolderChange::Gone,
            (Some(_), FolderState::Watched) => FolderChange::Back,
            (None, FolderState::Watched) => continue,
        };
        changes.push((directory.path.clone(), change));
    }
    changes
}
