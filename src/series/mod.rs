//! Many runs of one series: `stress` and `compare`.
//!
//! # Theory of operation
//! Each run is a process of ours, `agxrun run`, so that a run in a series is the same as a run alone: a supervision owns the
//! signals and children of its process, and there is no second one in it. A [`Schedule`] says which run comes next and when there
//! are enough; the [engine](run) starts it, waits for its [run line](RunLine), writes that to the [state file](state) and tells it
//! to the schedule. One thread, one `poll` over the signals that reach us and a pipe from each run; nothing polls by time but the
//! progress.
//!
//! | event | what happens |
//! |---|---|
//! | a run's line arrives | it is put into the state file in one write; when it is known whose its reports are (`shared`) it is told, and added to the history |
//! | first INT, TERM or HUP | no run is started any more; TERM to the runs, which pass it on and tell how they ended |
//! | second | INT to the runs, which kill their trees; third: the runs are killed |
//! | we are killed | the runs end theirs: they ask the system to be told ([`orphan`]) |
//! | the disk is full | no run is started any more; what is known stays in memory and is told at the end |
//! | a run cannot be launched | no run is started any more; its words are told |
//!
//! A series is resumed by asking its schedule again from the start: a run that the state file has is not made again.

mod book;
mod child;
pub mod claim;
pub mod clock;
mod disown;
mod engine;
mod late;
pub mod metric;
pub mod orphan;
pub mod outputs;
mod patience;
pub mod plan;
mod recover;
#[cfg(test)]
mod sample;
mod shared;
pub mod state;
pub mod stop;
pub mod tally;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
pub mod platform;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
pub mod platform;

use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::history::RunLine;

pub use engine::run;
pub use metric::Metric;
pub use state::StateError;

/// What is run: one of what is compared, or the only one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// What people call it; goes into the run line.
    pub name: String,
    /// Options of `agxrun run`, before the `--`.
    pub options: Vec<OsString>,
    /// The target and its arguments.
    pub command: Vec<OsString>,
}

/// One planned run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// Its number in the series, from 0; each is planned once.
    pub number: u64,
    /// Which of [`Series::arms`].
    pub arm: usize,
    /// The block that it belongs to, from 0.
    pub block: u64,
}

/// Which runs there are.
///
/// The same schedule gives the same slots in the same order as long as it is told the same lines: that is what resuming rests on.
pub trait Schedule {
    /// The next run, or `None` where none is to be started as things stand. Asked again after each [`done`](Self::done).
    fn next(&mut self) -> Option<Slot>;
    /// A run has ended, now or before the series was resumed.
    fn done(&mut self, slot: Slot, line: &RunLine);
}

/// Who is told of a series while it goes on.
pub trait Watcher {
    /// A run is about to be started.
    fn begun(&mut self, slot: Slot);
    /// A run has ended, now or before the series was resumed.
    fn done(&mut self, slot: Slot, line: &RunLine);
    /// Some time has passed: twice a second while runs go on.
    fn tick(&mut self);
    /// Something that cannot wait until the end.
    fn notice(&mut self, _notice: &Notice) {}
}

/// What becomes of the runs' output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Show {
    /// It is kept in files where a run was not clean.
    #[default]
    Keep,
    /// The same, and it is passed on to our stdout and stderr, a whole run at a time, as each ends.
    PassOn,
}

/// A series as asked for.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its name: [`state::new_id`], or what the state file says.
    pub id: String,
    /// `stress` or `compare`.
    pub command: &'static str,
    /// What is run; at least one.
    pub arms: Vec<Arm>,
    /// Runs at the same time; at least 1. The caller has asked [`platform::MOST_JOBS`].
    pub jobs: usize,
    /// The state file.
    pub state: PathBuf,
    /// Whether the state file is that of a series to be resumed; otherwise it must not exist.
    pub resume: bool,
    /// What must be equal when the series is resumed; see [`plan::surroundings`].
    pub plan: Value,
    /// The command line that began the series, for a resumption without one.
    pub arguments: Vec<OsString>,
    /// Where reports are archived; outputs go to `series/ID` in it.
    pub archive: PathBuf,
    /// The history that the runs are appended to, if any, when it is known whose their reports are.
    pub history: Option<PathBuf>,
    /// A number that is picked from each run's output, into [`RunLine::metric`].
    pub metric: Option<Metric>,
    /// What becomes of the output.
    pub output: Show,
}

