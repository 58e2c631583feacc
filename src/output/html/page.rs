//! What stands on the page: bounded texts, numbers and times, nothing else.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};

use super::text::Text;
use super::words::counted;
use crate::diagnose::{Blame, Confidence};
use crate::stats::Rate;

/// One page.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its title.
    pub title: Text,
    /// When it was made.
    pub made: DateTime<Utc>,
    /// The time zone in which every time on it is written.
    pub zone: FixedOffset,
    /// The machine that it was made on, a sentence each.
    pub machine: Vec<Text>,
    /// The systems that the reports name, most frequent first.
    pub systems: Vec<(Text, usize)>,
    /// What was asked for.
    pub asked: Asked,
    /// What was looked at.
    pub looked: Looked,
    /// The crashes: most frequent group first.
    pub groups: Vec<Group>,
    /// Runs of known outcome, where any were named.
    pub runs: Option<Runs>,
}

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Only what happened at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only processes whose name fits one of these patterns; with none, all.
    pub processes: Vec<Text>,
}

/// What was looked at, and what of it does not stand among the groups.
#[derive(Debug, Clone, Default)]
pub struct Looked {
    /// Every folder.
    pub folders: Vec<Folder>,
    /// Report files in all folders.
    pub files: usize,
    /// Files that were left alone: older than what was asked for.
    pub older: usize,
    /// Reports of an incident of which another copy was read.
    pub copies: usize,
    /// Reports of processes that were not asked for.
    pub other_processes: usize,
    /// Reports that tell of no crash, by kind.
    pub no_crashes: BTreeMap<String, usize>,
    /// Files still being written.
    pub pending: usize,
    /// Files that could not be read, with the reason: each may hold a crash.
    pub unreadable: Vec<Text>,
    /// Such files beyond those named.
    pub more_unreadable: usize,
}

/// One folder.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Where.
    pub path: Text,
    /// Report files in it.
    pub files: usize,
    /// Whether it could be looked into.
    pub state: FolderState,
}

/// Whether a folder could be looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FolderState {
    /// It could.
    Looked,
    /// It does not exist.
    Missing,
    /// It does not exist, and need not: nobody named it, and nothing was put there yet.
    NotYet,
    /// It exists and cannot be read, for this reason.
    Unreadable(Text),
}

/// Reports of one crash: those with one fingerprint.
#[derive(Debug, Clone)]
pub struct Group {
    /// The fingerprint, in hexadecimal digits; also the name of the group's place on the page.
    pub fingerprint: Text,
    /// What happened.
    pub title: Text,
    /// What is known of it, where a signature matches.
    pub known: Option<Known>,
    /// How many reports.
    pub count: usize,
    /// The first one's time.
    pub first: Option<DateTime<Utc>>,
    /// The last one's time.
    pub last: Option<DateTime<Utc>>,
    /// Times of all of them that state one.
    pub times: Vec<DateTime<Utc>>,
    /// Processes and how often each, most frequent first.
    pub processes: Vec<(Text, usize)>,
    /// Processes beyond those.
    pub more_processes: usize,
    /// What the reports say of the fix library, and how often.
    pub library: Vec<(Text, usize)>,
    /// The newest report.
    pub sample: Sample,
    /// The newest reports.
    pub rows: Vec<Row>,
}

/// What a signature says.
#[derive(Debug, Clone)]
pub struct Known {
    /// The signature's name for machines.
    pub id: Text,
    /// What it means.
    pub meaning: Text,
    /// What to do.
    pub remedy: Text,
    /// Where it was seen.
    pub source: Text,
    /// Whose fault it is.
    pub blame: Blame,
    /// Whether it counts against the target.
    pub counts: bool,
    /// How sure this is.
    pub confidence: Confidence,
    /// What in the newest report matched.
    pub evidence: Vec<Text>,
}

/// What one report says of its crash.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// Exception, signal and address; else the report's kind.
    pub what: Text,
    /// Thread and queue.
    pub thread: Text,
    /// The innermost frames of the thread that crashed.
    pub frames: Vec<Text>,
    /// The frame that tells where it happened, if it is among those.
    pub telling: Option<usize>,
    /// Frames beyond those.
    pub more_frames: usize,
    /// What libraries and the loader said.
    pub said: Vec<Text>,
    /// Sentences beyond those.
    pub more_said: usize,
    /// What could not be read of it.
    pub problems: Vec<Text>,
}

/// One report in a list.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// When.
    pub time: Option<DateTime<Utc>>,
    /// Which process, with its pid.
    pub who: Text,
    /// Exception, signal and address.
    pub what: Text,
    /// The report's file.
    pub file: Text,
}

/// Runs of known outcome.
#[derive(Debug, Clone, Default)]
pub struct Runs {
    /// Each command under each policy.
    pub rows: Vec<RunRow>,
    /// Rows beyond those.
    pub more_rows: usize,
    /// Files that could not be read, with the reason.
    pub unreadable: Vec<Text>,
    /// Such files beyond those named.
    pub more_unreadable: usize,
}

/// Runs of one command under one policy.
#[derive(Debug, Clone)]
pub struct RunRow {
    /// The command line.
    pub command: Text,
    /// The policy of the fix library, or that there was none.
    pub fix: Text,
    /// Crashes and runs.
    pub rate: Rate,
    /// Runs that do not show whether the command crashes: they are in no rate.
    pub undecided: usize,
}

/// 2001-03-24, when Mac OS X came out; a clock that was never set shows 1970.
const EARLIEST: i64 = 985_392_000;

impl Folder {
    /// Why it was not looked into, where that says that something was missed.
    pub fn unread(&self) -> Option<&str> {
        match &self.state {
            FolderState::Looked | FolderState::NotYet => None,
            FolderState::Missing => Some("does not exist"),
            FolderState::Unreadable(reason) => Some(reason.as_str()),
        }
    }
}

impl Page {
    /// The result in one sentence.
    pub fn in_words(&self) -> String {
        let crashes = self.crashes();
        if crashes == 0 {
            let files = counted(self.looked.files, "report file", "report files");
            return format!("no crash ({files} looked at)");
        }
        format!(
            "{} in {}",
            counted(crashes, "crash", "crashes"),
            counted(self.groups.len(), "group", "groups")
        )
    }

    /// How many crashes stand in the groups.
    pub fn crashes(&self) -> usize {
        self.groups.iter().map(|group| group.count).sum()
    }

    /// The first and the last crash of all times that a clock can have shown.
    pub fn span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let latest = self.made + TimeDelta::days(1);
        let all = self.groups.iter().flat_map(|group| &group.times);
        let plausible =
            all.filter(|time| (EARLIEST..=latest.timestamp()).contains(&time.timestamp()));
        let (mut first, mut last) = (None, None);
        for time in plausible.copied() {
            first = Some(first.map_or(time, |first: DateTime<Utc>| first.min(time)));
            last = Some(last.map_or(time, |last: DateTime<Utc>| last.max(time)));
        }
        first.zip(last)
    }
}
