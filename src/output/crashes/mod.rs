//! The answers of `check-crashes`, as JSON and for people.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::crash::CrashView;
use crate::baseline::{Entry, Listed};
use crate::cli::ModeArgs;
use crate::diagnose::{Diagnosis, Group};
use crate::reports::FileError;

mod empty;
mod table;

pub use empty::{empty, since};
pub use table::{Row, Rows, groups_text};

/// The version of this layout; it grows when a field changes its meaning.
pub const SCHEMA: u32 = 2;

/// What describes this layout for programs.
pub const JSON_SCHEMA: &str = include_str!("../../../schemas/check-crashes.json");

/// What an answer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Crashes, newest first.
    Crashes,
    /// Equal crashes together, the most frequent first.
    Groups,
    /// Only how many there are.
    Count,
    /// One crash of `--watch`, on a line of its own.
    Crash,
    /// What `--snapshot` wrote.
    Snapshot,
    /// What `--sync` did.
    Sync,
    /// What `--clean` did.
    Clean,
}

impl Kind {
    /// What a question of these options is answered with.
    pub fn of(mode: &ModeArgs) -> Self {
        if mode.group {
            Self::Groups
        } else if mode.count {
            Self::Count
        } else {
            Self::Crashes
        }
    }
}

/// An answer.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Version of this layout.
    pub schema: u32,
    /// Version of agxrun.
    pub agxrun: &'static str,
    /// What it tells.
    pub kind: Kind,
    /// When this was asked, RFC 3339.
    pub checked: DateTime<Utc>,
    /// What was asked for.
    #[serde(rename = "query", skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// Where was looked.
    pub looked_at: LookedAt,
    /// How many crashes matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// The crashes, newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crashes: Option<Vec<CrashView>>,
    /// Equal crashes together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<GroupView>>,
    /// What `--snapshot` wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotView>,
    /// What `--sync` did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncView>,
    /// What `--clean` did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clean: Option<CleanView>,
    /// What the baseline makes of the crashes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineView>,
    /// Files that could not be read: each may hold a crash.
    pub unreadable: Vec<Gap>,
    /// Folders that could not be looked into.
    pub unwatched: Vec<Gap>,
    /// Report files in all, older ones and other kinds included.
    pub total_files: usize,
}

/// Where reports were looked for.
#[derive(Debug, Clone)]
pub struct Place {
    /// The report folders.
    pub folders: Vec<String>,
    /// The archive.
    pub archive: String,
}

/// Where was looked, and at how much.
#[derive(Debug, Serialize)]
pub struct LookedAt {
    /// The report folders.
    pub folders: Vec<String>,
    /// The archive.
    pub archive: String,
    /// How many files were read, if only their header line; the others were too old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<usize>,
}

/// What was asked for.
#[derive(Debug, Serialize)]
pub struct Question {
    /// From when on.
    #[serde(flatten)]
    pub window: Window,
    /// At most so many, the newest.
    pub latest: Option<u32>,
    /// Names of processes, or patterns.
    pub processes: Vec<String>,
    /// Ids of signatures.
    pub signatures: Vec<String>,
    /// Beginnings of fingerprints.
    pub fingerprints: Vec<String>,
}

/// From when on crashes were asked for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Window {
    /// The moment.
    pub since: Option<DateTime<Utc>>,
    /// How many hours before the question that was, where it was said so.
    pub hours: Option<f64>,
    /// The snapshot with which was compared.
    pub snapshot: Option<String>,
    /// When that was taken.
    pub snapshot_taken: Option<DateTime<Utc>>,
    /// The record of the run from whose beginning on was looked.
    pub run: Option<String>,
}

/// What could not be read.
#[derive(Debug, Serialize)]
pub struct Gap {
    /// File or folder.
    pub path: String,
    /// Why not.
    pub reason: String,
}

/// Equal crashes.
#[derive(Debug, Serialize)]
pub struct GroupView {
    /// What they have in common.
    pub fingerprint: String,
    /// What happened.
    pub title: String,
    /// How many there are.
    pub count: usize,
    /// When the first was.
    pub first: Option<DateTime<Utc>>,
    /// When the last was.
    pub last: Option<DateTime<Utc>>,
    /// The processes, each with how many are its.
    pub processes: BTreeMap<String, usize>,
    /// The frames that they share, innermost first.
    pub frames: Vec<String>,
    /// What it is, where a signature matches.
    pub diagnosis: Option<Diagnosis>,
    /// The file of the newest.
    pub newest: String,
}

/// What `--snapshot` wrote.
#[derive(Debug, Serialize)]
pub struct SnapshotView {
    /// Where.
    pub file: String,
}

