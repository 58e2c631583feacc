//! One model for every crash report, whatever form its file has.
//!
//! Every fact is optional: fields come and go between releases of the system. Field names in
//! backticks are the keys of a 309 body unless said otherwise.

use chrono::{DateTime, FixedOffset};
use serde::Serialize;

use super::events::Details;
use super::kind::Kind;
use super::problem::{Absent, Fact, Problem};

mod crash;
mod process;
mod stack;
mod state;
mod system;

pub use crash::{Exception, Termination};
pub use process::{Bundle, Process};
pub use stack::{Frame, Image, Thread};
pub use state::{InstructionStream, Register, ThreadState};
pub use system::{ExternalModifications, System, TaskCalls};

/// One report.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// The event it tells of.
    pub kind: Kind,
    /// Facts of the header line; for text reports, those that the text gives.
    pub header: Header,
    /// The process that crashed.
    pub process: Process,
    /// `exception`.
    pub exception: Option<Exception>,
    /// `termination`.
    pub termination: Option<Termination>,
    /// `asi`, application-specific information: what libraries said before the end.
    pub asi: Vec<ImageMessages>,
    /// `faultingThread`: an index into [`Report::threads`], checked to be inside it.
    pub faulting_thread: Option<usize>,
    /// `analysis`, in reports of GPU events.
    pub gpu: Option<GpuEvent>,
    /// `threads`, in the report's order.
    pub threads: Vec<Thread>,
    /// `usedImages`, in the report's order: frames point into it by index.
    pub images: Vec<Image>,
    /// `lastExceptionBacktrace`: where an uncaught Objective-C exception was thrown.
    pub last_exception_backtrace: Vec<Frame>,
    /// `vmRegionInfo`: the memory around the fault, as text.
    pub vm_region_info: Option<String>,
    /// What holds for the whole system: release, machine, time awake.
    pub system: System,
    /// `asiBacktraces`: stacks that libraries left beside their messages, each as text.
    pub asi_backtraces: Vec<String>,
    /// `ktriageinfo`: what the kernel noted about the process, as text.
    pub kernel_triage: Option<String>,
    /// `reportNotes`: what the writer of the report has to say about it.
    pub notes: Vec<String>,
    /// `extMods`: calls by which processes change one another.
    pub external_modifications: Option<ExternalModifications>,
    /// `vmSummary`: the table of memory regions, as text.
    pub vm_summary: Option<String>,
    /// What kinds other than crashes tell: samples, memory kills, panics and the like.
    pub details: Option<Details>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// The header line.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Header {
    /// `app_name`, or `name`.
    pub app_name: Option<String>,
    /// `timestamp`: when the report was written, to the second.
    pub timestamp: Option<DateTime<FixedOffset>>,
    /// `bug_type`, as written.
    pub bug_type: Option<String>,
    /// `os_version`, such as `macOS 15.3 (24D60)`.
    pub os_version: Option<String>,
    /// `incident_id`, or the body's `incident`: one per event, however many copies exist.
    pub incident: Option<String>,
}

/// What the system says of a GPU event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GpuEvent {
    /// `restart_reason_desc`, such as `BIF0 page fault` or `firmware-detected lockup`.
    pub restart_reason: Option<String>,
    /// `signature`: the driver's number for the kind of fault.
    pub signature: Option<i64>,
}

/// What one image left to be said about the crash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImageMessages {
    /// The image's name; empty where a text report does not say.
    pub image: String,
    /// Its sentences.
    pub messages: Vec<String>,
}

impl Report {
    /// The process's name: the body's, else the header's.
    pub fn process_name(&self) -> Option<&str> {
        self.process
            .name
            .as_deref()
            .or(self.header.app_name.as_deref())
    }

    /// When it happened: the capture time, else the time of writing.
    pub fn time(&self) -> Option<DateTime<FixedOffset>> {
        self.process.captured.or(self.header.timestamp)
    }

