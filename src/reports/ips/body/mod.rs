//! The JSON body.

use serde::de::MapAccess;

use super::object::{Field, Fields};
use crate::reports::model::{
    Exception, ExternalModifications, Frame, GpuEvent, Image, Process, Report, System, Termination,
};

mod crash;
mod process;
mod stack;
mod state;

use crash::Messages;
use stack::Entry;

/// Bounds far above any real report: 276 threads and 1,000 images are the order of what is seen,
/// 512 frames are what the system writes of one thread.
const THREAD_LIMIT: usize = 20_000;
const FRAME_LIMIT: usize = 5_000;
const IMAGE_LIMIT: usize = 20_000;

/// The body as read so far.
#[derive(Default)]
pub(super) struct Wire {
    process: Process,
    system: System,
    incident: Option<String>,
    bug_type: Option<String>,
    exception: Option<Exception>,
    termination: Option<Termination>,
    asi: Messages,
    gpu: Option<GpuEvent>,
    faulting_thread: Option<usize>,
    threads: Vec<Entry>,
    images: Vec<Image>,
    last_exception_backtrace: Vec<Frame>,
    vm_region_info: Option<String>,
    asi_backtraces: Vec<String>,
    kernel_triage: Option<String>,
    notes: Vec<String>,
    external_modifications: Option<ExternalModifications>,
    vm_summary: Option<String>,
    date: Option<chrono::DateTime<chrono::FixedOffset>>,
}

impl Wire {
    /// Moves what was read into the report. The body's word counts for the process, the header's
    /// for what both give.
    pub(super) fn fill(self, report: &mut Report) {
        report.process = self.process;
        report.system = self.system;
        let header = &mut report.header;
        header.incident = header.incident.take().or(self.incident);
        header.bug_type = header.bug_type.take().or(self.bug_type);
        header.timestamp = header.timestamp.or(self.date);
        report.exception = self.exception;
        report.termination = self.termination;
        report.asi = self.asi.0;
        report.gpu = self.gpu;
        report.faulting_thread = self.faulting_thread;
        let crashed = self.faulting_thread;
        report.threads = self
            .threads
            .into_iter()
            .enumerate()
            .map(|(index, entry)| entry.into_thread(crashed == Some(index), &mut report.problems))
            .collect();
        report.images = self.images;
        report.last_exception_backtrace = self.last_exception_backtrace;
        report.vm_region_info = self.vm_region_info;
        report.asi_backtraces = self.asi_backtraces;
        report.kernel_triage = self.kernel_triage;
        report.notes = self.notes;
        report.external_modifications = self.external_modifications;
        report.vm_summary = self.vm_summary;
    }
}

impl Fields for Wire {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            // Stackshots have a number here, which is none of ours.
            "exception" => field.optional(&mut self.exception)?,
            "termination" => field.optional(&mut self.termination)?,
            "asi" => drop(field.object(&mut self.asi)?),
            "analysis" => field.optional(&mut self.gpu)?,
            "threads" => field.list(&mut self.threads, THREAD_LIMIT)?,
            "usedImages" => field.list(&mut self.images, IMAGE_LIMIT)?,
            "lastExceptionBacktrace" => {
                field.list(&mut self.last_exception_backtrace, FRAME_LIMIT)?;
            }
            "faultingThread" => self.faulting_thread = field.number()?,
            "incident" => self.incident = field.text()?,
            "bug_type" => self.bug_type = field.text()?,
            "date" => self.date = field.date()?,
            // Both spellings are written, and say the same.
            "vmRegionInfo" | "vmregioninfo" => self.vm_region_info = field.text()?,
            "asiBacktraces" => self.asi_backtraces = field.texts()?,
            "ktriageinfo" => self.kernel_triage = field.text()?,
            "reportNotes" => self.notes = field.texts()?,
            "extMods" => field.optional(&mut self.external_modifications)?,
            "vmSummary" => self.vm_summary = field.text()?,
            key if process::is_of_system(key) => return self.system.take(field),
            _ => return self.process.take(field),
        }
        Ok(())
    }
}