/// What a baseline makes of crashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaselineView {
    /// The file.
    pub file: String,
    /// Crashes that do not fail.
    pub known: usize,
    /// Crashes whose entry has expired, and that fail again.
    pub expired: usize,
    /// Crashes that have no entry.
    pub new: usize,
    /// The entries that had crashes, each with how many.
    pub entries: Vec<EntryView>,
    /// Entries that had none; `None` where not every crash was asked for.
    pub unseen: Option<Vec<Entry>>,
}

/// An entry that had crashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryView {
    /// The entry.
    #[serde(flatten)]
    pub listed: Listed,
    /// How many crashes.
    pub count: usize,
}

/// What `--sync` did.
#[derive(Debug, Default, Serialize)]
pub struct SyncView {
    /// The summary; `None` where there is no archive.
    pub file: Option<String>,
    /// Entries in it.
    pub listed: usize,
    /// Entries and copies that told of a report once more.
    pub duplicates: usize,
    /// Entries whose file has gone.
    pub gone: usize,
    /// Where a damaged summary was set aside.
    pub set_aside: Option<String>,
}

/// What `--clean` did.
#[derive(Debug, Serialize)]
pub struct CleanView {
    /// Nothing was to be removed.
    pub dry_run: bool,
    /// The copies to be removed.
    pub files: Vec<String>,
    /// Their size.
    pub bytes: u64,
    /// Copies that are too new.
    pub newer: usize,
    /// Reports that archiving did not put there.
    pub foreign: usize,
    /// How many were removed.
    pub removed: usize,
    /// Their size.
    pub removed_bytes: u64,
    /// How many could not be.
    pub failed: usize,
}

impl Answer {
    /// An answer that tells nothing yet.
    pub fn new(kind: Kind, checked: DateTime<Utc>, place: Place) -> Self {
        Self {
            schema: SCHEMA,
            agxrun: env!("CARGO_PKG_VERSION"),
            kind,
            checked,
            question: None,
            looked_at: LookedAt {
                folders: place.folders,
                archive: place.archive,
                read: None,
            },
            count: None,
            crashes: None,
            groups: None,
            snapshot: None,
            sync: None,
            clean: None,
            baseline: None,
            unreadable: Vec::new(),
            unwatched: Vec::new(),
            total_files: 0,
        }
    }

    /// Notes what could not be read.
    pub fn set_gaps(
        &mut self,
        unreadable: &[(PathBuf, FileError)],
        unwatched: &[(PathBuf, String)],
    ) {
        let gap = |path: &PathBuf, reason: String| Gap {
            path: path.display().to_string(),
            reason,
        };
        self.unreadable = unreadable
            .iter()
            .map(|(path, error)| gap(path, error.to_string()))
            .collect();
        self.unwatched = unwatched
            .iter()
            .map(|(path, reason)| gap(path, reason.clone()))
            .collect();
    }

    /// As JSON, on several lines.
    ///
    /// # Errors
    /// None that is known: every field has a form in JSON.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(harmless)
    }

    /// As JSON on one line.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub fn json_line(&self) -> serde_json::Result<String> {
        serde_json::to_string(self).map(harmless)
    }

    /// Each crash in full, for people.
    pub fn in_full(&self, now: DateTime<Utc>) -> String {
        let crashes = self.crashes.iter().flatten();
        let texts: Vec<String> = crashes.map(|crash| crash.text(now, "")).collect();
        texts.join("\n")
    }
}

impl GroupView {
    /// The view of a group.
    pub fn of(group: &Group) -> Self {
        Self {
            fingerprint: group.fingerprint.to_string(),
            title: group.title.clone(),
            count: group.count,
            first: group.first,
            last: group.last,
            processes: group.processes.clone(),
            frames: group.frames.clone(),
            diagnosis: group.diagnosis.clone(),
            newest: group.newest.display().to_string(),
        }
    }
}

/// JSON that may be shown on a terminal: what would move the cursor, and what is not seen, stands
/// there as `\u....`. JSON itself asks that of the first 32 characters only.
fn harmless(json: String) -> String {
    let is_odd = |c: char| c != '\n' && super::terminal::is_hidden(c);
    if !json.contains(is_odd) {
        return json;
    }
    let mut text = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if is_odd(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(c);
        }
    }
    text
}

/// `1 crash`, `2 crashes`.
pub fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// `999 bytes`, `1.5 KB`: decimal, as the Finder counts.
pub fn bytes(count: u64) -> String {
    if count < 1000 {
        return format!("{count} bytes");
    }
    #[allow(clippy::cast_precision_loss)] // a digit behind the point is shown
    let mut size = count as f64 / 1000.0;
    let mut units = ["KB", "MB", "GB", "TB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for larger in units {
        // What would be shown as 1000.0 belongs to the next unit.
        if size < 999.95 {
            break;
        }
        size /= 1000.0;
        unit = larger;
    }
    format!("{size:.1} {unit}")
}

#[cfg(test)]
mod tests;
