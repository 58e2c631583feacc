//! What the caller asked for: plain values, no command-line types.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::baseline::Baseline;
use crate::diagnose::Signatures;
use crate::inject::locate::Located;

/// A run as asked for.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The target and its arguments; at least one element.
    pub command: Vec<OsString>,
    /// What to inject.
    pub fix: FixRequest,
    /// Whether a run without proof of load fails.
    pub require_fix: bool,
    /// Whether a target is run that the library is known not to get into.
    pub allow_uninjected: bool,
    /// Variables set for the target.
    pub env: Vec<(OsString, OsString)>,
    /// Limit on the target's running time; `None` is no limit.
    pub timeout: Option<Duration>,
    /// From TERM to KILL.
    pub grace: Duration,
    /// Folders to watch; empty means the system's.
    pub reports_dirs: Vec<PathBuf>,
    /// Where new reports are copied.
    pub archive: PathBuf,
    /// Which reports count.
    pub scope: Scope,
    /// How long to watch on after a run whose processes are not all known to have ended cleanly.
    pub settle: Duration,
    /// How long to wait for the report of a process that crashed.
    pub report_wait: Duration,
    /// The failures that are known.
    pub signatures: Arc<Signatures>,
    /// The crashes that are known and do not fail a run.
    pub baseline: Option<Arc<Baseline>>,
}

/// What to inject.
#[derive(Debug, Clone)]
pub enum FixRequest {
    /// Nothing: the control.
    None,
    /// The fix library.
    Inject {
        /// The policy; `None` leaves it to the library, which reads the environment and its name.
        policy: Option<String>,
        /// The library, if the user named one.
        library: Option<Located>,
        /// What the library is told besides.
        tuning: Tuning,
    },
}

/// How the fix library is set up; what is `None` is left to the environment and the library.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tuning {
    /// At most so many command buffers in flight; 0 is no limit.
    pub throttle: Option<u16>,
    /// What shares one lock.
    pub lock_scope: Option<LockScope>,
    /// Whether the library is to take a census.
    pub census: bool,
}

/// What shares one lock of the fix library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockScope {
    /// The process.
    Global,
    /// All command buffers of a queue.
    Queue,
    /// The encoders of a command buffer.
    Buffer,
}

impl LockScope {
    /// As `AGX_FIX_LOCK_SCOPE` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Queue => "queue",
            Self::Buffer => "buffer",
        }
    }
}

/// Which new reports fail a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Any new report in the watched folders.
    Any,
    /// Those attributed to the target's process tree, and those of unknown origin.
    Tree,
}
