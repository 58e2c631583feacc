//! What an archive holds, by incident.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::reports::ReportFolder;
use crate::reports::file::{FileError, incident_of};
use crate::reports::snapshot::Snapshot;

/// The copies of each incident.
#[derive(Debug, Default)]
pub struct Copies(HashMap<String, Vec<PathBuf>>);

impl Copies {
    /// Reads the headers of what an archive holds. With it the files that could not be read: what
    /// they hold may be copied again.
    pub fn of(archive: &Path) -> (Self, Vec<FileError>) {
        let snapshot = Snapshot::take(&[ReportFolder::new(archive)]);
        let mut copies = Self::default();
        let mut errors = Vec::new();
        let own = snapshot.directory(archive).into_iter();
        for path in own.flat_map(|own| own.files.iter().map(|entry| archive.join(&entry.name))) {
            match incident_of(&path) {
                Ok(Some(incident)) => copies.add(incident, path),
                Ok(None) | Err(FileError::Unreadable { .. }) => {}
                Err(error) => errors.push(error),
            }
        }
        (copies, errors)
    }

    /// Adds a copy.
    pub fn add(&mut self, incident: String, path: PathBuf) {
        let paths = self.0.entry(incident).or_default();
        if !paths.contains(&path) {
            paths.push(path);
        }
    }

    /// The copy of an incident that has exactly this content, if it is still there.
    pub fn with_content(&self, incident: &str, bytes: &[u8]) -> Option<&PathBuf> {
        let same = |path: &&PathBuf| {
            fs::metadata(path).is_ok_and(|metadata| metadata.len() == bytes.len() as u64)
                && fs::read(path).is_ok_and(|content| content == bytes)
        };
        self.0.get(incident)?.iter().find(same)
    }
}
