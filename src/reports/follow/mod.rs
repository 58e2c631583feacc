//! Reports as they appear: each incident once and whole, from folders that may come and go.
//!
//! The system's notification says when to look; what is new is told by comparing two looks, as a
//! file's name says little: a report is written under a hidden name and renamed, and may be moved
//! to `Retired` 0.66 s later. A file is read when it has been at rest for a moment, the longer the
//! less its content says that it is whole; see [`rest`].

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::file::{FileError, read_bytes};
use super::folders::ReportFolder;
use super::ips;
use super::model::Report;
use super::snapshot::Snapshot;
use super::watch::{FolderWatch, Woken};

mod changes;
mod known;
mod rest;
mod tracker;

pub use changes::FolderChange;
use known::Known;
use tracker::{Moment, Read, Tracker};

/// What happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A report, whole and at rest.
    Report(Box<Followed>),
    /// A file that is named like a report and is none, or cannot be read.
    Unreadable(PathBuf, FileError),
    /// A folder that came or went, or of which the system will not tell.
    Folder(PathBuf, FolderChange),
    /// The time is over.
    TimedOut,
    /// The descriptor given has something to read.
    Called,
}

/// A report that appeared.
#[derive(Debug)]
pub struct Followed {
    /// Where it was read.
    pub path: PathBuf,
    /// What it says.
    pub report: Report,
    /// The file's bytes, of which `report` was read.
    pub bytes: Vec<u8>,
    /// Whether the incident was told before, or stood there when following began: the same crash
    /// happened again, or the file was written again.
    pub touched: bool,
}

/// Where following begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// What stands in the folders now is known.
    Now,
    /// What stands in the folders now is told first.
    Beginning,
}

/// Follows report folders and their `Retired` folders.
pub struct Follower {
    watch: FolderWatch,
    folders: Vec<ReportFolder>,
    tracker: Tracker,
    ready: VecDeque<Event>,
    /// Folders of which it was told that the system will not tell.
    unnotified: HashSet<(PathBuf, String)>,
}

impl Follower {
    /// Follows what comes from now on.
    ///
    /// # Errors
    /// Where there is no folder to follow.
    pub fn start(folders: &[ReportFolder]) -> io::Result<Self> {
        Self::start_at(folders, Start::Now)
    }

    /// Follows from a chosen beginning.
    ///
    /// # Errors
    /// Where there is no folder to follow.
    pub fn start_at(folders: &[ReportFolder], start: Start) -> io::Result<Self> {
        if folders.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "no folder to follow",
            ));
        }
        // Watched before the first look, so that nothing falls between the two.
        let watch = FolderWatch::new(folders);
        let tracker = match start {
            Start::Beginning => Tracker::new(Snapshot::default(), Known::default()),
            Start::Now => {
                let snapshot = Snapshot::take(folders);
                let (known, growing) = known::of(&snapshot, moment().wall);
                let mut tracker = Tracker::new(snapshot, known);
                tracker.expect(growing);
                tracker
            }
        };
        let mut this = Self {
            watch,
            folders: folders.to_vec(),
            tracker,
            ready: VecDeque::new(),
            unnotified: HashSet::new(),
        };
        this.look();
        Ok(this)
    }

    /// The next event; [`Event::TimedOut`] where none came in time.
    pub fn next(&mut self, timeout: Option<Duration>) -> Event {
        self.next_or(timeout, None)
    }

    /// The next event; [`Event::Called`] as soon as `wake` has something to read.
    pub fn next_or(&mut self, timeout: Option<Duration>, wake: Option<BorrowedFd<'_>>) -> Event {
        let end = timeout.map(|timeout| Instant::now() + timeout);
        loop {
            if let Some(event) = self.ready.pop_front() {
                return event;
            }
            let now = Instant::now();
            let left = end.map(|end| end.saturating_duration_since(now));
            let due = self.tracker.due(moment());
            let limit = match (left, due) {
                (Some(left), Some(due)) => Some(left.min(due)),
                (left, due) => left.or(due),
            };
            match self.watch.wait_or(limit, wake) {
                Woken::Called => return Event::Called,
                Woken::Changed => self.look(),
                Woken::Limit | Woken::Again => {
                    if due.is_some_and(|due| now.elapsed() >= due) {
                        self.look();
                    }
                }
            }
            if self.ready.is_empty() && end.is_some_and(|end| Instant::now() >= end) {
                return Event::TimedOut;
            }
        }
    }

    fn look(&mut self) {
        let snapshot = Snapshot::take(&self.folders);
        let events = self.tracker.look(snapshot, moment(), &mut read);
        self.ready.extend(events);
        let unnotified: HashSet<_> = self.watch.unnotified().into_iter().collect();
        for (path, reason) in unnotified.difference(&self.unnotified) {
            let change = FolderChange::NotNotified(reason.clone());
            self.ready.push_back(Event::Folder(path.clone(), change));
        }
        self.unnotified = unnotified;
    }
}

/// This moment by both clocks: times of files can only be compared with the one that is set.
fn moment() -> Moment {
    let wall = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| i128::try_from(since.as_nanos()).unwrap_or(0));
    Moment {
        steady: Instant::now(),
        wall,
    }
}

fn read(path: &Path) -> Result<Read, FileError> {
    let bytes = read_bytes(path)?;
    let report = ips::read(&bytes).map_err(|source| FileError::Unreadable {
        path: path.to_path_buf(),
        source,
    })?;
    Ok(Read { bytes, report })
}

/// What a file was when it was last looked at.
type Stamp = ((u64, u64), u64, i128);

/// Stamps of every finished report of a snapshot.
fn stamps(snapshot: &Snapshot) -> HashMap<PathBuf, Stamp> {
    let mut all = HashMap::with_capacity(snapshot.file_count());
    for directory in &snapshot.directories {
        for entry in &directory.files {
            let stamp = (entry.identity, entry.size, entry.modified);
            all.insert(directory.path.join(&entry.name), stamp);
        }
    }
    all
}

#[cfg(test)]
mod tests;
