//! What sort of event a report tells of, by its `bug_type`.

use serde::{Deserialize, Serialize};

/// The event a report tells of. The numbers are those of `bug_type` in the header line, as seen in
/// public reports and in `submissionConfig.plist` of Apple's OSAnalytics framework; an unknown one is
/// data, not an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 309: a process crash with a JSON body (macOS 12, iOS 15 and later).
    Crash,
    /// 308: a fault that a process reported about itself and survived.
    OsFault,
    /// 109 and 9: a process crash whose body is text behind a JSON header line.
    LegacyCrash,
    /// No header line at all: a `.crash` file, text from its first line.
    TextCrash,
    /// 284: the GPU raised an error or was reset (`gpuEvent-<process>-*.ips`).
    GpuEvent,
    /// 21 and 184: a GPU restart in the form used before 284.
    GpuRestart,
    /// 288 and 509: a sample of every thread of the system.
    Stackshot,
    /// 298, before 98 and 198: the kernel killed processes for memory.
    Jetsam,
    /// 210, before 10 and 110: a kernel panic.
    Panic,
    /// 409: a watchdog ended a process or the system.
    Watchdog,
    /// 151: the machine was reset by force.
    ForcedReset,
    /// 22 (processor time) and 30 (memory), 23 and 44, and since them 142 (wake-ups), 144 and 145
    /// (writes), 157, 202 and 206 (processor time): a process used too much of a resource, and
    /// usually lives on.
    Resource,
    /// A number this reader does not know.
    Unknown(String),
    /// The file names no type.
    #[default]
    Unstated,
}

impl Kind {
    /// The kind of a `bug_type`.
    pub fn from_bug_type(bug_type: &str) -> Self {
        match bug_type {
            "309" => Self::Crash,
            "308" => Self::OsFault,
            "109" | "9" => Self::LegacyCrash,
            "284" => Self::GpuEvent,
            "21" | "184" => Self::GpuRestart,
            "288" | "509" => Self::Stackshot,
            "98" | "198" | "298" => Self::Jetsam,
            "10" | "110" | "210" => Self::Panic,
            "409" => Self::Watchdog,
            "151" => Self::ForcedReset,
            "22" | "23" | "30" | "44" | "142" | "144" | "145" | "157" | "202" | "206" => {
                Self::Resource
            }
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// Whether the report says that one process ended by a crash. An unknown or unstated kind
    /// is not taken for a crash here; a caller that gates should ask
    /// [`crate::reports::Report::is_process_crash`], which also looks for an exception.
    pub fn is_crash(&self) -> bool {
        matches!(self, Self::Crash | Self::LegacyCrash | Self::TextCrash)
    }

    /// Whether the report is about the graphics processor rather than about a process.
    pub fn is_gpu(&self) -> bool {
        matches!(self, Self::GpuEvent | Self::GpuRestart)
    }

    /// Whether reports of this kind describe the whole system and so name no process of their own.
    pub fn is_system_wide(&self) -> bool {
        matches!(
            self,
            Self::Stackshot | Self::Jetsam | Self::Panic | Self::ForcedReset | Self::GpuRestart
        )
    }

    /// Whether reports of this kind hold a sample of every thread, and so have megabytes.
    pub fn holds_stackshot(&self) -> bool {
        matches!(
            self,
            Self::Stackshot | Self::Watchdog | Self::Panic | Self::ForcedReset
        )
    }

    /// A noun phrase for people.
    pub fn describe(&self) -> String {
        let fixed = match self {
            Self::Crash => "crash",
            Self::OsFault => "OS fault",
            Self::LegacyCrash => "crash (text body)",
            Self::TextCrash => "crash (text report)",
            Self::GpuEvent => "GPU event",
            Self::GpuRestart => "GPU restart",
            Self::Stackshot => "stackshot",
            Self::Jetsam => "memory kill",
            Self::Panic => "kernel panic",
            Self::Watchdog => "watchdog",
            Self::ForcedReset => "forced reset",
            Self::Resource => "resource diagnostic",
            Self::Unknown(number) => return format!("report of unknown type {number}"),
            Self::Unstated => "report that states no type",
        };
        fixed.to_owned()
    }
}
