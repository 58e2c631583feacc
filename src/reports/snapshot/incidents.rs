//! One incident, one report: the system leaves copies in several folders.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::Snapshot;
use crate::reports::model::Report;

/// New reports, each incident once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewReports {
    /// The first report of each incident, and every report that names none.
    pub first: Vec<(PathBuf, Report)>,
    /// Copies: the file, and that of which it is a copy.
    pub copies: Vec<(PathBuf, PathBuf)>,
}

/// Keeps each incident once, among new reports and against those that stood in the watched
/// folders before: a report is new if its incident was not there. A report that was copied in
/// from elsewhere is therefore new, however old its crash is.
///
/// `incident_of` is asked only for earlier files that could be the same report: those of the same
/// name, and those of the same size, as a copy has both or at least the latter.
pub fn distinct(
    new: Vec<(PathBuf, Report)>,
    before: &Snapshot,
    after: &Snapshot,
    incident_of: &mut dyn FnMut(&Path) -> Option<String>,
) -> NewReports {
    let mut found = NewReports::default();
    let mut seen: HashMap<String, PathBuf> = HashMap::new();
    for (path, report) in new {
        let Some(incident) = report.incident().map(str::to_owned) else {
            found.first.push((path, report));
            continue;
        };
        if let Some(first) = seen.get(&incident) {
            found.copies.push((path, first.clone()));
            continue;
        }
        let earlier = alike(&path, before, after)
            .into_iter()
            .find(|known| incident_of(known).as_deref() == Some(&incident));
        if let Some(known) = earlier {
            found.copies.push((path, known));
        } else {
            seen.insert(incident, path.clone());
            found.first.push((path, report));
        }
    }
    found
}

/// Earlier files that could hold the same report as a new one.
fn alike(path: &Path, before: &Snapshot, after: &Snapshot) -> Vec<PathBuf> {
    let Some(name) = path.file_name() else {
        return Vec::new();
    };
    let size = path
        .parent()
        .and_then(|parent| after.directory(parent)?.entry(name))
        .map(|entry| entry.size);
    before
        .directories
        .iter()
        .flat_map(|directory| {
            let same = move |entry: &&super::Entry| entry.name == name || Some(entry.size) == size;
            directory
                .files
                .iter()
                .filter(same)
                .map(|entry| directory.path.join(&entry.name))
        })
        .collect()
}