    /// The incident id.
    pub fn incident(&self) -> Option<&str> {
        self.header.incident.as_deref()
    }

    /// The exception's type and signal as reports write them: `EXC_BAD_ACCESS (SIGSEGV)`.
    pub fn exception_title(&self) -> Option<String> {
        let exception = self.exception.as_ref()?;
        match (&exception.kind, &exception.signal) {
            (Some(kind), Some(signal)) => Some(format!("{kind} ({signal})")),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        }
    }

    /// The faulting address, where the exception is an access.
    pub fn fault_address(&self) -> Option<u64> {
        Some(self.exception.as_ref()?.fault.as_ref()?.address)
    }

    /// The thread that crashed: the one the report names, else the one marked as triggered.
    pub fn crashed_thread(&self) -> Option<&Thread> {
        self.faulting_thread
            .and_then(|index| self.threads.get(index))
            .or_else(|| self.threads.iter().find(|thread| thread.triggered))
    }

    /// The frames to look at: those of the thread that crashed.
    pub fn crashed_frames(&self) -> &[Frame] {
        self.crashed_thread().map_or(&[], |thread| &thread.frames)
    }

    /// The image a frame lies in.
    pub fn image_of(&self, frame: &Frame) -> Option<&Image> {
        self.images.get(frame.image_index?)
    }

    /// The address a frame stands at: its image's load address and the offset in it.
    pub fn address_of(&self, frame: &Frame) -> Option<u64> {
        self.image_of(frame)?.base?.checked_add(frame.image_offset?)
    }

    /// The name of the image a frame lies in: its name, else the last part of its path.
    pub fn image_name(&self, frame: &Frame) -> Option<&str> {
        let image = self.image_of(frame)?;
        image
            .name
            .as_deref()
            .or_else(|| image.path.as_deref()?.rsplit('/').next())
            .filter(|name| !name.is_empty())
    }

    /// Whether a process crashed: by the report's kind, or, where the kind is unknown or not
    /// stated, because it gives an exception.
    pub fn is_process_crash(&self) -> bool {
        match self.kind {
            Kind::Unknown(_) | Kind::Unstated => self
                .exception
                .as_ref()
                .is_some_and(|exception| exception.kind.is_some()),
            _ => self.kind.is_crash(),
        }
    }

    /// Whether the file ends before the report does: it may still be being written, and a caller
    /// that waits for it should read it again.
    pub fn is_cut_off(&self) -> bool {
        self.problems.iter().any(|problem| {
            matches!(
                problem,
                Problem::BodyTruncated { .. } | Problem::BodyMissing
            )
        })
    }

    /// Which of the five facts are not there, and why.
    pub fn absent(&self) -> Vec<(Fact, Absent)> {
        let has_type = self
            .exception
            .as_ref()
            .is_some_and(|exception| exception.kind.is_some());
        // GPU events name a process, but not which one.
        let has_no_pid = self.kind.is_system_wide() || self.kind.is_gpu();
        let facts = [
            (
                Fact::Process,
                self.process_name().is_some(),
                self.kind.is_system_wide(),
            ),
            (Fact::Pid, self.process.pid.is_some(), has_no_pid),
            (Fact::Time, self.time().is_some(), false),
            (Fact::ExceptionType, has_type, !self.kind.is_crash()),
            // Text reports of macOS name no incident; those of iOS do.
            (
                Fact::Incident,
                self.incident().is_some(),
                self.kind == Kind::TextCrash,
            ),
        ];
        facts
            .into_iter()
            .filter(|(_, present, _)| !present)
            .map(|(fact, _, kind_has_none)| {
                let reason = if kind_has_none {
                    Absent::KindHasNone(self.kind.clone())
                } else if self.problems.is_empty() {
                    Absent::NotStated
                } else {
                    Absent::Unreadable
                };
                (fact, reason)
            })
            .collect()
    }
}
