//! The record of one run: everything that was asked, done and seen, with the verdict.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use agx_ledger::Counter;
use chrono::{DateTime, Local};

use super::collect::Collected;
use super::options::RunOptions;
use super::plan::Plan;
use super::settle::Settled;
use super::supervise::Outcome;
use super::verdict::Verdict;
use crate::diagnose::Signature;
use crate::evidence::{Found, TreeEvidence};
use crate::target::verdict::Kind;

/// One run.
#[derive(Debug)]
pub struct RunRecord {
    /// What was asked for.
    pub options: RunOptions,
    /// What was decided before the launch.
    pub plan: Plan,
    /// When the run began, before the launch.
    pub started: DateTime<Local>,
    /// What became of the target.
    pub outcome: Outcome,
    /// What the ledgers say.
    pub evidence: TreeEvidence,
    /// How long was watched on, and why.
    pub settled: Settled,
    /// Reports that are new or were touched.
    pub reports: Vec<Collected>,
    /// Known lines on the target's stderr, each with how often it came.
    pub lines: BTreeMap<String, SeenLine>,
    /// Processes below the target that crashed and left no report: pid and signal.
    pub silent_crashes: Vec<(i32, i32)>,
    /// What the reader of the verdict must know.
    pub notices: Vec<Notice>,
    /// The verdict.
    pub verdict: Verdict,
    /// From the start of `agxrun`'s work to the verdict.
    pub total: Duration,
}

/// A known line of stderr.
#[derive(Debug, Clone)]
pub struct SeenLine {
    /// What it is a sign of.
    pub signature: Signature,
    /// The first such line.
    pub first: String,
    /// How many there were.
    pub count: u64,
}

/// Something that went wrong around the run, or that weakens what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The library was to be loaded and no ledger shows that it was.
    NotLoaded,
    /// It was foreseen that the library may not, or would not, get into the target.
    Arrival {
        /// What was foreseen.
        kind: Kind,
        /// The rule that decided.
        rule: &'static str,
        /// The file that it was read from.
        file: PathBuf,
        /// What the rule saw.
        because: String,
    },
    /// The library was loaded and told to do nothing (`AGX_FIX_DISABLE`).
    Disabled,
    /// The policy that the environment asked for is not known to the library.
    PolicyUnknown {
        /// Processes concerned.
        pids: Vec<u32>,
    },
    /// A process had Metal classes and no hooks.
    MetalWithoutHooks {
        /// Its pid.
        pid: u32,
        /// Its executable.
        executable: String,
    },
    /// The library followed another policy than it should have.
    PolicyMismatch {
        /// What was to be followed.
        expected: &'static str,
        /// What was.
        found: String,
        /// Processes concerned.
        pids: Vec<u32>,
    },
    /// The run followed a published version.
    PublishedPolicy {
        /// Its name.
        name: &'static str,
        /// How it fails, as its author says.
        known_failure: &'static str,
    },
    /// The library did not make calls.
    DroppedCalls {
        /// Why, and how many; none is zero.
        calls: Vec<(Counter, u64)>,
    },
    /// Something that is no loss of work and that the reader should look into.
    Counted {
        /// What.
        counter: Counter,
        /// How often, in all processes.
        times: u64,
    },
    /// A process left with encoders that it never ended.
    OpenEncoders {
        /// Its pid.
        pid: u32,
        /// How many.
        encoders: u64,
    },
    /// Methods that should be hooked and are not.
    MissingHooks {
        /// How many.
        methods: u64,
    },
    /// A census was asked for, and these processes left without taking it.
    CensusMissing {
        /// Their pids.
        pids: Vec<u32>,
    },
    /// The census found methods that should be hooked and never were.
    NeverHooked {
        /// Which.
        methods: Vec<Found>,
    },
    /// The census found overrides of hooked methods that a published version does not hook.
    Overridden {
        /// Which.
        methods: Vec<Found>,
    },
    /// A report shows a hooked method that something else called than the library.
    Bypassed {
        /// The report.
        path: PathBuf,
        /// Each call in a sentence.
        calls: Vec<String>,
    },
    /// A ledger could not be read.
    UnreadableLedger {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A process is gone in the middle of a hooked call, and no report tells why.
    GoneInACall {
        /// Its pid.
        pid: u32,
        /// The call.
        call: String,
    },
    /// Processes that had the library are gone, and nothing tells how they ended.
    Vanished {
        /// Their pids.
        pids: Vec<u32>,
    },
    /// A folder or file that was to be watched could not be looked at.
    Unwatched {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The target itself was ended by a crash that the baseline knows.
    KnownEnding {
        /// The signal.
        signal: i32,
    },
    /// A report was not copied into the archive.
    NotArchived {
        /// The report.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The archive's list could not be written, or was set aside.
    Summary {
        /// What happened.
        reason: String,
    },
    /// The run's line was not written to the history, or not handed to whoever asked for it.
    History {
        /// What happened.
        reason: String,
    },
    /// The loader ended a process because of what was inserted: the tool's fault, not the target's.
    InsertionRefused {
        /// Its pid, where it is known.
        pid: Option<i32>,
        /// The loader's own words.
        words: String,
    },
    /// Linux: ld.so went on without a library that was to be inserted.
    NotPreloaded {
        /// The library, as `LD_PRELOAD` names it.
        library: String,
        /// Why, in ld.so's words.
        reason: String,
    },
    /// A process that crashed left no report in time.
    ReportMissing {
        /// Its pid.
        pid: i32,
    },
    /// Reports were still being written when the wait was over.
    StillPending {
        /// How many.
        reports: usize,
    },
    /// The target's stderr could not be watched.
    Stderr {
        /// Why.
        reason: String,
    },
    /// Processes of the tree still run.
    LeftBehind {
        /// How many.
        processes: usize,
    },
    /// Linux: no report writer was found, so a crash leaves no report here.
    NoReportWriter,
}
