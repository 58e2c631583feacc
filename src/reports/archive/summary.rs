//! `crash_summary.json`: read, extended and replaced under a lock, so that parallel runs lose
//! nothing of one another's.

use std::cmp::Reverse;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, FixedOffset, NaiveDateTime, SecondsFormat};
use nix::fcntl::{Flock, FlockArg};
use serde_json::{Map, Value, json};

use super::copy::{sync_folder, temporary};
use super::{ArchiveError, Entry};
use crate::reports::folders::is_report_name;

/// The summary's file name in the archive folder.
pub const SUMMARY_NAME: &str = "crash_summary.json";

const LOCK_NAME: &str = ".crash_summary.lock";

/// What recording did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// How many entries were added; the others were listed already.
    pub added: usize,
    /// Where a damaged summary was set aside, to be told to the user.
    pub set_aside: Option<PathBuf>,
}

/// Adds entries to the summary of an archive folder, newest first, each incident once (each file
/// once where a report names no incident). What else stands in the file is kept.
///
/// # Errors
/// [`ArchiveError`]; the old summary then stands unchanged.
pub fn record(
    folder: &Path,
    entries: &[Entry],
    now: DateTime<FixedOffset>,
) -> Result<Recorded, ArchiveError> {
    fs::create_dir_all(folder).map_err(|source| ArchiveError::Folder {
        path: folder.to_path_buf(),
        source,
    })?;
    let _lock = lock(folder)?;
    let path = folder.join(SUMMARY_NAME);
    let mut recorded = Recorded::default();
    let mut summary = match read(&path)? {
        Contents::Summary(summary) => summary,
        Contents::Missing => Map::new(),
        Contents::Damaged => {
            recorded.set_aside = Some(set_aside(&path, now)?);
            Map::new()
        }
    };
    let mut crashes = match summary.remove("crashes") {
        Some(Value::Array(crashes)) => crashes,
        _ => Vec::new(),
    };
    for entry in entries {
        if !crashes.iter().any(|known| is_same(known, entry)) {
            crashes.push(json!(entry));
            recorded.added += 1;
        }
    }
    write(folder, summary, crashes, now)?;
    Ok(recorded)
}

/// Replaces the summary's file: these crashes, newest first.
pub(super) fn write(
    folder: &Path,
    mut summary: Map<String, Value>,
    mut crashes: Vec<Value>,
    now: DateTime<FixedOffset>,
) -> Result<(), ArchiveError> {
    // Stable, so that entries without a readable time keep their order, behind the others.
    crashes.sort_by_cached_key(|crash| Reverse(instant(crash)));
    summary.insert("crashes".to_owned(), Value::Array(crashes));
    let last_check = now.to_rfc3339_opts(SecondsFormat::Secs, false);
    summary.insert("last_check".to_owned(), Value::String(last_check));
    let total = count_reports(folder).map_err(|source| ArchiveError::Read {
        path: folder.to_path_buf(),
        source,
    })?;
    summary.insert("total_files".to_owned(), json!(total));
    let path = folder.join(SUMMARY_NAME);
    replace(folder, &path, &Value::Object(summary))
        .map_err(|source| ArchiveError::write(&path, source))
}

/// Waits for the lock. It is a file of its own, as the summary itself is replaced.
pub(super) fn lock(folder: &Path) -> Result<Flock<File>, ArchiveError> {
    let path = folder.join(LOCK_NAME);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| ArchiveError::write(&path, source))?;
    let mut file = file;
    loop {
        match Flock::lock(file, FlockArg::LockExclusive) {
            Ok(lock) => return Ok(lock),
            Err((returned, nix::errno::Errno::EINTR)) => file = returned,
            Err((_, errno)) => return Err(ArchiveError::write(&path, errno.into())),
        }
    }
}

pub(super) enum Contents {
    Summary(Map<String, Value>),
    Missing,
    Damaged,
}

pub(super) fn read(path: &Path) -> Result<Contents, ArchiveError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Contents::Missing),
        Err(source) => {
            return Err(ArchiveError::Read {
                path: path.to_path_buf(),
                source,
            });
        }
    };
    Ok(match serde_json::from_slice(&bytes) {
        // A `crashes` of another form is damage too: adding to it would lose what it holds.
        Ok(Value::Object(summary)) if summary.get("crashes").is_none_or(Value::is_array) => {
            Contents::Summary(summary)
        }
        Ok(_) | Err(_) => Contents::Damaged,
    })
}

/// Renames a damaged summary, never over another one.
pub(super) fn set_aside(path: &Path, now: DateTime<FixedOffset>) -> Result<PathBuf, ArchiveError> {
    let stamp = now.format("%Y%m%d_%H%M%S").to_string();
    let names = std::iter::once(format!("{SUMMARY_NAME}.damaged-{stamp}"))
        .chain((2..).map(|number| format!("{SUMMARY_NAME}.damaged-{stamp}-{number}")));
    for name in names {
        let aside = path.with_file_name(name);
        // A hard link fails where the name is taken; a rename would replace.
        match fs::hard_link(path, &aside) {
            Ok(()) => {
                fs::remove_file(path).map_err(|source| ArchiveError::write(path, source))?;
                return Ok(aside);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(source) => return Err(ArchiveError::write(&aside, source)),
        }
    }
    Err(ArchiveError::write(
        path,
        io::Error::from(ErrorKind::AlreadyExists),
    ))
}

fn is_same(known: &Value, entry: &Entry) -> bool {
    let text = |key| known.get(key).and_then(Value::as_str);
    match (text("incident"), entry.incident.as_deref()) {
        (Some(known), Some(incident)) => known == incident,
        _ => text("file") == Some(entry.file.as_str()),
    }
}

/// An entry's time in microseconds; published summaries write it with and without an offset.
pub(super) fn instant(crash: &Value) -> Option<i64> {
    let text = crash.get("timestamp")?.as_str()?;
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    if let Some(time) = crate::reports::time::parse(text) {
        return Some(time.timestamp_micros());
    }
    [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y%m%d_%H%M%S",
    ]
    .iter()
    .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    .map(|time| time.and_utc().timestamp_micros())
}

fn count_reports(folder: &Path) -> io::Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        count += usize::from(is_report_name(&entry?.file_name()));
    }
    Ok(count)
}

fn replace(folder: &Path, path: &Path, summary: &Value) -> io::Result<()> {
    let mut temporary = temporary(folder, ".crash_summary-")?;
    serde_json::to_writer_pretty(&mut temporary, summary)?;
    temporary.write_all(b"\n")?;
    temporary.as_file().sync_all()?;
    // What the user allowed or forbade for the old file holds for the new one.
    if let Ok(metadata) = fs::metadata(path) {
        temporary
            .as_file()
            .set_permissions(metadata.permissions())?;
    }
    temporary.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
