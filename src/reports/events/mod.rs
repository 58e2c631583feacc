//! What reports say that are not of a crash: facts that only their own kind has.
//!
//! Which number of `bug_type` is which kind stands in `submissionConfig.plist` of Apple's
//! OSAnalytics framework, as printed in `blacktop/ipsw:pkg/crashlog/data/log_type.json`. Each
//! file here names where the fields of its kind were seen.

use serde::Serialize;

mod gpu;
mod jetsam;
mod panic;
mod reset;
mod resource;
mod stackshot;
mod watchdog;
mod wire;

pub use gpu::{Gpu, PageFault};
pub use jetsam::{Jetsam, JetsamProcess, MemoryStatus};
pub use panic::{Panic, PanickedTask};
pub use reset::ForcedReset;
pub use resource::{HeavyFrame, Resource};
pub use stackshot::{
    Blame, Blamed, SampledFrame, SampledImage, SampledProcess, SampledThread, Stackshot,
};
pub use watchdog::Watchdog;

pub(in crate::reports) use stackshot::Level;
pub(in crate::reports) use wire::{Wire, read_text};

/// What a report of one kind tells beyond the fields that all share.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Details {
    /// 288 and 509, and reports of unknown types that hold one.
    Stackshot(Box<Stackshot>),
    /// 298.
    Jetsam(Box<Jetsam>),
    /// 210.
    Panic(Box<Panic>),
    /// 409.
    Watchdog(Box<Watchdog>),
    /// 151.
    ForcedReset(Box<ForcedReset>),
    /// 22, 30 and the other resource diagnostics.
    Resource(Box<Resource>),
    /// 284, and the older 21 and 184.
    Gpu(Box<Gpu>),
}

impl Details {
    /// The sample of all threads that the report holds, where it holds one.
    pub fn stackshot(&self) -> Option<&Stackshot> {
        match self {
            Self::Stackshot(stackshot) => Some(stackshot),
            Self::Panic(panic) => panic.stackshot.as_deref(),
            Self::Watchdog(watchdog) => watchdog.stackshot.as_deref(),
            Self::ForcedReset(reset) => reset.stackshot.as_deref(),
            Self::Jetsam(_) | Self::Resource(_) | Self::Gpu(_) => None,
        }
    }
}
