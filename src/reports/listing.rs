//! Reports for people: newest first, reading only what is shown.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::file::{FileError, read_file};
use super::folders::ReportFolder;
use super::model::Report;
use super::snapshot::Snapshot;

pub mod archive_stamp;
pub mod brief;
mod candidates;
pub mod ordered;
pub mod since;
mod walk;

pub use candidates::Candidate;
use candidates::candidates;
pub(in crate::reports) use candidates::stamp_in;
pub use since::Since;
pub use walk::{Scope, Walk, look, walk};

/// What is to be listed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query {
    /// Only what happened at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// At most so many; `Some(1)` is the latest.
    pub limit: Option<usize>,
    /// Only crashes of processes and events of the GPU: no stackshots, no memory kills.
    pub crashes_only: bool,
}

/// One report of a listing.
#[derive(Debug)]
pub struct Listed {
    /// Its file.
    pub path: PathBuf,
    /// What it says.
    pub report: Report,
}

/// Reports, newest first.
#[derive(Debug, Default)]
pub struct Listing {
    /// What was asked for, each incident once.
    pub reports: Vec<Listed>,
    /// Files that could not be read, among those that had to be.
    pub unreadable: Vec<(PathBuf, FileError)>,
    /// Folders that could not be looked into, with the reason.
    pub unwatched: Vec<(PathBuf, String)>,
    /// How many report files there are in all, copies included.
    pub files: usize,
}

/// A report is written up to half a minute after its crash, and names carry the time of writing:
/// of two reports whose names lie this close, either crash may be the later one.
pub const WRITING_DELAY: TimeDelta = TimeDelta::seconds(60);

/// Lists the reports of the folders and of the archive.
///
/// Files are put in order by the time in their name, which `local` turns from the machine's local
/// time into UTC, else by their modification time. Only as many are read as the query needs, and
/// those that were written so close to the last of them that they may belong before it.
pub fn list(
    folders: &[ReportFolder],
    archive: Option<&Path>,
    query: &Query,
    local: &dyn Fn(NaiveDateTime) -> DateTime<Utc>,
) -> Listing {
    let snapshot = Snapshot::take(folders);
    let mut archived = Snapshot::default();
    if let Some(archive) = archive {
        // An archive that does not exist yet is empty, and has no `Retired` folder.
        archived = Snapshot::take(&[ReportFolder::new(archive)]);
        archived.directories.retain(|directory| !directory.retired);
    }
    let mut listing = Listing {
        unwatched: snapshot.unwatched(),
        files: snapshot.file_count() + archived.file_count(),
        ..Listing::default()
    };
    let all = candidates(&[&snapshot, &archived], query.since, local);
    read(&all, query, &mut listing);
    listing
}

fn read(all: &[Candidate], query: &Query, listing: &mut Listing) {
    let limit = query.limit.unwrap_or(usize::MAX);
    let mut incidents = HashSet::new();
    let mut last_needed: Option<DateTime<Utc>> = None;
    for candidate in all {
        if last_needed.is_some_and(|last| candidate.written < last - WRITING_DELAY) {
            break;
        }
        let report = match read_file(&candidate.path) {
            Ok(report) => report,
            Err(error) => {
                listing.unreadable.push((candidate.path.clone(), error));
                continue;
            }
        };
        if !fits(&report, candidate, query) {
            continue;
        }
        if report
            .incident()
            .is_some_and(|incident| !incidents.insert(incident.to_owned()))
        {
            continue;
        }
        listing.reports.push(Listed {
            path: candidate.path.clone(),
            report,
        });
        if listing.reports.len() == limit {
            last_needed = Some(candidate.written);
        }
    }
    // Stable: reports without a time of their own keep the order of their files.
    listing.reports.sort_by_key(|listed| {
        std::cmp::Reverse(listed.report.time().map(|time| time.timestamp_micros()))
    });
    listing.reports.truncate(limit);
}

fn fits(report: &Report, candidate: &Candidate, query: &Query) -> bool {
    let time = report
        .time()
        .map_or(candidate.written, |time| time.to_utc());
    let late_enough = query.since.is_none_or(|since| time >= since);
    let is_crash = report.is_process_crash() || report.kind.is_gpu();
    late_enough && (is_crash || !query.crashes_only)
}
