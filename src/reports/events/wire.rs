//! Which members of a body belong to which kind, and what becomes of them.

use serde::de::MapAccess;

use super::stackshot::{self, Level, Named};
use super::{
    Blame, Details, ForcedReset, Gpu, Jetsam, Panic, Stackshot, Watchdog, gpu, panic, resource,
};
use crate::reports::ips::object::{Field, Fields};
use crate::reports::kind::Kind;
use crate::reports::model::Report;

/// What was read of an event so far.
#[derive(Default)]
pub(in crate::reports) struct Wire {
    kind: Kind,
    build: Option<String>,
    gpu: Option<Gpu>,
    jetsam: Option<Jetsam>,
    panic: Option<Panic>,
    watchdog: Watchdog,
    stackshot: stackshot::Wire,
}

impl Wire {
    /// For a report of `kind`, as far as its header says.
    pub(in crate::reports) fn new(kind: Kind) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    /// Whether a member of the body is an event's own rather than a crash's.
    pub(in crate::reports) fn wants(&self, key: &str) -> bool {
        match self.kind {
            Kind::Crash | Kind::OsFault | Kind::LegacyCrash | Kind::TextCrash | Kind::Resource => {
                false
            }
            Kind::GpuEvent | Kind::GpuRestart => key == "analysis",
            // A number in words, which is none of the exceptions that crashes have.
            Kind::Stackshot => key == "exception" || key == "build" || stackshot::Wire::wants(key),
            Kind::Jetsam => matches!(
                key,
                "memoryStatus" | "largestProcess" | "processes" | "pageSize" | "build"
            ),
            Kind::Panic | Kind::ForcedReset => {
                is_panic(key) || key == "build" || stackshot::Wire::wants(key)
            }
            Kind::Watchdog => is_watchdog(key) || stackshot::Wire::wants(key),
            // Known by what no other kind has.
            Kind::Unknown(_) | Kind::Unstated => matches!(
                key,
                "processByPid" | "binaryImages" | "stackshot" | "panicString" | "largestProcess"
            ),
        }
    }

    /// Reads a member that lies inside `level`.
    pub(in crate::reports) fn take_at<'de, A: MapAccess<'de>>(
        &mut self,
        level: Level,
        field: Field<'_, A>,
    ) -> Result<(), A::Error> {
        match level {
            Level::Body => self.take(field),
            Level::Stackshot => self.stackshot.take(field),
            Level::Processes => self.stackshot.process(field),
        }
    }

    /// Moves what was read into the report, whose common fields stand already.
    pub(in crate::reports) fn fill(self, report: &mut Report) {
        let header = &mut report.header;
        header.os_version = header.os_version.take().or(self.build);
        let task = self.panic.as_ref().and_then(|panic| panic.task.as_ref());
        let named = match task {
            Some(task) => Named {
                pid: task.pid,
                name: task.name.as_deref(),
                why: Blame::Panicked,
            },
            None => Named {
                pid: report.process.pid,
                name: report.process.name.as_deref(),
                why: Blame::Subject,
            },
        };
        let stackshot = self.stackshot.finish(Some(named)).map(Box::new);
        if let Some(gpu) = &self.gpu {
            report.gpu = Some(gpu.summary());
        }
        report.details = details(
            &self.kind,
            self.gpu,
            self.jetsam,
            self.panic,
            self.watchdog,
            stackshot,
        );
    }
}

