//! An old list of crashes and what the files say, put together: each report once.
//!
//! The published Python tool listed a report again with every check, under a new copy's name each
//! time, and knew no incident ids.

use std::collections::HashMap;
use std::ffi::OsStr;

use serde_json::{Map, Value, json};

use super::Entry;
use crate::reports::listing::archive_stamp;

/// Marks an entry whose file is no longer in the archive.
pub(super) const GONE: &str = "file_gone";

/// A list of which each report is told once.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) crashes: Vec<Value>,
    /// Entries and files that told of a report once more.
    pub(super) duplicates: usize,
    /// Entries whose file is not there.
    pub(super) gone: usize,
}

/// Puts together what `files` say, in the order of their names, with the `old` list. `exists` tells
/// whether a name is one of a file of the archive.
pub(super) fn merge(files: Vec<Entry>, old: Vec<Value>, exists: &dyn Fn(&str) -> bool) -> Merged {
    let mut merging = Merging::default();
    for entry in files {
        merging.add_file(entry);
    }
    for entry in old {
        merging.add_old(entry, exists);
    }
    merging.merged
}

#[derive(Default)]
struct Merging {
    merged: Merged,
    /// Places in the list, by whatever names a report.
    by_incident: HashMap<String, usize>,
    by_file: HashMap<String, usize>,
    by_original: HashMap<String, Vec<usize>>,
}

impl Merging {
    fn add_file(&mut self, entry: Entry) {
        let original = original(&entry.file).to_owned();
        let same = match &entry.incident {
            Some(incident) => self.by_incident.get(incident).copied(),
            None => self.of_original(&original, |known| {
                known.get("incident").is_none()
                    && text(known, "timestamp") == entry.timestamp.as_deref()
            }),
        };
        if let Some(at) = same {
            self.by_file.insert(entry.file, at);
            self.merged.duplicates += 1;
            return;
        }
        let file = entry.file.clone();
        self.push(file, entry.incident.clone(), json!(entry));
    }

    fn add_old(&mut self, entry: Value, exists: &dyn Fn(&str) -> bool) {
        let Value::Object(fields) = entry else {
            // Whatever it is, it is not ours to drop, and once is enough.
            if self.merged.crashes.contains(&entry) {
                self.merged.duplicates += 1;
            } else {
                self.merged.crashes.push(entry);
            }
            return;
        };
        let entry = Value::Object(fields);
        let incident = text(&entry, "incident").map(str::to_owned);
        let file = text(&entry, "file").map_or("", base_name).to_owned();
        if let Some(at) = self.place_of(&entry, incident.as_deref(), &file) {
            self.merged.duplicates += 1;
            let Value::Object(fields) = entry else { return };
            complete(&mut self.merged.crashes[at], fields);
            return;
        }
        let gone = !file.is_empty() && !exists(&file);
        let mut entry = entry;
        if let Value::Object(fields) = &mut entry {
            fields.remove(GONE);
            if gone {
                fields.insert(GONE.to_owned(), Value::Bool(true));
                self.merged.gone += 1;
            }
        }
        self.push(file, incident, entry);
    }

    /// Where the report of an old entry stands already.
    fn place_of(&self, entry: &Value, incident: Option<&str>, file: &str) -> Option<usize> {
        if let Some(incident) = incident {
            if let Some(at) = self.by_incident.get(incident) {
                return Some(*at);
            }
            // Two incidents are two reports, except that the other's is not known.
            return self
                .by_file
                .get(file)
                .copied()
                .filter(|at| self.merged.crashes[*at].get("incident").is_none());
        }
        if let Some(at) = self.by_file.get(file) {
            return Some(*at);
        }
        // A name of the system's has process and second in it: a copy of another time is the same.
        let original = original(file);
        if !has_time(original) {
            return None;
        }
        self.of_original(original, |known| {
            let read = known.get(GONE).is_none();
            read || known.get("info") == entry.get("info")
        })
    }

    fn of_original(&self, original: &str, fits: impl Fn(&Value) -> bool) -> Option<usize> {
        let places = self.by_original.get(original)?;
        places
            .iter()
            .copied()
            .find(|at| fits(&self.merged.crashes[*at]))
    }

    fn push(&mut self, file: String, incident: Option<String>, entry: Value) {
        let at = self.merged.crashes.len();
        self.merged.crashes.push(entry);
        if let Some(incident) = incident {
            self.by_incident.insert(incident, at);
        }
        if !file.is_empty() {
            let original = original(&file).to_owned();
            self.by_original.entry(original).or_default().push(at);
            self.by_file.insert(file, at);
        }
    }
}

/// What the older entry knows beyond the report: the command and the like.
fn complete(known: &mut Value, older: Map<String, Value>) {
    let Value::Object(known) = known else { return };
    for (key, value) in older {
        let is_known = known.get(&key).is_some_and(|value| !value.is_null());
        if key != GONE && !is_known {
            known.insert(key, value);
        }
    }
}

fn text<'a>(entry: &'a Value, key: &str) -> Option<&'a str> {
    entry.get(key)?.as_str()
}

/// Published entries give a name or a whole path.
pub(super) fn base_name(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

fn original(file: &str) -> &str {
    archive_stamp::split(OsStr::new(file)).map_or(file, |(_, original)| original)
}

/// `-2025-06-27-123535` stands in it.
fn has_time(name: &str) -> bool {
    crate::reports::listing::stamp_in(OsStr::new(name)).is_some()
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
