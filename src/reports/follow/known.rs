//! Which incidents were told.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use super::rest;
use super::tracker::Read;
use crate::reports::file::{incident_of, read_bytes};
use crate::reports::read_file;
use crate::reports::snapshot::Snapshot;

/// The incidents that were told, or stood there before.
#[derive(Debug, Default)]
pub struct Known {
    incidents: HashSet<String>,
    /// Of reports that name none: their content.
    contents: HashSet<u64>,
}

/// What a report is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Its incident id.
    Incident(String),
    /// A hash of its bytes.
    Content(u64),
}

impl Known {
    /// Whether it was not known before.
    pub fn insert(&mut self, key: Key) -> bool {
        match key {
            Key::Incident(incident) => self.incidents.insert(incident),
            Key::Content(hash) => self.contents.insert(hash),
        }
    }
}

/// What a report is known by.
pub fn key(read: &Read) -> Key {
    match read.report.incident() {
        Some(incident) => Key::Incident(incident.to_owned()),
        None => content(&read.bytes),
    }
}

fn content(bytes: &[u8]) -> Key {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    Key::Content(hasher.finish())
}

/// The incidents of what stands in a snapshot, and the files of it that are being written just now.
/// Of a file that cannot be read nothing is known: where it is written again it is new.
pub fn of(snapshot: &Snapshot, wall: i128) -> (Known, Vec<PathBuf>) {
    let mut known = Known::default();
    let mut growing = Vec::new();
    let patience = i128::try_from(rest::BROKEN.as_nanos()).unwrap_or(i128::MAX);
    for directory in &snapshot.directories {
        for entry in &directory.files {
            let path = directory.path.join(&entry.name);
            let fresh = wall - entry.modified < patience;
            if fresh && read_file(&path).map_or(true, |report| report.is_cut_off()) {
                growing.push(path);
                continue;
            }
            match incident_of(&path) {
                Ok(Some(incident)) => {
                    known.insert(Key::Incident(incident));
                }
                Ok(None) => {
                    if let Ok(bytes) = read_bytes(&path) {
                        known.insert(content(&bytes));
                    }
                }
                Err(_) => {}
            }
        }
    }
    (known, growing)
}
