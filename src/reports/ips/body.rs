//! The JSON body.

use serde::de::{IgnoredAny, MapAccess};

use super::fields::{date, flag, number, text, texts};
use super::object::{Fields, List, Object};
use crate::reports::model::{
    Exception, Frame, GpuEvent, Image, ImageMessages, Process, Report, Termination, Thread,
};
use crate::reports::problem::Problem;

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
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        problems: &mut Vec<Problem>,
    ) -> Result<(), A::Error> {
        match key {
            "exception" => {
                let into = self.exception.get_or_insert_default();
                // Stackshots have a number here, which is none of ours.
                if !map.next_value_seed(Object {
                    into,
                    problems,
                    key,
                })? {
                    self.exception = None;
                }
            }
            "termination" => {
                let into = self.termination.get_or_insert_default();
                if !map.next_value_seed(Object {
                    into,
                    problems,
                    key,
                })? {
                    self.termination = None;
                }
            }
            "asi" => {
                map.next_value_seed(Object {
                    into: &mut self.asi,
                    problems,
                    key,
                })?;
            }
            "analysis" => {
                let into = self.gpu.get_or_insert_default();
                if !map.next_value_seed(Object {
                    into,
                    problems,
                    key,
                })? {
                    self.gpu = None;
                }
            }
            "threads" => {
                let into = &mut self.threads;
                map.next_value_seed(List {
                    into,
                    problems,
                    key: "threads",
                    limit: THREAD_LIMIT,
                })?;
            }
            "usedImages" => {
                let (into, key) = (&mut self.images, "usedImages");
                map.next_value_seed(List {
                    into,
                    problems,
                    key,
                    limit: IMAGE_LIMIT,
                })?;
            }
            "lastExceptionBacktrace" => {
                let (into, key) = (&mut self.last_exception_backtrace, "lastExceptionBacktrace");
                map.next_value_seed(List {
                    into,
                    problems,
                    key,
                    limit: FRAME_LIMIT,
                })?;
            }
            "faultingThread" => self.faulting_thread = number(map, key, problems)?,
            "incident" => self.incident = text(map, key, problems)?,
            "bug_type" => self.bug_type = text(map, key, problems)?,
            "date" => self.date = date(map, key, problems)?,
            // Both spellings are written, and say the same.
            "vmRegionInfo" | "vmregioninfo" => self.vm_region_info = text(map, key, problems)?,
            _ => return self.process.field(key, map, problems),
        }
        Ok(())
    }
}

impl Fields for Process {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        problems: &mut Vec<Problem>,
    ) -> Result<(), A::Error> {
        match key {
            "procName" | "process_name" => self.name = text(map, key, problems)?,
            "pid" => self.pid = number(map, key, problems)?,
            "procPath" => self.path = text(map, key, problems)?,
            "parentProc" => self.parent_name = text(map, key, problems)?,
            "parentPid" => self.parent_pid = number(map, key, problems)?,
            "responsibleProc" => self.responsible_name = text(map, key, problems)?,
            "responsiblePid" => self.responsible_pid = number(map, key, problems)?,
            "procLaunch" => self.launched = date(map, key, problems)?,
            "captureTime" => self.captured = date(map, key, problems)?,
            "cpuType" => self.cpu_type = text(map, key, problems)?,
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl Fields for Exception {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        problems: &mut Vec<Problem>,
    ) -> Result<(), A::Error> {
        match key {
            "type" => self.kind = text(map, key, problems)?,
            "signal" => self.signal = text(map, key, problems)?,
            "subtype" => self.subtype = text(map, key, problems)?,
            "codes" => self.codes = text(map, key, problems)?,
            "message" => self.message = text(map, key, problems)?,
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl Fields for Termination {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        problems: &mut Vec<Problem>,
    ) -> Result<(), A::Error> {
        match key {
            "namespace" => self.namespace = text(map, key, problems)?,
            "code" => self.code = number(map, key, problems)?,
            "indicator" => self.indicator = text(map, key, problems)?,
            "byProc" => self.by_process = text(map, key, problems)?,
            "byPid" => self.by_pid = number(map, key, problems)?,
            "reasons" | "details" => self.reasons.extend(texts(map, key, problems)?),
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl Fields for GpuEvent {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        problems: &mut Vec<Problem>,
    ) -> Result<(), A::Error> {
        match key {
            "restart_reason_desc" => self.restart_reason = text(map, key, problems)?,
            "signature" => self.signature = number(map, key, problems)?,
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// `asi`: an object whose keys are image names.
#[derive(Default)]
struct Messages(Vec<ImageMessages>);

impl Fields for Messages {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        problems: &mut Vec<Problem>,
    ) -> Result<(), A::Error> {
        let messages = texts(map, key, problems)?;
        self.0.push(ImageMessages {
            image: key.to_owned(),
            messages,
        });
        Ok(())
    }
}

impl Fields for Thread {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        problems: &mut Vec<Problem>,
    ) -> Result<(), A::Error> {
        match key {
            "id" => self.id = number(map, key, problems)?,
            "name" => self.name = text(map, key, problems)?,
            "queue" => self.queue = text(map, key, problems)?,
            "triggered" => self.triggered = flag(map, key, problems)?,
            // The registers of the other threads are the greater part of a report; only those of
            // the crashed thread carry a description, and `triggered` is written before them.
            "threadState" if self.triggered => {
                let mut state = ThreadState::default();
                map.next_value_seed(Object {
                    into: &mut state,
                    problems,
                    key,
                })?;
                self.fault_description = state.syndrome.description;
            }
            "frames" => {
                let into = &mut self.frames;
                map.next_value_seed(List {
                    into,
                    problems,
                    key: "frames",
                    limit: FRAME_LIMIT,
                })?;
            }
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
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
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        problems: &mut Vec<Problem>,
    ) -> Result<(), A::Error> {
        if key == "esr" {
            map.next_value_seed(Object {
                into: &mut self.syndrome,
                problems,
                key,
            })?;
        } else {
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

impl Fields for Syndrome {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        problems: &mut Vec<Problem>,
    ) -> Result<(), A::Error> {
        if key == "description" {
            self.description = text(map, key, problems)?;
        } else {
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

impl Fields for Frame {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        problems: &mut Vec<Problem>,
    ) -> Result<(), A::Error> {
        match key {
            "symbol" => self.symbol = text(map, key, problems)?,
            "symbolLocation" => self.symbol_location = number(map, key, problems)?,
            "imageIndex" => self.image_index = number(map, key, problems)?,
            "imageOffset" => self.image_offset = number(map, key, problems)?,
            "sourceFile" => self.source_file = text(map, key, problems)?,
            "sourceLine" => self.source_line = number(map, key, problems)?,
            "inline" => self.inline = flag(map, key, problems)?,
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl Fields for Image {
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        problems: &mut Vec<Problem>,
    ) -> Result<(), A::Error> {
        match key {
            "name" => self.name = text(map, key, problems)?,
            "path" => self.path = text(map, key, problems)?,
            "uuid" => self.uuid = text(map, key, problems)?,
            "base" => self.base = number(map, key, problems)?,
            "size" => self.size = number(map, key, problems)?,
            "arch" => self.arch = text(map, key, problems)?,
            "source" => self.source = text(map, key, problems)?,
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
