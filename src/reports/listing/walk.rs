//! The files that a question is about, the last written first, before any is read.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};

use super::brief::read_brief;
use super::candidates::{Candidate, candidates};
use crate::reports::file::incident_of;
use crate::reports::folders::ReportFolder;
use crate::reports::snapshot::{Change, Snapshot, Stored, diff};

/// Which files may matter.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// All.
    All,
    /// Those that were last changed at this time or later.
    Since(DateTime<Utc>),
    /// Those that are new or were touched since this snapshot.
    Changed(&'a Snapshot),
}

/// Files to be read.
#[derive(Debug, Default)]
pub struct Walk {
    /// The files, the last written first.
    pub files: Vec<Candidate>,
    /// How many report files there are in all.
    pub total: usize,
    /// Folders and files that could not be looked into, with the reason.
    pub unwatched: Vec<(PathBuf, String)>,
    /// Folders of which the snapshot knows nothing: all in them seems new.
    pub unknown: Vec<PathBuf>,
    /// Files that the snapshot knew, by their size.
    known: HashMap<u64, Vec<PathBuf>>,
    /// Files that stood in a folder at the snapshot and were changed since: no copies of others.
    touched: HashSet<PathBuf>,
}

/// What stands in the folders and in the archive at this moment.
pub fn look(folders: &[ReportFolder], archive: Option<&Path>) -> Snapshot {
    let mut all = Snapshot::take(folders);
    if let Some(archive) = archive
        && all.directory(archive).is_none()
    {
        // An archive that does not exist yet is empty, and has no `Retired` folder.
        let archived = Snapshot::take(&[ReportFolder::new(archive)]);
        let itself = archived.directories.into_iter();
        all.directories
            .extend(itself.filter(|directory| !directory.retired));
    }
    all
}

/// Finds the files of the folders and of the archive; nothing is opened. `local` turns the
/// machine's local time, which names carry, into UTC.
pub fn walk(
    folders: &[ReportFolder],
    archive: Option<&Path>,
    scope: Scope<'_>,
    local: &dyn Fn(NaiveDateTime) -> DateTime<Utc>,
) -> Walk {
    let now = look(folders, archive);
    let since = match scope {
        Scope::Since(since) => Some(since),
        Scope::All | Scope::Changed(_) => None,
    };
    let mut walk = Walk {
        files: candidates(&[&now], since, local),
        total: now.file_count(),
        unwatched: unwatched(&now, archive),
        ..Walk::default()
    };
    if let Scope::Changed(before) = scope {
        walk.keep_changed(before, &now);
    }
    walk
}

/// A missing archive is an empty one.
fn unwatched(now: &Snapshot, archive: Option<&Path>) -> Vec<(PathBuf, String)> {
    let is_missing_archive =
        |path: &Path| Some(path) == archive && std::fs::symlink_metadata(path).is_err();
    let mut all = now.unwatched();
    all.retain(|(path, _)| !is_missing_archive(path));
    all
}

impl Walk {
    fn keep_changed(&mut self, before: &Snapshot, now: &Snapshot) {
        let mut changed = HashSet::new();
        for change in diff(before, now) {
            match change {
                Change::New { path } => {
                    changed.insert(path);
                }
                Change::Touched { path } => {
                    self.touched.insert(path.clone());
                    changed.insert(path);
                }
                Change::Moved { .. } => {}
            }
        }
        let all = std::mem::take(&mut self.files);
        for file in all {
            if changed.contains(&file.path) {
                self.files.push(file);
            } else {
                self.known.entry(file.size).or_default().push(file.path);
            }
        }
        let directories = now
            .directories
            .iter()
            .filter(|directory| !directory.retired);
        self.unknown = directories
            .filter(|directory| !directory.files.is_empty())
            .filter(|directory| !Stored::knows(before, &directory.path))
            .map(|directory| directory.path.clone())
            .collect();
    }

    /// Whether a new file is a copy of one that the snapshot knew, as the archive's are.
    pub fn is_copy_of_known(&self, file: &Candidate, incident: &str) -> bool {
        if self.touched.contains(&file.path) {
            return false;
        }
        let mut buffer = Vec::new();
        let same_size = self.known.get(&file.size).into_iter().flatten();
        same_size.into_iter().any(|known| {
            let found = match read_brief(known, &mut buffer) {
                Some(brief) => Some(brief.incident),
                // One that cannot be read is no copy, as far as is known: told twice is better
                // than not at all.
                None => incident_of(known).ok().flatten(),
            };
            found.as_deref() == Some(incident)
        })
    }
}
