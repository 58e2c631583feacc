//! `crash_summary.json` made anew from the files beside it.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use chrono::{DateTime, FixedOffset};
use serde_json::{Map, Value};

use super::merge::{GONE, Merged, base_name, merge};
use super::summary::{Contents, SUMMARY_NAME, lock, read, set_aside, write};
use super::{ArchiveError, Entry};
use crate::reports::file::{FileError, read_file};
use crate::reports::folders::is_report_name;
use crate::reports::listing::ordered;

/// What making it anew did.
#[derive(Debug, Default)]
pub struct Synced {
    /// Entries of the list as it is now.
    pub listed: usize,
    /// Report files in the archive.
    pub files: usize,
    /// Entries whose file is no longer there; they are kept, marked `file_gone`.
    pub gone: usize,
    /// Entries and copies that told of a report once more.
    pub duplicates: usize,
    /// Files that could not be read; entries about them are kept as they were.
    pub unreadable: Vec<(PathBuf, FileError)>,
    /// Where a damaged summary was set aside.
    pub set_aside: Option<PathBuf>,
}

/// Makes the summary anew: what the files say, each report once, completed by what an older
/// summary knows beyond them. `progress` is told how many of how many files have been read.
///
/// Files are read before the lock is taken, so that runs which end meanwhile need not wait; what
/// they record is kept.
///
/// # Errors
/// [`ArchiveError`]; the old summary then stands unchanged.
pub fn sync(
    folder: &Path,
    threads: usize,
    now: DateTime<FixedOffset>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Synced, ArchiveError> {
    let names = report_files(folder)?;
    let mut synced = Synced {
        files: names.len(),
        ..Synced::default()
    };
    let mut entries = Vec::with_capacity(names.len());
    let mut done = 0;
    let work = |path: &PathBuf| read_file(path).map(|report| Entry::of(&report, path));
    ordered::for_each(&names, threads, work, |path, entry| {
        match entry {
            Ok(entry) => entries.push(entry),
            Err(error) => synced.unreadable.push((path.clone(), error)),
        }
        done += 1;
        progress(done, names.len());
        ControlFlow::Continue(())
    });
    let _lock = lock(folder)?;
    let path = folder.join(SUMMARY_NAME);
    let (mut summary, aside) = match read(&path)? {
        Contents::Summary(summary) => (summary, None),
        Contents::Missing => (Map::new(), None),
        Contents::Damaged => (Map::new(), Some(set_aside(&path, now)?)),
    };
    synced.set_aside = aside;
    let old = crashes_of(&mut summary);
    let exists = |name: &str| std::fs::symlink_metadata(folder.join(name)).is_ok();
    let Merged {
        crashes,
        duplicates,
        gone,
    } = merge(entries, old, &exists);
    (synced.listed, synced.duplicates, synced.gone) = (crashes.len(), duplicates, gone);
    write(folder, summary, crashes, now)?;
    Ok(synced)
}

/// Marks the entries whose file is no longer in the archive, and counts the files again. Without a
/// summary, or with a damaged one, nothing is done.
///
/// # Errors
/// [`ArchiveError`]; the old summary then stands unchanged.
pub fn note_gone(folder: &Path, now: DateTime<FixedOffset>) -> Result<(), ArchiveError> {
    let _lock = lock(folder)?;
    let Contents::Summary(mut summary) = read(&folder.join(SUMMARY_NAME))? else {
        return Ok(());
    };
    let mut crashes = crashes_of(&mut summary);
    for entry in &mut crashes {
        let Value::Object(fields) = entry else {
            continue;
        };
        let file = fields.get("file").and_then(Value::as_str).map(base_name);
        let gone = file.is_some_and(|file| std::fs::symlink_metadata(folder.join(file)).is_err());
        if gone {
            fields.insert(GONE.to_owned(), Value::Bool(true));
        }
    }
    write(folder, summary, crashes, now)
}

fn report_files(folder: &Path) -> Result<Vec<PathBuf>, ArchiveError> {
    let failed = |source| ArchiveError::Read {
        path: folder.to_path_buf(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if is_report_name(&name) {
            files.push(folder.join(name));
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn crashes_of(summary: &mut Map<String, Value>) -> Vec<Value> {
    match summary.remove("crashes") {
        Some(Value::Array(crashes)) => crashes,
        _ => Vec::new(),
    }
}
