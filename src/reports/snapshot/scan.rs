//! Looking at one directory.

use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Directory, Entry, FolderState};
use crate::reports::folders::{is_pending_name, is_report_name};

/// Looks at one directory. Only files named like reports are looked at closer; on Linux and macOS
/// `DirEntry::metadata` asks relative to the open directory, which spares the path's resolution.
pub(super) fn directory(path: &Path, retired: bool) -> Directory {
    let mut found = Directory {
        path: path.to_path_buf(),
        retired,
        state: FolderState::Watched,
        files: Vec::new(),
        pending: Vec::new(),
        errors: Vec::new(),
    };
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            found.state = FolderState::Missing;
            return found;
        }
        Err(error) => {
            found.state = FolderState::Unreadable(error.to_string());
            return found;
        }
    };
    for entry in entries {
        match entry {
            Ok(entry) => add(&mut found, &entry),
            Err(error) => {
                found.state = FolderState::Unreadable(format!("listing stopped: {error}"));
                break;
            }
        }
    }
    found.files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    found
}

fn add(found: &mut Directory, entry: &DirEntry) {
    let name = entry.file_name();
    let finished = is_report_name(&name);
    if !finished && !is_pending_name(&name) {
        return;
    }
    match facts(entry) {
        Ok(Some(facts)) if finished => found.files.push(facts),
        Ok(Some(facts)) => found.pending.push(facts),
        Ok(None) => {}
        // Renamed or removed since it was listed: the next look finds it where it went.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => found.errors.push((name, error.to_string())),
    }
}

/// The facts of a regular file, or of the file a link leads to; nothing for a directory.
fn facts(entry: &DirEntry) -> io::Result<Option<Entry>> {
    let mut metadata = entry.metadata()?;
    if metadata.is_symlink() {
        metadata = fs::metadata(entry.path())?;
    }
    if metadata.is_dir() {
        return Ok(None);
    }
    Ok(Some(Entry {
        name: entry.file_name(),
        identity: (metadata.dev(), metadata.ino()),
        size: metadata.size(),
        modified: i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
    }))
}
