//! Step 7: every report that is new or was touched: read, kept, attributed, diagnosed, weighed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use agx_ledger::Ledger;
use chrono::{Local, NaiveDate};
use serde::Serialize;

use super::options::Scope;
use super::settle::Found;
use crate::baseline::{Baseline, Listed};
use crate::diagnose::loader::refused_in;
use crate::diagnose::{Blame, Bypass, Diagnosis, FixFacts, Signatures, Ways, fingerprint};
use crate::evidence::{ProcessEvidence, TreeEvidence};
use crate::reports::archive;
use crate::reports::attribution::{Attribution, TreeFacts, attribute};
use crate::reports::file::{incident_of, read_bytes};
use crate::reports::snapshot::{self, Snapshot, distinct};
use crate::reports::{Change, FileError, Kind, Report, ReportFolder, ips};

/// A report that appeared or changed during the run.
#[derive(Debug)]
pub struct Collected {
    /// Where it lies.
    pub path: PathBuf,
    /// Whether it is a new file or a known one that was written again.
    pub novelty: Novelty,
    /// What it says, or why it could not be read.
    pub report: Result<Report, FileError>,
    /// Its copy in the archive, or why there is none.
    pub archived: Result<PathBuf, String>,
    /// Whose it is.
    pub attribution: Option<Attribution>,
    /// What it is.
    pub diagnosis: Option<Diagnosis>,
    /// Whether the fix library was in that process, and whether the driver was entered through it.
    pub fix: FixFacts,
    /// The loader's words, where it ended the process because of what was inserted.
    pub refused: Option<String>,
    /// Its entry in the baseline.
    pub listed: Option<Listed>,
    /// Whether it fails the run.
    pub weight: Weight,
}

impl Collected {
    /// Its copy in the archive, or else where it lies.
    pub fn file(&self) -> &Path {
        self.archived.as_ref().unwrap_or(&self.path)
    }

    /// Calls of hooked methods past the library that it shows of a process of the tree, as far as they are believed.
    pub fn bypasses(&self) -> impl Iterator<Item = &Bypass> {
        let attribution = self.attribution.as_ref();
        let ours = attribution.is_some_and(Attribution::counts_in_tree) && self.weight.is_crash();
        let ways = self.fix.ways.iter().filter(move |_| ours);
        ways.flat_map(Ways::believed)
    }
}

/// Whether a file is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Novelty {
    /// It did not stand in a watched folder when the run began.
    New,
    /// It stood there and was written again: the same crash happened again.
    Touched,
}

/// Whether a report fails the run, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// It fails the run.
    Counts,
    /// Not under this scope: it belongs to no process of the tree.
    OutOfScope,
    /// It tells of no crash: a stackshot, a memory kill.
    NoCrash,
    /// Somebody else's fault ended this process's GPU work.
    InnocentVictim,
    /// The loader ended the process because of what was inserted: the tool's fault.
    InsertionRefused,
    /// It would, and the baseline knows the crash.
    Known,
}

impl Weight {
    /// Whether it fails the run.
    pub fn counts(self) -> bool {
        self == Self::Counts
    }

    /// Whether it tells of a crash that is the run's, known or not.
    pub fn is_crash(self) -> bool {
        matches!(self, Self::Counts | Self::Known)
    }
}

/// Looks at the folders again and again, and reads each new file once.
pub struct Collector<'a> {
    folders: &'a [ReportFolder],
    before: &'a Snapshot,
    /// What was read of each file, with its size and time then: it is read again when they change.
    read: HashMap<PathBuf, (Stamp, Result<Read, FileError>)>,
    after: Snapshot,
    /// Hidden files that stood there when the run began and have not been written since: left by
    /// a writer that died. Told by themselves, not by a clock, which may be set during the run.
    leftovers: HashSet<(PathBuf, i128)>,
}

type Stamp = (u64, i128);

/// What a run knows besides the reports.
pub struct Knowledge<'a> {
    /// The process tree.
    pub tree: &'a TreeFacts,
    /// What its ledgers say.
    pub evidence: &'a TreeEvidence,
    /// The file names of what was inserted into it.
    pub inserted: &'a [String],
    /// The failures that are known.
    pub signatures: &'a Signatures,
    /// The crashes that are known and do not fail a run.
    pub baseline: Option<&'a Baseline>,
    /// The date in UTC, by which entries expire.
    pub today: NaiveDate,
}

