//! Which directories must be watched, so that no change of the folders goes by: each folder that
//! exists, the place where each missing one would appear, and every directory above them, as a
//! folder whose parent is renamed is another folder from then on and hears nothing of it itself.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What is wanted to be heard of one directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interest {
    /// Only that it is renamed or removed.
    Itself,
    /// Also its entries.
    Entries,
}

/// One directory to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// A path that led to it.
    pub path: PathBuf,
    /// Device and inode.
    pub identity: (u64, u64),
    /// What is wanted to be heard of it.
    pub interest: Interest,
}

/// The directories that tell of every change of `folders`, each once, in the order of their paths.
pub fn directories(folders: &[PathBuf]) -> Vec<Wanted> {
    let mut wanted: HashMap<(u64, u64), Wanted> = HashMap::new();
    for folder in folders {
        let mut interest = Interest::Entries;
        for path in folder.ancestors() {
            let Some(identity) = directory(path) else {
                continue;
            };
            let entry = wanted.entry(identity).or_insert_with(|| Wanted {
                path: path.to_path_buf(),
                identity,
                interest,
            });
            entry.interest = entry.interest.max(interest);
            // The one above the nearest that exists has nothing to tell but its own move.
            interest = Interest::Itself;
        }
    }
    let mut all: Vec<Wanted> = wanted.into_values().collect();
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

/// Which directory stands at a path, if there is one.
fn directory(path: &Path) -> Option<(u64, u64)> {
    // The last ancestor of a relative path is the empty one.
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let metadata = fs::metadata(path).ok()?;
    metadata.is_dir().then(|| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interest(wanted: &[Wanted], path: &Path) -> Option<Interest> {
        let identity = directory(path)?;
        let of = |wanted: &&Wanted| wanted.identity == identity;
        wanted.iter().find(of).map(|wanted| wanted.interest)
    }

    #[test]
    fn a_missing_folder_is_waited_for_where_it_would_appear() {
        let base = tempfile::tempdir().expect("a temporary folder");
        let missing = base.path().join("Logs/DiagnosticReports");
        let wanted = directories(std::slice::from_ref(&missing));
        assert_eq!(interest(&wanted, base.path()), Some(Interest::Entries));
        std::fs::create_dir_all(&missing).expect("created");
        let wanted = directories(&[missing.join("Retired"), missing.clone()]);
        assert_eq!(interest(&wanted, &missing), Some(Interest::Entries));
        let above = base.path().join("Logs");
        assert_eq!(interest(&wanted, &above), Some(Interest::Itself));
        assert_eq!(interest(&wanted, Path::new("/")), Some(Interest::Itself));
    }

    #[test]
    fn two_names_of_one_folder_are_one_watch() {
        let base = tempfile::tempdir().expect("a temporary folder");
        let link = base.path().join("link");
        std::os::unix::fs::symlink(base.path(), &link).expect("linked");
        let wanted = directories(&[base.path().to_path_buf(), link]);
        let entries = |wanted: &&Wanted| wanted.interest == Interest::Entries;
        assert_eq!(wanted.iter().filter(entries).count(), 1);
    }
}