fn details(
    kind: &Kind,
    gpu: Option<Gpu>,
    jetsam: Option<Jetsam>,
    panic: Option<Panic>,
    mut watchdog: Watchdog,
    stackshot: Option<Box<Stackshot>>,
) -> Option<Details> {
    if let Some(gpu) = gpu {
        return Some(Details::Gpu(Box::new(gpu)));
    }
    if let Some(jetsam) = jetsam {
        return Some(Details::Jetsam(Box::new(jetsam)));
    }
    if *kind == Kind::ForcedReset {
        let reset = ForcedReset { panic, stackshot };
        let is_empty = reset == ForcedReset::default();
        return (!is_empty).then(|| Details::ForcedReset(Box::new(reset)));
    }
    if *kind == Kind::Watchdog {
        watchdog.stackshot = stackshot;
        let is_empty = watchdog == Watchdog::default();
        return (!is_empty).then(|| Details::Watchdog(Box::new(watchdog)));
    }
    if let Some(mut panic) = panic {
        panic.stackshot = stackshot;
        return Some(Details::Panic(Box::new(panic)));
    }
    stackshot.map(Details::Stackshot)
}

fn is_panic(key: &str) -> bool {
    matches!(
        key,
        "panicString" | "macOSPanicString" | "string" | "product" | "kernel"
    )
}

fn is_watchdog(key: &str) -> bool {
    matches!(key, "displayState" | "thermalPressureLevel" | "reportNotes")
}

impl Fields for Wire {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "build" => self.build = field.text()?,
            "analysis" => field.optional(&mut self.gpu)?,
            "memoryStatus" => {
                field.object(&mut self.jetsam.get_or_insert_default().memory)?;
            }
            "pageSize" => {
                let size = field.number()?;
                let memory = &mut self.jetsam.get_or_insert_default().memory;
                memory.page_size = memory.page_size.or(size);
            }
            "largestProcess" => {
                self.jetsam.get_or_insert_default().largest_process = field.text()?;
            }
            "processes" => self.jetsam.get_or_insert_default().processes(field)?,
            "panicString" | "macOSPanicString" | "string" => {
                let is_of_system = field.key == "macOSPanicString";
                if let Some(text) = field.text()?.filter(|text| !text.is_empty()) {
                    let (read, stands) = (Panic::of_text(&text), self.panic.take());
                    let stands = stands.unwrap_or_default();
                    // Beside the system's panic Macs with a T2 chip give the chip's own.
                    self.panic = Some(if is_of_system {
                        read.or(stands)
                    } else {
                        stands.or(read)
                    });
                }
            }
            "product" => self.panic.get_or_insert_default().product = field.text()?,
            "kernel" => {
                let kernel = field.text()?;
                let panic = self.panic.get_or_insert_default();
                panic.kernel = panic.kernel.take().or(kernel);
            }
            "displayState" => self.watchdog.display_state = field.text()?,
            "thermalPressureLevel" => self.watchdog.thermal_pressure = field.text()?,
            "reportNotes" => self.watchdog.notes = field.texts()?,
            "exception" => field.skip()?,
            _ => self.stackshot.take(field)?,
        }
        Ok(())
    }
}

/// How far into a text its kind is looked for, in bytes.
const HEAD: usize = 8 * 1024;

/// Reads a text body of a kind that is no crash's, or a text without a header line that is such
/// an event's. Whether it was one; else the report is as before.
pub(in crate::reports) fn read_text(content: &str, report: &mut Report) -> bool {
    let mut end = content.len().min(HEAD);
    while !content.is_char_boundary(end) {
        end -= 1;
    }
    let head = content.get(..end).unwrap_or_default();
    let kind = match &report.header.bug_type {
        Some(bug_type) => Kind::from_bug_type(bug_type),
        None if panic::is_text(head) => Kind::Panic,
        None if gpu::is_text(head) => Kind::GpuRestart,
        None if resource::is_text(head) => Kind::Resource,
        None => return false,
    };
    let details = match kind {
        Kind::Resource => Details::Resource(Box::new(resource::read_text(content, report))),
        Kind::GpuEvent | Kind::GpuRestart => {
            let gpu = gpu::read_text(content, report);
            report.gpu = Some(gpu.summary());
            Details::Gpu(Box::new(gpu))
        }
        Kind::Panic => Details::Panic(Box::new(Panic::of_text(content))),
        _ => return false,
    };
    report.details = Some(details);
    report.kind = kind;
    true
}
