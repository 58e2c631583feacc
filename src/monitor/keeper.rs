//! Copies reports into the archive. What cannot be copied now is kept in mind and tried again.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::Local;

use super::kept::Copies;
use crate::reports::archive::{self, ArchiveError, Archived, Entry, Recorded, Store};
use crate::reports::file::{FileError, read_bytes};
use crate::reports::model::Report;

/// How much of reports that wait is held in memory, in bytes: those are not lost when the system
/// removes its own files. Of more only the names are kept.
const HELD: usize = 64 * 1024 * 1024;

/// The first wait before another attempt, and the longest: each is twice the one before. Nothing
/// tells that a disk has room again.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// A report to be kept.
#[derive(Debug)]
pub struct Arrival {
    /// Where it lies.
    pub path: PathBuf,
    /// Its bytes; `None` where they are to be read again.
    pub bytes: Option<Vec<u8>>,
    /// What the summary will say of it; `None` for what could not be read as a report.
    pub entry: Option<Box<Entry>>,
}

impl Arrival {
    /// A report.
    pub fn of(path: PathBuf, report: &Report, bytes: Vec<u8>) -> Self {
        // Under its own name until it has one in the archive.
        let entry = Some(Box::new(Entry::of(report, &path)));
        Self {
            path,
            bytes: Some(bytes),
            entry,
        }
    }
}

/// What became of a report.
#[derive(Debug)]
pub enum Outcome {
    /// Copied, as this file.
    Copied(PathBuf),
    /// In the archive already, as this file.
    Already(PathBuf),
    /// It is tried again.
    Waits(ArchiveError),
    /// It is gone, and no copy was made.
    Lost(FileError),
}

/// An archive that is being filled.
pub struct Keeper {
    archive: PathBuf,
    store: Option<Store>,
    copies: Copies,
    waiting: VecDeque<Arrival>,
    held: usize,
    /// For the summary.
    entries: Vec<Entry>,
    next: Option<Instant>,
    wait: Duration,
}

impl Keeper {
    /// Opens an archive. With it the files of it that cannot be read.
    pub fn open(archive: &Path) -> (Self, Vec<FileError>) {
        let (copies, unreadable) = Copies::of(archive);
        let keeper = Self {
            archive: archive.to_path_buf(),
            store: None,
            copies,
            waiting: VecDeque::new(),
            held: 0,
            entries: Vec::new(),
            next: None,
            wait: FIRST_WAIT,
        };
        (keeper, unreadable)
    }

    /// How many reports wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How long until something is to be tried again.
    pub fn due(&self) -> Option<Duration> {
        self.next
            .map(|next| next.saturating_duration_since(Instant::now()))
    }

    /// Whether the summary does not have all copies yet, and may be written now.
    pub fn has_entries(&self) -> bool {
        !self.entries.is_empty() && self.next.is_none()
    }

    /// Keeps a report.
    pub fn keep(&mut self, arrival: Arrival) -> Outcome {
        // In the order in which they came; the archive is tried when its time has come.
        if !self.waiting.is_empty()
            && let Some(bytes) = &arrival.bytes
            && self.held + bytes.len() > HELD
        {
            return self.put_off(
                arrival,
                ArchiveError::Write {
                    path: self.archive.clone(),
                    source: io::Error::other("others are waiting for it"),
                },
            );
        }
        let outcome = self.attempt(arrival);
        if matches!(outcome, Outcome::Waits(_)) && self.next.is_none() {
            self.next = Some(Instant::now() + self.wait);
        }
        outcome
    }