impl Knowledge<'_> {
    /// The baseline's entry for a crash.
    fn listed(&self, report: &Report, diagnosis: Option<&Diagnosis>) -> Option<Listed> {
        let signature = diagnosis.map(|diagnosis| &*diagnosis.id);
        self.baseline?
            .look_up(fingerprint(report), signature, self.today)
    }

    /// The ledger of the process image that crashed: the last that its pid wrote, as what it was
    /// before an `exec` has crashed no more.
    fn ledger_of(&self, report: &Report, attribution: &Attribution) -> Option<&Ledger> {
        attribution.counts_in_tree().then_some(())?;
        let pid = u32::try_from(report.process.pid?).ok()?;
        let ledgers = self.evidence.processes.iter().map(ProcessEvidence::ledger);
        ledgers
            .filter(|ledger| ledger.pid == pid)
            .max_by_key(|ledger| ledger.load_ns)
    }
}

struct Read {
    bytes: Vec<u8>,
    report: Report,
}

impl<'a> Collector<'a> {
    /// A collector of what differs from `before`.
    pub fn new(folders: &'a [ReportFolder], before: &'a Snapshot) -> Self {
        Self {
            folders,
            before,
            read: HashMap::new(),
            after: Snapshot::default(),
            leftovers: before.pending().collect(),
        }
    }

    /// Takes another look.
    pub fn look(&mut self) -> Found {
        self.after = Snapshot::take(self.folders);
        let mut found = Found {
            reported: BTreeSet::new(),
            pending: self
                .after
                .pending()
                .filter(|file| !self.leftovers.contains(file))
                .count(),
        };
        for (path, _) in self.changes() {
            let stamp = self.stamp(&path);
            let known = self.read.get(&path).is_some_and(|(then, outcome)| {
                *then == stamp && !outcome.as_ref().is_err_and(FileError::is_transient)
            });
            if !known {
                let outcome = read_bytes(&path).and_then(|bytes| {
                    let report = ips::read(&bytes).map_err(|source| FileError::Unreadable {
                        path: path.clone(),
                        source,
                    })?;
                    Ok(Read { bytes, report })
                });
                self.read.insert(path.clone(), (stamp, outcome));
            }
            match self.read.get(&path) {
                Some((_, Ok(read))) if !read.report.is_cut_off() => {
                    found.reported.extend(read.report.process.pid);
                }
                // Half a report: it may be growing. The limit of the wait is the caller's.
                Some((_, Ok(_))) => found.pending += 1,
                Some((_, Err(error))) if error.is_transient() => found.pending += 1,
                _ => {}
            }
        }
        found
    }

    fn changes(&self) -> Vec<(PathBuf, Novelty)> {
        snapshot::diff(self.before, &self.after)
            .into_iter()
            .filter_map(|change| match change {
                Change::New { path } => Some((path, Novelty::New)),
                Change::Touched { path } => Some((path, Novelty::Touched)),
                Change::Moved { .. } => None,
            })
            .collect()
    }

    fn stamp(&self, path: &Path) -> Stamp {
        path.parent()
            .zip(path.file_name())
            .and_then(|(folder, name)| self.after.directory(folder)?.entry(name))
            .map_or((0, 0), |entry| (entry.size, entry.modified))
    }

    /// Folders, and files in them, that could not be looked at in the last look.
    pub fn unwatched(&self) -> Vec<(PathBuf, String)> {
        self.after.unwatched()
    }