impl Series {
    /// Where the outputs of runs that were not clean are.
    pub fn outputs(&self) -> PathBuf {
        self.archive.join("series").join(&self.id)
    }

    /// Where runs write their lines first; gone when the series has ended.
    fn spool(&self) -> PathBuf {
        let name = format!("{}.spool", self.id);
        self.archive.join("series").join(name)
    }
}

/// Why a series ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum End {
    /// The schedule had no more runs.
    Done,
    /// We were asked to end by this signal.
    Interrupted {
        /// Its number.
        signal: i32,
    },
    /// A finished run could not be written to the state file. It is in [`Finished::lines`] and nowhere else.
    Storage {
        /// What could not be written, why, and what to do.
        reason: String,
    },
    /// A run could not be launched, or ended without saying how.
    Launch {
        /// The exit code of that `agxrun run`, where it ended by itself.
        code: Option<u8>,
        /// What it said.
        reason: String,
    },
}

/// Something that the reader of a series must know.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Notice {
    /// We were asked to end; this many runs are being ended.
    Interrupted {
        /// The signal.
        signal: i32,
        /// Runs that go on.
        running: usize,
    },
    /// Runs that had not ended when the series was, and of which nothing is known.
    Cut {
        /// How many.
        runs: u64,
    },
    /// The wall clock and the monotonic one differ over a run.
    ClockJumped {
        /// The slot's number.
        slot: u64,
        /// By how many seconds the wall clock went further.
        seconds: f64,
    },
    /// Crashes had no report, so that later runs wait for theirs for a short time only.
    NoReports {
        /// How many in a row.
        runs: u64,
        /// The wait from then on, in seconds.
        wait: f64,
    },
    /// The machine had other work when the series began.
    Busy {
        /// Processes that wanted to run, as the system's one-minute average.
        load: f64,
        /// Processors.
        processors: usize,
    },
    /// The state file ended in half a line, as after a kill.
    TornState {
        /// Bytes that were taken away.
        bytes: u64,
    },
    /// Runs that had ended when an earlier `agxrun` was killed, and that are not in the state file.
    Recovered {
        /// How many.
        runs: u64,
    },
    /// A file in which such runs stand could not be read.
    HistoryUnread {
        /// Which, and why.
        reason: String,
    },
    /// A run could not be added to the history; others neither, it may be.
    HistoryUnwritten {
        /// Why, and what to do.
        reason: String,
    },
    /// A file or folder that the series needs no more could not be removed.
    Leftover {
        /// Why.
        reason: String,
    },
    /// A run's output could not be read, removed or passed on.
    Output {
        /// The slot's number.
        slot: u64,
        /// Why.
        reason: String,
    },
}

/// A series, ended.
#[derive(Debug)]
pub struct Finished {
    /// The runs that ended, in the order in which the schedule was told of them.
    pub lines: Vec<(Slot, RunLine)>,
    /// Why there are no more.
    pub end: End,
    /// Reports that are nobody's for certain and that several runs saw: counted once.
    pub shared_reports: Vec<SharedReport>,
    /// What the reader must know.
    pub notices: Vec<Notice>,
    /// How many of the lines are of before a resumption.
    pub resumed: usize,
}

/// A report that appeared while several runs went on and is none of theirs for certain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharedReport {
    /// The report's file.
    pub file: String,
    /// The slot in which it counts.
    pub counted_in: u64,
    /// The slots that saw it too.
    pub also_seen_in: Vec<u64>,
}

/// Why there is no series.
#[derive(Debug, thiserror::Error)]
pub enum SeriesError {
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
    /// What is needed to run one.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl SeriesError {
    fn system(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::System {
            what: what.into(),
            source,
        }
    }
}
