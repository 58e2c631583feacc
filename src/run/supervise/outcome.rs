//! What a supervision amounts to.

use std::time::{Duration, SystemTime};

pub use crate::run::launch::stderr::StderrKind;
pub use crate::run::sys::wait::Ending;

/// What became of a target and its tree.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The target's process id.
    pub pid: i32,
    /// When it was started, by the wall clock.
    pub started: SystemTime,
    /// When its end was seen, by the wall clock.
    pub ended: SystemTime,
    /// From start to end by the monotonic clock, stops included.
    pub duration: Duration,
    /// How the target itself ended.
    pub ending: Ending,
    /// The time-out struck; set even where the target then exited with 0.
    pub timed_out: Option<TimedOut>,
    /// The first INT, TERM or HUP that another process sent to us, and that was passed on.
    pub cancelled_by: Option<i32>,
    /// KILL was sent: after the grace, or because the end was asked for a second time.
    pub needed_kill: bool,
    /// Processes of the tree whose parent was gone and whose end came to us. Linux only: elsewhere
    /// they go to launchd, and this is empty.
    pub orphans: Vec<Orphan>,
    /// The ids of the tree's processes that were alive when we stopped watching, in ascending order.
    pub left_behind: Vec<i32>,
    /// Whether the target ever had children.
    pub descendants: Descendants,
    /// How its stderr was watched.
    pub stderr: StderrWatch,
}

/// A time-out that struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedOut {
    /// After this long, stops left out.
    pub after: Duration,
    /// TERM and the grace were not enough.
    pub needed_kill: bool,
    /// Processes outside the target's process group that had to be killed one by one.
    pub stragglers: usize,
}

/// A process that ended after its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orphan {
    /// Its process id.
    pub pid: i32,
    /// How it ended: a crash signal here is a crash that no one else saw.
    pub ending: Ending,
}

/// Whether the target had children, whose ends its own does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Descendants {
    /// None: its wait status is the whole story.
    None,
    /// At least one.
    Some,
    /// It cannot be said, for this reason.
    Unknown(String),
}

/// How the target's stderr was watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StderrWatch {
    /// What it was connected to.
    pub kind: StderrKind,
    /// Bytes read, from the target or back from the file.
    pub bytes: u64,
    /// A process was left behind that holds the target's stderr, and this process of ours goes on
    /// copying for it until it ends.
    pub copier: Option<i32>,
    /// What could not be watched, and why: one line each.
    pub problems: Vec<String>,
}
