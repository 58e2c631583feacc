//! Which process tree a report belongs to: by ids, times and loaded libraries, never by name.

use std::fmt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::model::Report;

/// What is known of a run's process tree.
#[derive(Debug, Clone)]
pub struct TreeFacts {
    /// Process id of the target.
    pub root_pid: i32,
    /// When the run began, before the target was started.
    pub started: DateTime<Utc>,
    /// When the last known process of the tree had ended; `None` while it runs.
    pub ended: Option<DateTime<Utc>>,
    /// Every process known to belong to the tree, from wait statuses and ledgers; the target
    /// may be left out, as the run's own times stand for it.
    pub processes: Vec<KnownProcess>,
    /// The library that was injected.
    pub fix_library: Option<PathBuf>,
    /// Whether a process of the tree has told that it loaded the library, by a ledger. Every process that loads it in this run
    /// tells so in the same place; one that loaded it and is not among [`processes`](Self::processes) may be another run's.
    pub ledgers: bool,
}

/// One process known to belong to the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownProcess {
    /// Its id.
    pub pid: i32,
    /// When it was first known to run; `None`: since the run began.
    pub started: Option<DateTime<Utc>>,
    /// When it was known to have ended; `None`: at the run's end, or unknown.
    pub ended: Option<DateTime<Utc>>,
}

/// Whose a report is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "attribution", content = "because", rename_all = "snake_case")]
pub enum Attribution {
    /// It belongs to the tree.
    Ours(Evidence),
    /// It does not.
    Foreign(Refutation),
    /// Nothing decides it.
    Unknown(Gap),
}

/// Why a report belongs to the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// A process of the tree had this id at that time.
    Pid(i32),
    /// Its parent is a process of the tree.
    Parent(i32),
    /// The process responsible for it is one of the tree.
    Responsible(i32),
    /// The injected library is among its images, it was launched during the run, and no process of the run tells what it loaded.
    LibraryLoaded(PathBuf),
}

impl Evidence {
    /// Its name in a run line: `process`, `parent`, `responsible` or `library`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pid(_) => "process",
            Self::Parent(_) => "parent",
            Self::Responsible(_) => "responsible",
            Self::LibraryLoaded(_) => "library",
        }
    }
}

/// Why a report does not belong to the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refutation {
    /// The crash was before the run began.
    OlderThanRun(DateTime<Utc>),
    /// The process was launched before the run began.
    LaunchedBeforeRun(DateTime<Utc>),
    /// The id is known, but had another process at that time.
    PidReused(i32),
    /// The process was launched after the tree had ended.
    LaunchedAfterRun(DateTime<Utc>),
}

/// Why nothing decides whose a report is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// The report names no process, as those about the whole system.
    NoPid,
    /// The report gives no time that could be compared.
    NoTime,
    /// The process ran during the run, and nothing ties it to the tree or to another.
    NoRelation(i32),
    /// The process had loaded the library and told this run nothing of it, which others of the run did: it may be one of another run
    /// with the same library, or one that could not write its ledger.
    NoLedger(i32),
}

impl Attribution {
    /// Whether a run with the scope `tree` counts it: its own, and those of unknown origin.
    pub fn counts_in_tree(&self) -> bool {
        !matches!(self, Self::Foreign(_))
    }
}

/// A capture time is cut to 0.1 ms, and comes from the same clock as the run's times; what is
/// left is the time between asking for that clock and starting the process.
const CAPTURE_SLACK: TimeDelta = TimeDelta::milliseconds(20);

/// A header's time stamp is cut to the second.
const STAMP_SLACK: TimeDelta = TimeDelta::seconds(1);

/// Launch times may be rounded to the system's tick, on Linux 10 ms, from a boot time that is
/// itself only known to the second.
const LAUNCH_SLACK: TimeDelta = TimeDelta::seconds(1);

/// Whose a report is. The rules stand in this order: what time refutes, then ids, then relatives, then the loaded library; the
/// report's name for the process is never looked at.
pub fn attribute(report: &Report, tree: &TreeFacts) -> Attribution {
    if let Some(refutation) = older_than_run(report, tree) {
        return Attribution::Foreign(refutation);
    }
    let launched = report.process.launched.map(|time| time.to_utc());
    if let Some(launched) = launched
        && launched < tree.started - LAUNCH_SLACK
    {
        let known = report
            .process
            .pid
            .filter(|pid| tree.windows_of(*pid).next().is_some());
        return Attribution::Foreign(match known {
            Some(pid) => Refutation::PidReused(pid),
            None => Refutation::LaunchedBeforeRun(launched),
        });
    }
    let Some(pid) = report.process.pid else {
        return Attribution::Unknown(Gap::NoPid);
    };
    if let Some(attribution) = by_pid(report, pid, tree) {
        return attribution;
    }
    if let (Some(launched), Some(ended)) = (launched, tree.ended)
        && launched > ended + LAUNCH_SLACK
    {
        return Attribution::Foreign(Refutation::LaunchedAfterRun(launched));
    }
    if let Some(parent) = related(report.process.parent_pid, launched, tree) {
        return Attribution::Ours(Evidence::Parent(parent));
    }
    if let Some(responsible) = related(report.process.responsible_pid, launched, tree) {
        return Attribution::Ours(Evidence::Responsible(responsible));
    }
    Attribution::Unknown(match (loaded_library(report, tree), launched) {
        (None, _) => Gap::NoRelation(pid),
        (Some(_), None) => Gap::NoTime,
        (Some(_), Some(_)) if tree.ledgers => Gap::NoLedger(pid),
        (Some(library), Some(_)) => return Attribution::Ours(Evidence::LibraryLoaded(library)),
    })
}

