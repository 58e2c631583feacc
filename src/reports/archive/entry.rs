//! One line of the summary.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use std::path::Path;

use crate::reports::frames;
use crate::reports::model::Report;

/// A crash in the published format of `crash_summary.json`, with `incident` added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened, ISO 8601 with an offset.
    pub timestamp: Option<String>,
    /// File name in the archive.
    pub file: String,
    /// The command that was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The target's exit code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The signal that ended the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// What the report says.
    pub info: Info,
    /// The report's incident id: one incident is listed once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
}

/// What a report says, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// The process's name.
    pub process: Option<String>,
    /// The exception's type and signal.
    pub exception: Option<String>,
    /// The faulting address, as `0x5c8`, where the exception is an access.
    pub fault_address: Option<String>,
    /// Image and symbol of the first frame that tells where it crashed.
    pub crashed_in: Option<String>,
}

impl Entry {
    /// The entry of an archived report. `command`, `exit_code` and `signal` are the caller's to
    /// add.
    pub fn of(report: &Report, archived: &Path) -> Self {
        let file = archived.file_name().unwrap_or(archived.as_os_str());
        Self {
            timestamp: report
                .time()
                .as_ref()
                .map(DateTime::<FixedOffset>::to_rfc3339),
            file: file.to_string_lossy().into_owned(),
            command: None,
            exit_code: None,
            signal: None,
            info: Info {
                process: report.process_name().map(str::to_owned),
                exception: report.exception_title(),
                fault_address: report
                    .fault_address()
                    .map(|address| format!("{address:#x}")),
                crashed_in: frames::crashed_in(report),
            },
            incident: report.incident().map(str::to_owned),
        }
    }
}
