//! The process that a report tells of.

use chrono::{DateTime, FixedOffset};
use serde::Serialize;

/// The process, its relatives and its times.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Process {
    /// `procName`; in GPU events `process_name`, which is cut to 16 characters.
    pub name: Option<String>,
    /// `pid`.
    pub pid: Option<i32>,
    /// `procPath`.
    pub path: Option<String>,
    /// `bundleInfo`: the application that it belongs to.
    pub bundle: Bundle,
    /// `procRole`, such as `Foreground`.
    pub role: Option<String>,
    /// `parentProc`.
    pub parent_name: Option<String>,
    /// `parentPid`.
    pub parent_pid: Option<i32>,
    /// `coalitionName`: what the system accounts this process to, such as `com.apple.Terminal`.
    pub coalition_name: Option<String>,
    /// `coalitionID`.
    pub coalition_id: Option<u64>,
    /// `responsibleProc`.
    pub responsible_name: Option<String>,
    /// `responsiblePid`: the process on whose behalf this one ran, often the terminal.
    pub responsible_pid: Option<i32>,
    /// `userID`.
    pub user_id: Option<i64>,
    /// `procLaunch`: when the process started, to 0.1 ms.
    pub launched: Option<DateTime<FixedOffset>>,
    /// `captureTime`: when the crash was caught, to 0.1 ms.
    pub captured: Option<DateTime<FixedOffset>>,
    /// `cpuType`, such as `ARM-64`; in text reports `Code Type`.
    pub cpu_type: Option<String>,
    /// `translated`: whether Rosetta ran it.
    pub translated: bool,
    /// `isCorpse`: whether the report was made from what the kernel had kept of the process.
    pub is_corpse: bool,
    /// `isNonFatal`: whether the process lived on, as after a guard exception that only reports.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_non_fatal: bool,
}

/// What a bundle's `Info.plist` says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bundle {
    /// `CFBundleIdentifier`.
    pub identifier: Option<String>,
    /// `CFBundleShortVersionString`: the version for people.
    pub short_version: Option<String>,
    /// `CFBundleVersion`: the build.
    pub version: Option<String>,
}
