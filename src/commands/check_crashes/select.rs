//! Reading what may match, many files at a time, and keeping what does.

use std::collections::HashSet;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::progress::Progress;
use crate::diagnose::{Diagnosis, Fingerprint, Signatures, fingerprint, glob};
use crate::reports::listing::brief::{Brief, read_brief};
use crate::reports::listing::{Candidate, WRITING_DELAY, Walk, ordered};
use crate::reports::{FileError, Report, read_file};

/// What is asked for.
pub(super) struct Filter<'a> {
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) processes: &'a [String],
    pub(super) signatures: &'a [String],
    pub(super) fingerprints: &'a [String],
    pub(super) table: &'a Signatures,
}

/// A crash that was asked for.
pub(super) struct Match {
    pub(super) report: Report,
    pub(super) diagnosis: Option<Diagnosis>,
}

/// What reading came to.
#[derive(Default)]
pub(super) struct Seen {
    /// How many crashes matched, each incident once.
    pub(super) matched: usize,
    /// How many files were read, wholly or their header line.
    pub(super) read: usize,
    /// What could not be read, and may hold a crash.
    pub(super) unreadable: Vec<(PathBuf, FileError)>,
}

impl Filter<'_> {
    /// Whether only the time of crashes is asked about: the header line may decide.
    pub(super) fn is_about_time_alone(&self) -> bool {
        self.processes.is_empty() && self.signatures.is_empty() && self.fingerprints.is_empty()
    }

    /// Whether a report is asked for; `written` stands for a time that it does not tell.
    pub(super) fn admit(&self, report: Report, written: Option<DateTime<Utc>>) -> Option<Match> {
        let is_crash = report.is_process_crash() || report.kind.is_gpu();
        let time = report.time().map(|time| time.to_utc()).or(written);
        let late_enough = match (self.since, time) {
            (Some(since), Some(time)) => time >= since,
            _ => true,
        };
        if !is_crash || !late_enough || !self.has_process(&report) {
            return None;
        }
        let diagnosis = self.table.diagnose(&report);
        let id = diagnosis
            .as_ref()
            .map_or("none", |diagnosis| &*diagnosis.id);
        let has_signature =
            self.signatures.is_empty() || self.signatures.iter().any(|asked| asked == id);
        if !has_signature {
            return None;
        }
        if !self.fingerprints.is_empty() {
            let print: Fingerprint = fingerprint(&report);
            if !self
                .fingerprints
                .iter()
                .any(|prefix| print.has_prefix(prefix))
            {
                return None;
            }
        }
        Some(Match { report, diagnosis })
    }

    fn has_process(&self, report: &Report) -> bool {
        let names = [
            report.process.name.as_deref(),
            report.header.app_name.as_deref(),
        ];
        let is_asked = |name: &str| {
            self.processes
                .iter()
                .any(|asked| glob::is_match(asked, name))
        };
        self.processes.is_empty() || names.into_iter().flatten().any(is_asked)
    }
}

/// What became of one file.
enum Outcome {
    Passed,
    Matched(Box<Match>),
    Unreadable(FileError),
    Gone,
}

/// Reads the files of a walk and hands each crash that matches to `each`, the last written first,
/// each incident once. With a `limit`, reading stops when no later file can be among the newest so
/// many: more may be handed over, as crashes are put in order by their own time.
pub(super) fn matching(
    walk: &Walk,
    filter: &Filter<'_>,
    limit: Option<usize>,
    threads: usize,
    mut each: impl FnMut(&Candidate, Match),
) -> Seen {
    let mut seen = Seen::default();
    let mut incidents = HashSet::new();
    let mut last_needed: Option<DateTime<Utc>> = None;
    let progress = Progress::over(walk.files.len());
    // A few are read sooner by one thread than the others are started.
    let threads = if limit.is_some_and(|limit| limit < 8) {
        1
    } else {
        threads
    };
    let work = |file: &Candidate| read(file, filter);
    ordered::for_each(&walk.files, threads, work, |file, outcome| {
        if last_needed.is_some_and(|last| file.written < last - WRITING_DELAY) {
            return ControlFlow::Break(());
        }
        progress.step();
        seen.read += 1;
        match outcome {
            Outcome::Passed | Outcome::Gone => {}
            Outcome::Unreadable(error) => seen.unreadable.push((file.path.clone(), error)),
            Outcome::Matched(found) => {
                let is_new = found
                    .report
                    .incident()
                    .is_none_or(|incident| is_first(walk, file, incident, &mut incidents));
                if is_new {
                    seen.matched += 1;
                    each(file, *found);
                    if Some(seen.matched) == limit {
                        last_needed = Some(file.written);
                    }
                }
            }
        }
        ControlFlow::Continue(())
    });
    seen
}