    /// Tries those again that wait, until one has to wait on. The outcome of each that was tried,
    /// with its path.
    pub fn retry(&mut self) -> Vec<(PathBuf, Outcome)> {
        let mut outcomes = Vec::new();
        self.next = None;
        if self.waiting.is_empty() {
            // It is the summary that waits.
            return outcomes;
        }
        for _ in 0..self.waiting.len() {
            let Some(arrival) = self.waiting.pop_front() else {
                break;
            };
            self.held -= arrival.bytes.as_ref().map_or(0, Vec::len);
            let path = arrival.path.clone();
            let outcome = self.attempt(arrival);
            let waits = matches!(outcome, Outcome::Waits(_));
            outcomes.push((path, outcome));
            if waits {
                // It went to the end of the queue, and belongs to its beginning.
                self.waiting.rotate_right(1);
                break;
            }
        }
        self.after_attempt(self.waiting.is_empty());
        outcomes
    }

    /// Adds what was copied to the summary.
    ///
    /// # Errors
    /// Where it cannot be written; it is tried again.
    pub fn record(&mut self) -> Result<Recorded, ArchiveError> {
        let now = Local::now().fixed_offset();
        let recorded = archive::record(&self.archive, &self.entries, now);
        if recorded.is_ok() {
            self.entries.clear();
        }
        if self.waiting.is_empty() {
            self.after_attempt(recorded.is_ok());
        }
        recorded
    }

    fn after_attempt(&mut self, well: bool) {
        if well {
            self.wait = FIRST_WAIT;
            self.next = None;
        } else {
            self.next = Some(Instant::now() + self.wait);
            self.wait = (2 * self.wait).min(LONGEST_WAIT);
        }
    }

    fn attempt(&mut self, mut arrival: Arrival) -> Outcome {
        let bytes = match arrival.bytes.take() {
            Some(bytes) => bytes,
            None => match read_again(&arrival.path) {
                Ok(bytes) => bytes,
                Err(error) => return Outcome::Lost(error),
            },
        };
        let incident = arrival
            .entry
            .as_ref()
            .and_then(|entry| entry.incident.clone());
        let known = incident
            .as_ref()
            .and_then(|incident| self.copies.with_content(incident, &bytes));
        if let Some(path) = known.cloned() {
            // Killed between copy and summary, the monitor before us may have left it unlisted.
            self.list(arrival.entry, &path);
            return Outcome::Already(path);
        }
        match self.store(arrival.path.file_name().unwrap_or_default(), &bytes) {
            Ok(Archived { path, already }) => {
                self.list(arrival.entry, &path);
                if let Some(incident) = incident {
                    self.copies.add(incident, path.clone());
                }
                if already {
                    Outcome::Already(path)
                } else {
                    Outcome::Copied(path)
                }
            }
            Err(error) => {
                arrival.bytes = Some(bytes);
                self.put_off(arrival, error)
            }
        }
    }

    fn put_off(&mut self, mut arrival: Arrival, error: ArchiveError) -> Outcome {
        let size = arrival.bytes.as_ref().map_or(0, Vec::len);
        if self.held + size > HELD {
            arrival.bytes = None;
        } else {
            self.held += size;
        }
        self.waiting.push_back(arrival);
        Outcome::Waits(error)
    }

    fn list(&mut self, entry: Option<Box<Entry>>, path: &Path) {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        self.entries.extend(entry.map(|entry| Entry {
            file: file.into_owned(),
            ..*entry
        }));
    }

    fn store(&mut self, name: &OsStr, bytes: &[u8]) -> Result<Archived, ArchiveError> {
        let now = Local::now().naive_local();
        if let Some(store) = &mut self.store
            && let Ok(archived) = store.store(name, bytes, now)
        {
            return Ok(archived);
        }
        // Opened for the first time, or anew: the folder may have been removed.
        self.store = None;
        let mut store = Store::open(&self.archive)?;
        let archived = store.store(name, bytes, now);
        self.store = Some(store);
        archived
    }
}

/// The bytes of a report that waited, where it was or in `Retired`.
fn read_again(path: &Path) -> Result<Vec<u8>, FileError> {
    read_bytes(path).or_else(|error| {
        let retired = path
            .parent()
            .zip(path.file_name())
            .map(|(folder, name)| folder.join("Retired").join(name));
        // What is wrong with the first place is what counts.
        retired
            .and_then(|retired| read_bytes(&retired).ok())
            .ok_or(error)
    })
}
