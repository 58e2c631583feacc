//! Equal crashes over many reports.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::fingerprint::{Fingerprint, fingerprint, telling_frames};
use super::signature::Diagnosis;
use crate::reports::model::{Frame, Report};

/// Reports with the same fingerprint.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    /// What they have in common.
    pub fingerprint: Fingerprint,
    /// What happened: the signature's words, else the exception and where it was.
    pub title: String,
    /// What it is, where a signature matches: of all the reports, the surest diagnosis.
    pub diagnosis: Option<Diagnosis>,
    /// The frames that made the fingerprint, innermost first, as ``image`symbol``.
    pub frames: Vec<String>,
    /// How many reports there are.
    pub count: usize,
    /// When the first was, where any tells its time.
    pub first: Option<DateTime<Utc>>,
    /// When the last was.
    pub last: Option<DateTime<Utc>>,
    /// The processes, each with how many reports are its.
    pub processes: BTreeMap<String, usize>,
    /// The file of the newest; of those that tell no time, the one added last.
    pub newest: PathBuf,
    /// When each was, oldest first; without those that tell no time.
    pub times: Vec<DateTime<Utc>>,
}

/// Reports on their way into groups.
#[derive(Debug, Default)]
pub struct Groups(HashMap<Fingerprint, Group>);

impl Groups {
    /// No reports yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a report. Copies of one incident are the caller's to leave out.
    pub fn add(&mut self, path: &Path, report: &Report, diagnosis: Option<&Diagnosis>) {
        let fingerprint = fingerprint(report);
        let group = self.0.entry(fingerprint).or_insert_with(|| Group {
            fingerprint,
            title: String::new(),
            diagnosis: None,
            frames: Vec::new(),
            count: 0,
            first: None,
            last: None,
            processes: BTreeMap::new(),
            newest: PathBuf::new(),
            times: Vec::new(),
        });
        let time = report.time().map(|time| time.to_utc());
        group.count += 1;
        group.times.extend(time);
        let name = report.process_name().unwrap_or("an unnamed process");
        *group.processes.entry(name.to_owned()).or_default() += 1;
        if group.count == 1 || time >= group.last {
            path.clone_into(&mut group.newest);
            group.last = time.or(group.last);
            group.frames = telling_frames(report)
                .into_iter()
                .map(|frame| read(report, frame))
                .collect();
            if group.diagnosis.is_none() {
                group.title = title(report, &group.frames);
            }
        }
        group.first = match (group.first, time) {
            (Some(first), Some(time)) => Some(first.min(time)),
            (first, time) => first.or(time),
        };
        let surest = group.diagnosis.as_ref().map(|known| known.confidence);
        if let Some(diagnosis) = diagnosis.filter(|new| Some(new.confidence) > surest) {
            group.title.clone_from(&diagnosis.title);
            group.diagnosis = Some(diagnosis.clone());
        }
    }

    /// The groups, the most frequent first, of equally frequent ones the newest.
    pub fn finish(self) -> Vec<Group> {
        let mut groups: Vec<Group> = self.0.into_values().collect();
        for group in &mut groups {
            group.times.sort_unstable();
        }
        groups.sort_unstable_by(|a, b| {
            let frequent = b.count.cmp(&a.count).then(b.last.cmp(&a.last));
            frequent.then(a.fingerprint.cmp(&b.fingerprint))
        });
        groups
    }
}

/// A frame without its offset.
fn read(report: &Report, frame: &Frame) -> String {
    let image = report.image_name(frame).unwrap_or("???");
    match (&frame.symbol, frame.image_offset) {
        (Some(symbol), _) => format!("{image}`{symbol}"),
        (None, Some(offset)) => format!("{image} + {offset:#x}"),
        (None, None) => image.to_owned(),
    }
}

fn title(report: &Report, frames: &[String]) -> String {
    let what = report
        .exception_title()
        .unwrap_or_else(|| report.kind.describe());
    match frames.first() {
        Some(place) => format!("{what} in {place}"),
        None => what,
    }
}
