//! Reading the crashes that a page is about: many files at a time, each report once.

use std::collections::HashSet;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::commands::check_crashes::Progress;
use crate::diagnose::{Diagnosis, Signatures, glob};
use crate::output::html::gather::Gathering;
use crate::output::html::page::{Folder, FolderState, Looked};
use crate::output::html::text::Text;
use crate::reports::listing::ordered;
use crate::reports::snapshot::{self, Directory, Entry, Snapshot};
use crate::reports::{Report, ReportFolder, read_file};

/// Unreadable files that are named.
const NAMED: usize = 50;

/// What is asked for.
pub struct Question<'a> {
    /// Report folders.
    pub folders: &'a [ReportFolder],
    /// Whether the user named them: then each must be there.
    pub named: bool,
    /// The archive, which need not exist.
    pub archive: &'a Path,
    /// Only what happened at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only processes whose name fits one of these patterns; with none, all.
    pub processes: &'a [String],
    /// The failures that are known.
    pub signatures: &'a Signatures,
}

/// What was found.
#[derive(Default)]
pub struct Answer {
    /// The crashes.
    pub gathering: Gathering,
    /// Everything else.
    pub looked: Looked,
}

/// What one file turned out to be.
enum Found {
    /// A crash that was asked for.
    Crash(Box<Report>, Option<Diagnosis>),
    /// A report of something else, of this kind.
    NoCrash(String),
    /// Another process's.
    OtherProcess,
    /// Earlier than asked for.
    Older,
    /// Not to be read, for this reason.
    Unreadable(String),
}

/// Looks at every report file that may matter.
pub fn read(question: &Question) -> Answer {
    let mut answer = Answer::default();
    let mut files = Vec::new();
    for directory in &question.look().directories {
        let required = question.named && directory.path != question.archive;
        answer.add_folder(directory, required);
        for (name, reason) in &directory.errors {
            answer.unreadable(&format!(
                "`{}`: {reason}",
                directory.path.join(name).display()
            ));
        }
        for entry in &directory.files {
            if question.is_older(entry) {
                answer.looked.older += 1;
            } else {
                files.push(directory.path.join(&entry.name));
            }
        }
    }
    // One is always right; more are only faster.
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut incidents = HashSet::new();
    let progress = Progress::over(files.len());
    let work = |path: &PathBuf| question.found(path);
    ordered::for_each(&files, threads, work, |path, found| {
        progress.step();
        answer.add(path, found, &mut incidents);
        ControlFlow::Continue(())
    });
    answer
}

impl Question<'_> {
    /// The folders with their `Retired` ones, and the archive, which has none.
    fn look(&self) -> Snapshot {
        let mut all = Snapshot::take(self.folders);
        if all.directory(self.archive).is_none() {
            let archive = Snapshot::take(&[ReportFolder::new(self.archive)]);
            let itself = archive.directories.into_iter();
            all.directories
                .extend(itself.filter(|directory| !directory.retired));
        }
        all
    }

    /// A report is written after what it tells of: a file that was last changed before is older still.
    fn is_older(&self, entry: &Entry) -> bool {
        self.since
            .and_then(|since| since.timestamp_nanos_opt())
            .is_some_and(|since| entry.modified < since.into())
    }

    fn found(&self, path: &Path) -> Found {
        let report = match read_file(path) {
            Ok(report) => report,
            Err(error) => return Found::Unreadable(error.to_string()),
        };
        let is_crash = report.is_process_crash() || report.kind.is_gpu();
        let time = report.time().map(|time| time.to_utc());
        if self
            .since
            .is_some_and(|since| time.is_some_and(|time| time < since))
        {
            Found::Older
        } else if !is_crash {
            Found::NoCrash(report.kind.describe())
        } else if !self.has_process(&report) {
            Found::OtherProcess
        } else {
            let diagnosis = self.signatures.diagnose(&report);
            Found::Crash(Box::new(report), diagnosis)
        }
    }

    fn has_process(&self, report: &Report) -> bool {
        let is_asked = |name| {
            self.processes
                .iter()
                .any(|asked| glob::is_match(asked, name))
        };
        self.processes.is_empty() || report.process_name().is_some_and(is_asked)
    }
}

impl Answer {
    fn add_folder(&mut self, directory: &Directory, required: bool) {
        let state = match &directory.state {
            snapshot::FolderState::Watched => FolderState::Looked,
            snapshot::FolderState::Missing if directory.retired => return,
            snapshot::FolderState::Missing if required => FolderState::Missing,
            // None of the system's, and no archive, is there before it has something to hold.
            snapshot::FolderState::Missing => FolderState::NotYet,
            snapshot::FolderState::Unreadable(reason) => {
                FolderState::Unreadable(Text::sentence(reason))
            }
        };
        self.looked.files += directory.files.len() + directory.errors.len();
        self.looked.pending += directory.pending.len();
        self.looked.folders.push(Folder {
            path: Text::path(&directory.path.to_string_lossy()),
            files: directory.files.len() + directory.errors.len(),
            state,
        });
    }

    fn unreadable(&mut self, reason: &str) {
        if self.looked.unreadable.len() < NAMED {
            self.looked.unreadable.push(Text::sentence(reason));
        } else {
            self.looked.more_unreadable += 1;
        }
    }

    fn add(&mut self, path: &Path, found: Found, incidents: &mut HashSet<String>) {
        match found {
            Found::Crash(report, diagnosis) => {
                let is_copy = report
                    .incident()
                    .is_some_and(|incident| !incidents.insert(incident.to_owned()));
                if is_copy {
                    self.looked.copies += 1;
                } else {
                    self.gathering.add(path, &report, diagnosis.as_ref());
                }
            }
            Found::NoCrash(kind) => *self.looked.no_crashes.entry(kind).or_default() += 1,
            Found::OtherProcess => self.looked.other_processes += 1,
            Found::Older => self.looked.older += 1,
            Found::Unreadable(reason) => self.unreadable(&reason),
        }
    }
}
