//! One model for every crash report, whatever form its file has.
//!
//! Every fact is optional: fields come and go between releases of the system. Field names in
//! backticks are the keys of a 309 body unless said otherwise.

use chrono::{DateTime, FixedOffset};
use serde::Serialize;

use super::events::Details;
use super::fault::Fault;
use super::kind::Kind;
use super::problem::{Absent, Fact, Problem};

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

/// The process, its relatives and its times.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Process {
    /// `procName`; in GPU events `process_name`, which is cut to 16 characters.
    pub name: Option<String>,
    /// `pid`.
    pub pid: Option<i32>,
    /// `procPath`.
    pub path: Option<String>,
    /// `parentProc`.
    pub parent_name: Option<String>,
    /// `parentPid`.
    pub parent_pid: Option<i32>,
    /// `responsibleProc`.
    pub responsible_name: Option<String>,
    /// `responsiblePid`: the process on whose behalf this one ran, often the terminal.
    pub responsible_pid: Option<i32>,
    /// `procLaunch`: when the process started, to 0.1 ms.
    pub launched: Option<DateTime<FixedOffset>>,
    /// `captureTime`: when the crash was caught, to 0.1 ms.
    pub captured: Option<DateTime<FixedOffset>>,
    /// `cpuType`, such as `ARM-64`; in text reports `Code Type`.
    pub cpu_type: Option<String>,
}

/// The Mach exception.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Exception {
    /// `type`, such as `EXC_BAD_ACCESS`; PLCrashReporter writes a signal's name here.
    pub kind: Option<String>,
    /// `signal`, such as `SIGSEGV`.
    pub signal: Option<String>,
    /// `subtype`, such as `KERN_INVALID_ADDRESS at 0x00000000000005c8`.
    pub subtype: Option<String>,
    /// `codes`, as written. Only for an access do they hold an address: of a breakpoint the
    /// second is the program counter.
    pub codes: Option<String>,
    /// `message`.
    pub message: Option<String>,
    /// Where the access went, where the exception is one.
    pub fault: Option<Fault>,
}

/// What the system says of a GPU event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GpuEvent {
    /// `restart_reason_desc`, such as `BIF0 page fault` or `firmware-detected lockup`.
    pub restart_reason: Option<String>,
    /// `signature`: the driver's number for the kind of fault.
    pub signature: Option<i64>,
}

/// Who ended the process, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Termination {
    /// `namespace`, such as `SIGNAL` or `DYLD`.
    pub namespace: Option<String>,
    /// `code`: in namespace `SIGNAL`, the signal's number on that system.
    pub code: Option<i64>,
    /// `indicator`, such as `Segmentation fault: 11`.
    pub indicator: Option<String>,
    /// `byProc`.
    pub by_process: Option<String>,
    /// `byPid`.
    pub by_pid: Option<i32>,
    /// `reasons` and `details`, in that order; the loader's sentences for `DYLD`.
    pub reasons: Vec<String>,
}

/// What one image left to be said about the crash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImageMessages {
    /// The image's name; empty where a text report does not say.
    pub image: String,
    /// Its sentences.
    pub messages: Vec<String>,
}

/// One thread.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Thread {
    /// `id`: unique on that system; in text reports the thread's number.
    pub id: Option<u64>,
    /// `name`.
    pub name: Option<String>,
    /// `queue`: the dispatch queue's label.
    pub queue: Option<String>,
    /// `triggered`: this is the thread that crashed.
    pub triggered: bool,
    /// `threadState.esr.description` of arm64: says whether the access was a read or a write.
    pub fault_description: Option<String>,
    /// `frames`, innermost first.
    pub frames: Vec<Frame>,
}

/// One frame.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// `symbol`.
    pub symbol: Option<String>,
    /// `symbolLocation`: bytes from the symbol's start.
    pub symbol_location: Option<u64>,
    /// `imageIndex`: into [`Report::images`].
    pub image_index: Option<usize>,
    /// `imageOffset`: bytes from the image's start.
    pub image_offset: Option<u64>,
    /// `sourceFile`.
    pub source_file: Option<String>,
    /// `sourceLine`, from 1.
    pub source_line: Option<u64>,
    /// `inline`: the frame was inlined into the next one.
    pub inline: bool,
}

/// One mapped file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Image {
    /// `name`; entries with source `A` have none.
    pub name: Option<String>,
    /// `path`; entries with source `A` have none.
    pub path: Option<String>,
    /// `uuid`, as written.
    pub uuid: Option<String>,
    /// `base`: load address.
    pub base: Option<u64>,
    /// `size`, in bytes.
    pub size: Option<u64>,
    /// `arch`.
    pub arch: Option<String>,
    /// `source`: `P` from the process, `S` from the shared cache, `A` absent.
    pub source: Option<String>,
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