    /// Ends the collection: keeps a copy of each report and weighs it.
    pub fn finish(mut self, known: &Knowledge<'_>, scope: Scope, archive: &Path) -> Vec<Collected> {
        let mut archive = Keeper {
            folder: archive,
            opened: None,
        };
        let mut readable = Vec::new();
        let mut novelty = HashMap::new();
        let mut bytes = HashMap::new();
        let mut collected = Vec::new();
        for (path, what) in self.changes() {
            match self.read.remove(&path) {
                Some((_, Ok(read))) => {
                    novelty.insert(path.clone(), what);
                    bytes.insert(path.clone(), read.bytes);
                    readable.push((path, read.report));
                }
                Some((_, Err(error))) => {
                    collected.push(unreadable(path, what, error, &mut archive));
                }
                // It appeared with the last look and every look reads what it finds.
                None => {}
            }
        }
        let mut ask = |path: &Path| incident_of(path).unwrap_or(None);
        let (touched, new): (Vec<_>, Vec<_>) = readable
            .into_iter()
            .partition(|(path, _)| novelty[path] == Novelty::Touched);
        let found = distinct(new, self.before, &self.after, &mut ask);
        for (path, report) in found.first.into_iter().chain(touched) {
            let archived = archive.keep(&path, &bytes[&path]);
            let attribution = attribute(&report, known.tree);
            let ledger = known.ledger_of(&report, &attribution);
            let diagnosis = known.signatures.diagnose_with(&report, ledger);
            let fix = FixFacts::of(&report, ledger);
            let refused =
                refused_in(&report, known.inserted).filter(|_| attribution.counts_in_tree());
            let mut weight = if refused.is_some() {
                Weight::InsertionRefused
            } else {
                weigh(&report, &attribution, diagnosis.as_ref(), scope)
            };
            let listed = known
                .listed(&report, diagnosis.as_ref())
                .filter(|_| weight.counts());
            if listed.as_ref().is_some_and(Listed::is_known) {
                weight = Weight::Known;
            }
            collected.push(Collected {
                novelty: novelty[&path],
                report: Ok(report),
                archived,
                attribution: Some(attribution),
                diagnosis,
                fix,
                refused,
                listed,
                weight,
                path,
            });
        }
        collected
    }
}

/// A file that is named like a report and cannot be read as one counts: a crash may stand in it.
fn unreadable(
    path: PathBuf,
    novelty: Novelty,
    error: FileError,
    archive: &mut Keeper<'_>,
) -> Collected {
    let archived = match &error {
        // Reading a pipe would wait for its writer, and a device may have no end.
        FileError::NotAFile { .. } | FileError::TooLarge { .. } => Err(error.to_string()),
        FileError::Io { .. }
        | FileError::StillBeingWritten { .. }
        | FileError::Unreadable { .. } => std::fs::read(&path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| archive.keep(&path, &bytes)),
    };
    Collected {
        path,
        novelty,
        report: Err(error),
        archived,
        attribution: None,
        diagnosis: None,
        fix: FixFacts::default(),
        refused: None,
        listed: None,
        weight: Weight::Counts,
    }
}

/// The archive, opened with the first report: a run without one leaves no folder behind.
struct Keeper<'a> {
    folder: &'a Path,
    opened: Option<Result<archive::Store, String>>,
}

impl Keeper<'_> {
    fn keep(&mut self, path: &Path, bytes: &[u8]) -> Result<PathBuf, String> {
        let folder = self.folder;
        let opened = self
            .opened
            .get_or_insert_with(|| archive::Store::open(folder).map_err(|error| error.to_string()));
        let store = opened.as_mut().map_err(|reason| reason.clone())?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        store
            .store(name, bytes, Local::now().naive_local())
            .map(|archived| archived.path)
            .map_err(|error| error.to_string())
    }
}

fn weigh(
    report: &Report,
    attribution: &Attribution,
    diagnosis: Option<&Diagnosis>,
    scope: Scope,
) -> Weight {
    if diagnosis.is_some_and(|diagnosis| diagnosis.blame == Blame::Elsewhere) {
        Weight::InnocentVictim
    } else if !may_be_a_crash(report) {
        Weight::NoCrash
    } else if scope == Scope::Tree && !attribution.counts_in_tree() {
        Weight::OutOfScope
    } else {
        Weight::Counts
    }
}

/// Whether a report may tell of a crash. One whose kind is not stated may: its header is damaged.
fn may_be_a_crash(report: &Report) -> bool {
    report.is_process_crash()
        || report.kind.is_gpu()
        || matches!(report.kind, Kind::Watchdog | Kind::Panic | Kind::Unstated)
}
