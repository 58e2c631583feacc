//! The JSON body.

use serde::de::MapAccess;

use super::object::{Field, Fields};
use crate::reports::model::{
    Exception, Frame, GpuEvent, Image, ImageMessages, Process, Report, Termination, Thread,
};

/// Bounds far above any real report: 276 threads and 1,000 images are the order of what is seen,
/// 512 frames are what the system writes of one thread.
const THREAD_LIMIT: usize = 20_000;
const FRAME_LIMIT: usize = 5_000;
const IMAGE_LIMIT: usize = 20_000;

/// The body as read so far.
#[derive(Default)]
pub(super) struct Wire {
    process: Process,
    incident: Option<String>,
    bug_type: Option<String>,
    exception: Option<Exception>,
    termination: Option<Termination>,
    asi: Messages,
    gpu: Option<GpuEvent>,
    faulting_thread: Option<usize>,
    threads: Vec<Thread>,
    images: Vec<Image>,
    last_exception_backtrace: Vec<Frame>,
    vm_region_info: Option<String>,
    date: Option<chrono::DateTime<chrono::FixedOffset>>,
}

impl Wire {
    /// Moves what was read into the report. The body's word counts for the process, the header's
    /// for what both give.
    pub(super) fn fill(self, report: &mut Report) {
        report.process = self.process;
        let header = &mut report.header;
        header.incident = header.incident.take().or(self.incident);
        header.bug_type = header.bug_type.take().or(self.bug_type);
        header.timestamp = header.timestamp.or(self.date);
        report.exception = self.exception;
        report.termination = self.termination;
        report.asi = self.asi.0;
        report.gpu = self.gpu;
        report.faulting_thread = self.faulting_thread;
        report.threads = self.threads;
        report.images = self.images;
        report.last_exception_backtrace = self.last_exception_backtrace;
        report.vm_region_info = self.vm_region_info;
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
            _ => return self.process.take(field),
        }
        Ok(())
    }
}

impl Fields for Process {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "procName" | "process_name" => self.name = field.text()?,
            "pid" => self.pid = field.number()?,
            "procPath" => self.path = field.text()?,
            "parentProc" => self.parent_name = field.text()?,
            "parentPid" => self.parent_pid = field.number()?,
            "responsibleProc" => self.responsible_name = field.text()?,
            "responsiblePid" => self.responsible_pid = field.number()?,
            "procLaunch" => self.launched = field.date()?,
            "captureTime" => self.captured = field.date()?,
            "cpuType" => self.cpu_type = field.text()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Fields for Exception {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "type" => self.kind = field.text()?,
            "signal" => self.signal = field.text()?,
            "subtype" => self.subtype = field.text()?,
            "codes" => self.codes = field.text()?,
            "message" => self.message = field.text()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Fields for Termination {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "namespace" => self.namespace = field.text()?,
            "code" => self.code = field.number()?,
            "indicator" => self.indicator = field.text()?,
            "byProc" => self.by_process = field.text()?,
            "byPid" => self.by_pid = field.number()?,
            "reasons" | "details" => self.reasons.extend(field.texts()?),
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Fields for GpuEvent {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "restart_reason_desc" => self.restart_reason = field.text()?,
            "signature" => self.signature = field.number()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

/// `asi`: an object whose keys are image names.
#[derive(Default)]
struct Messages(Vec<ImageMessages>);

impl Fields for Messages {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        let image = field.key.to_owned();
        let messages = field.texts()?;
        self.0.push(ImageMessages { image, messages });
        Ok(())
    }
}

impl Fields for Thread {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "id" => self.id = field.number()?,
            "name" => self.name = field.text()?,
            "queue" => self.queue = field.text()?,
            "triggered" => self.triggered = field.flag()?,
            // The registers of the other threads are the greater part of a report; only those of
            // the crashed thread carry a description, and `triggered` is written before them.
            "threadState" if self.triggered => {
                let mut state = ThreadState::default();
                field.object(&mut state)?;
                self.fault_description = state.syndrome.description;
            }
            "frames" => field.list(&mut self.frames, FRAME_LIMIT)?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct ThreadState {
    syndrome: Syndrome,
}

#[derive(Default)]
struct Syndrome {
    description: Option<String>,
}

impl Fields for ThreadState {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "esr" => field.object(&mut self.syndrome).map(drop),
            _ => field.skip(),
        }
    }
}

impl Fields for Syndrome {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "description" => self.description = field.text()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Fields for Frame {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "symbol" => self.symbol = field.text()?,
            "symbolLocation" => self.symbol_location = field.number()?,
            "imageIndex" => self.image_index = field.number()?,
            "imageOffset" => self.image_offset = field.number()?,
            "sourceFile" => self.source_file = field.text()?,
            "sourceLine" => self.source_line = field.number()?,
            "inline" => self.inline = field.flag()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Fields for Image {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "name" => self.name = field.text()?,
            "path" => self.path = field.text()?,
            "uuid" => self.uuid = field.text()?,
            "base" => self.base = field.number()?,
            "size" => self.size = field.number()?,
            "arch" => self.arch = field.text()?,
            "source" => self.source = field.text()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}