fn is_first(walk: &Walk, file: &Candidate, incident: &str, known: &mut HashSet<String>) -> bool {
    if known.contains(incident) || walk.is_copy_of_known(file, incident) {
        return false;
    }
    known.insert(incident.to_owned())
}

fn read(file: &Candidate, filter: &Filter<'_>) -> Outcome {
    match read_where_it_is(&file.path) {
        Ok(report) => match filter.admit(report, Some(file.written)) {
            Some(found) => Outcome::Matched(Box::new(found)),
            None => Outcome::Passed,
        },
        Err(FileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Outcome::Gone
        }
        Err(error) => Outcome::Unreadable(error),
    }
}

/// A report that has been moved to `Retired` since it was listed is read there. One that is in
/// neither place was removed, and tells of nothing any more.
fn read_where_it_is(path: &Path) -> Result<Report, FileError> {
    match read_file(path) {
        Err(FileError::Io { source, path: gone }) if source.kind() == io::ErrorKind::NotFound => {
            match (path.parent(), path.file_name()) {
                (Some(folder), Some(name)) => read_file(&folder.join("Retired").join(name)),
                _ => Err(FileError::Io { source, path: gone }),
            }
        }
        read => read,
    }
}

/// How many crashes match. Where only their time matters, most files are not read beyond their
/// header line.
pub(super) fn count(walk: &Walk, filter: &Filter<'_>, threads: usize) -> Seen {
    if !filter.is_about_time_alone() {
        return matching(walk, filter, None, threads, |_, _| {});
    }
    let mut seen = Seen::default();
    let mut incidents = HashSet::new();
    let progress = Progress::over(walk.files.len());
    let work = |chunk: &&[Candidate]| {
        let mut buffer = Vec::new();
        let judge = |file: &Candidate| glance(file, filter, &mut buffer);
        chunk.iter().map(judge).collect::<Vec<_>>()
    };
    // A header is read in microseconds: handing over each would take as long.
    let chunks: Vec<&[Candidate]> = walk.files.chunks(64).collect();
    ordered::for_each(&chunks, threads, work, |chunk, glances| {
        for (file, glance) in chunk.iter().zip(glances) {
            seen.read += 1;
            let incident = match glance {
                Glance::Passed => continue,
                Glance::Unreadable(error) => {
                    seen.unreadable.push((file.path.clone(), error));
                    continue;
                }
                Glance::Matched(incident) => incident,
            };
            let is_new =
                incident.is_none_or(|incident| is_first(walk, file, &incident, &mut incidents));
            seen.matched += usize::from(is_new);
        }
        progress.set(seen.read);
        ControlFlow::Continue(())
    });
    seen
}

enum Glance {
    Passed,
    /// With its incident id.
    Matched(Option<String>),
    Unreadable(FileError),
}

fn glance(file: &Candidate, filter: &Filter<'_>, buffer: &mut Vec<u8>) -> Glance {
    if let Some(brief) = read_brief(&file.path, buffer)
        && let Some(is_asked) = by_header(&brief, filter.since)
    {
        return if is_asked {
            Glance::Matched(Some(brief.incident))
        } else {
            Glance::Passed
        };
    }
    match read(file, filter) {
        Outcome::Passed | Outcome::Gone => Glance::Passed,
        Outcome::Matched(found) => Glance::Matched(found.report.incident().map(str::to_owned)),
        Outcome::Unreadable(error) => Glance::Unreadable(error),
    }
}

/// Whether a report is asked for, as far as its header line tells. The crash itself was up to a
/// minute before the report was written.
fn by_header(brief: &Brief, since: Option<DateTime<Utc>>) -> Option<bool> {
    if !brief.kind.is_crash() && !brief.kind.is_gpu() {
        return Some(false);
    }
    let Some(since) = since else {
        return Some(true);
    };
    // Header lines are cut to the second.
    let written = brief.written.to_utc();
    let second = chrono::TimeDelta::seconds(1);
    if written + second <= since {
        Some(false)
    } else if written - WRITING_DELAY >= since {
        Some(true)
    } else {
        None
    }
}