fn older_than_run(report: &Report, tree: &TreeFacts) -> Option<Refutation> {
    let (time, slack) = match (report.process.captured, report.header.timestamp) {
        (Some(captured), _) => (captured.to_utc(), CAPTURE_SLACK),
        (None, Some(stamp)) => (stamp.to_utc(), STAMP_SLACK),
        (None, None) => return None,
    };
    (time < tree.started - slack).then_some(Refutation::OlderThanRun(time))
}

/// When an id belonged to a process of the tree.
struct Window {
    started: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
}

impl Window {
    /// Whether the report's crash lies inside; `None` where the report gives no time. A time of
    /// writing may lie behind the end, by half a minute and more, and is only held against the
    /// beginning.
    fn holds(&self, report: &Report) -> Option<bool> {
        if let Some(captured) = report.process.captured {
            let captured = captured.to_utc();
            let begun = captured >= self.started - CAPTURE_SLACK;
            let not_over = self
                .ended
                .is_none_or(|ended| captured <= ended + CAPTURE_SLACK);
            return Some(begun && not_over);
        }
        let stamp = report.header.timestamp?.to_utc();
        Some(stamp >= self.started - STAMP_SLACK)
    }

    fn holds_time(&self, time: DateTime<Utc>) -> bool {
        time >= self.started - LAUNCH_SLACK
            && self.ended.is_none_or(|ended| time <= ended + LAUNCH_SLACK)
    }
}

impl TreeFacts {
    /// Every time at which an id belonged to the tree: ids are given again within a long run.
    fn windows_of(&self, pid: i32) -> impl Iterator<Item = Window> {
        let known = self
            .processes
            .iter()
            .filter(move |process| process.pid == pid);
        let of_known = known.map(|process| Window {
            started: process.started.unwrap_or(self.started),
            ended: process.ended.or(self.ended),
        });
        let is_known = self.processes.iter().any(|process| process.pid == pid);
        let root = (pid == self.root_pid && !is_known).then_some(Window {
            started: self.started,
            ended: self.ended,
        });
        of_known.chain(root)
    }
}

/// What the process id says; nothing where it never belonged to the tree.
fn by_pid(report: &Report, pid: i32, tree: &TreeFacts) -> Option<Attribution> {
    let mut known = false;
    for window in tree.windows_of(pid) {
        known = true;
        match window.holds(report) {
            Some(true) => return Some(Attribution::Ours(Evidence::Pid(pid))),
            Some(false) => {}
            None => return Some(Attribution::Unknown(Gap::NoTime)),
        }
    }
    known.then_some(Attribution::Foreign(Refutation::PidReused(pid)))
}

fn related(pid: Option<i32>, launched: Option<DateTime<Utc>>, tree: &TreeFacts) -> Option<i32> {
    // Orphans are given to process 1, which says nothing about where they came from.
    let pid = pid.filter(|pid| *pid > 1)?;
    let fits = |window: Window| launched.is_none_or(|time| window.holds_time(time));
    tree.windows_of(pid).any(fits).then_some(pid)
}

fn loaded_library(report: &Report, tree: &TreeFacts) -> Option<PathBuf> {
    let library = tree.fix_library.as_deref()?;
    let loaded = report
        .images
        .iter()
        .filter_map(|image| image.path.as_deref())
        .any(|path| is_same_path(path, library));
    loaded.then(|| library.to_path_buf())
}

/// Whether a path in a report is the library's. Reports hide the user's part of a path, as
/// `/Users/USER/*/libagx_fix.dylib`.
fn is_same_path(reported: &str, library: &Path) -> bool {
    let hidden = reported.strip_prefix("/Users/USER/*/").map(Path::new);
    Path::new(reported) == library
        || hidden.is_some_and(|end| library.starts_with("/Users") && library.ends_with(end))
}

impl fmt::Display for Attribution {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(evidence) => write!(out, "of this run: {evidence}"),
            Self::Foreign(reason) => write!(out, "not of this run: {reason}"),
            Self::Unknown(gap) => write!(out, "of unknown origin: {gap}"),
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pid(pid) => write!(out, "process {pid} belonged to it at that time"),
            Self::Parent(pid) => write!(out, "its parent {pid} belonged to it"),
            Self::Responsible(pid) => write!(out, "the process {pid} responsible belonged to it"),
            Self::LibraryLoaded(path) => write!(out, "it had loaded {}", path.display()),
        }
    }
}

impl fmt::Display for Refutation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OlderThanRun(time) => write!(out, "older than the run (crashed {time})"),
            Self::LaunchedBeforeRun(time) => {
                write!(out, "its process was launched before the run ({time})")
            }
            Self::PidReused(pid) => {
                write!(out, "the id {pid} belonged to another process at that time")
            }
            Self::LaunchedAfterRun(time) => {
                write!(out, "its process was launched after the run ({time})")
            }
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPid => write!(out, "the report names no process"),
            Self::NoTime => write!(out, "the report gives no time to compare"),
            Self::NoRelation(pid) => {
                write!(out, "nothing ties process {pid} to this run or to another")
            }
            Self::NoLedger(pid) => write!(
                out,
                "process {pid} had loaded the library and has no ledger in this run: it may be another run's"
            ),
        }
    }
}

#[cfg(test)]
#[path = "attribution_tests.rs"]
mod tests;
