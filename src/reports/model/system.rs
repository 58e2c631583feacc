//! The machine and its system, and what its processes did to one another.

use serde::Serialize;

/// The machine and its system at the time of the crash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct System {
    /// `osVersion.train`, such as `macOS 15.3`.
    pub release: Option<String>,
    /// `osVersion.build`, such as `24D60`.
    pub build: Option<String>,
    /// `osVersion.releaseType`, such as `User`.
    pub release_type: Option<String>,
    /// `osVersion.isEmbedded`: an iPhone, an iPad or the like.
    pub is_embedded: bool,
    /// `modelCode`, such as `Mac16,12`.
    pub model: Option<String>,
    /// `bridgeVersion.train`: the system of the security chip of an Intel Mac.
    pub bridge_release: Option<String>,
    /// `bridgeVersion.build`.
    pub bridge_build: Option<String>,
    /// `basebandVersion`.
    pub baseband: Option<String>,
    /// `crashReporterKey`: the same in all reports of one machine, and tells nothing else of it.
    pub reporter_key: Option<String>,
    /// `bootSessionUUID`.
    pub boot_session: Option<String>,
    /// `sleepWakeUUID`.
    pub sleep_wake: Option<String>,
    /// `uptime`: seconds awake since the system started, rounded to two digits by the writer.
    pub uptime: Option<u64>,
    /// `wakeTime`: seconds since it last woke up.
    pub since_wake: Option<u64>,
    /// `sip`: whether System Integrity Protection is `enabled`.
    pub integrity_protection: Option<String>,
}

/// `extMods`: calls by which one process takes control of another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ExternalModifications {
    /// `targeted`: calls by other processes on this one.
    pub targeted: TaskCalls,
    /// `caller`: calls by this process.
    pub caller: TaskCalls,
    /// `system`: calls by all processes since the system started.
    pub system: TaskCalls,
    /// `warnings`.
    pub warnings: Option<u64>,
}

/// How often each call was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TaskCalls {
    /// `task_for_pid`.
    pub task_for_pid: Option<u64>,
    /// `thread_create`.
    pub thread_create: Option<u64>,
    /// `thread_set_state`.
    pub thread_set_state: Option<u64>,
}
