//! Reading samples, one process at a time: of each only what may be asked for later is kept.

use serde::de::MapAccess;

use super::{
    Blame, Blamed, Named, SampledFrame, SampledImage, SampledProcess, SampledThread, Stackshot,
};
use crate::reports::ips::object::{Field, Fields, too_many};
use crate::reports::ips::rows::Scalar;

/// Bounds far above any real sample: 414 processes and 273 images are what was seen.
const PROCESS_LIMIT: usize = 20_000;
const IMAGE_LIMIT: usize = 20_000;
const NOTE_LIMIT: usize = 100;
const PID_LIMIT: usize = 100;

/// How many threads of a process are kept until it is known which process counts.
const THREADS_KEPT: usize = 4;
const FRAMES_KEPT: usize = 16;
const BLOCKED_KEPT: usize = 8;

/// Where the members of a report with a sample lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reports) enum Level {
    /// Directly in the body.
    Body,
    /// In its `stackshot`.
    Stackshot,
    /// In `processByPid` of either.
    Processes,
}

impl Level {
    /// The level inside the member `key`, where its members are to be read one by one.
    pub(in crate::reports) fn inside(self, key: &str) -> Option<Self> {
        match (self, key) {
            (Self::Body, "stackshot") => Some(Self::Stackshot),
            (Self::Body | Self::Stackshot, "processByPid") => Some(Self::Processes),
            _ => None,
        }
    }
}

/// A sample as read so far.
#[derive(Default)]
pub(in crate::reports::events) struct Wire {
    seen: bool,
    stackshot: Stackshot,
    kept: Vec<Vec<SampledThread>>,
    too_many: bool,
}

impl Wire {
    /// Whether the member belongs to a sample.
    pub(in crate::reports::events) fn wants(key: &str) -> bool {
        matches!(
            key,
            "processByPid" | "binaryImages" | "stackshot" | "frontmostPids" | "notes" | "reason"
        )
    }

    /// Reads one entry of `processByPid`.
    pub(in crate::reports::events) fn process<'de, A: MapAccess<'de>>(
        &mut self,
        field: Field<'_, A>,
    ) -> Result<(), A::Error> {
        self.seen = true;
        if self.stackshot.processes.len() >= PROCESS_LIMIT {
            if !self.too_many {
                self.too_many = true;
                too_many(field.problems, "processByPid", PROCESS_LIMIT);
            }
            return field.skip();
        }
        let mut process = Process::default();
        process.sampled.pid = field.key.parse().ok();
        let read = field.object(&mut process);
        // What a cut-off entry gave counts; one of another form does not.
        if !matches!(read, Ok(false)) {
            let threads = process.threads;
            process.sampled.thread_count = threads.count;
            self.stackshot.thread_count += threads.count;
            self.stackshot.processes.push(process.sampled);
            self.kept.push(threads.finish());
        }
        read.map(drop)
    }

    /// The sample, where there was one, and in it the process to look at: the one that the report
    /// names, else the one before the user.
    pub(in crate::reports::events) fn finish(self, named: Option<Named<'_>>) -> Option<Stackshot> {
        let Self {
            seen,
            mut stackshot,
            mut kept,
            ..
        } = self;
        if !seen {
            return None;
        }
        let by_pid = |pid: i32| {
            let mut all = stackshot.processes.iter();
            all.position(|process| process.pid == Some(pid))
        };
        let by_name = |name: &str| {
            let mut all = stackshot.processes.iter();
            all.position(|process| process.name.as_deref() == Some(name))
        };
        let subject = named.and_then(|named| {
            let index = named
                .pid
                .filter(|pid| *pid >= 0)
                .and_then(by_pid)
                .or_else(|| named.name.and_then(by_name))?;
            Some((index, named.why))
        });
        let frontmost = || {
            let index = stackshot.frontmost.iter().find_map(|pid| by_pid(*pid))?;
            Some((index, Blame::Frontmost))
        };
        let blamed = subject.or_else(frontmost).and_then(|(index, why)| {
            let process = stackshot.processes.get(index)?;
            Some(Blamed {
                pid: process.pid,
                name: process.name.clone(),
                why,
                threads: kept.get_mut(index).map(std::mem::take)?,
            })
        });
        stackshot.blamed = blamed;
        stackshot.processes.sort_by_key(|process| process.pid);
        Some(stackshot)
    }
}

impl Fields for Wire {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        let into = &mut self.stackshot;
        match field.key {
            "processByPid" => {
                self.seen = true;
                field.object(&mut Processes(self))?;
            }
            "stackshot" => {
                field.object(self)?;
            }
            "binaryImages" => field.rows(IMAGE_LIMIT, |row| {
                into.images.push(SampledImage {
                    uuid: row.first().and_then(Scalar::text),
                    base: row.get(1).and_then(Scalar::number),
                    source: row.get(2).and_then(Scalar::text),
                });
            })?,
            "frontmostPids" => {
                let texts = field.texts()?;
                let pids = texts.iter().filter_map(|text| text.parse().ok());
                into.frontmost = pids.take(PID_LIMIT).collect();
            }
            "notes" => {
                into.notes = field.texts()?;
                into.notes.truncate(NOTE_LIMIT);
            }
            "reason" => into.reason = field.text()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

/// `processByPid`: an object whose keys are process ids.
struct Processes<'a>(&'a mut Wire);

impl Fields for Processes<'_> {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        self.0.process(field)
    }
}

#[derive(Default)]
struct Process {
    sampled: SampledProcess,
    threads: Threads,
}

impl Fields for Process {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        let into = &mut self.sampled;
        match field.key {
            "threadById" => {
                field.object(&mut self.threads)?;
            }
            "pid" => into.pid = field.number()?.or(into.pid),
            "procname" => into.name = field.text()?,
            "residentMemoryBytes" => into.resident_bytes = field.number()?,
            "userTimeTask" | "systemTimeTask" => {
                if let Some(seconds) = field.float()? {
                    *into.cpu_seconds.get_or_insert(0.0) += seconds;
                }
            }
            "turnstileInfo" => {
                into.blocked = field.texts()?;
                into.blocked.truncate(BLOCKED_KEPT);
            }
            _ => field.skip()?,
        }
        Ok(())
    }
}

/// `threadById`: an object whose keys are thread ids. Their order says nothing.
#[derive(Default)]
struct Threads {
    count: usize,
    running: Vec<SampledThread>,
    oldest: Option<SampledThread>,
}

impl Fields for Threads {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        let mut thread = SampledThread {
            id: field.key.parse().ok(),
            ..SampledThread::default()
        };
        let read = field.object(&mut thread);
        if !matches!(read, Ok(false)) {
            self.count += 1;
            self.keep(thread);
        }
        read.map(drop)
    }
}

impl Threads {
    fn keep(&mut self, thread: SampledThread) {
        let ran = thread.states.iter().any(|state| state == "TH_RUN");
        let is_oldest = self
            .oldest
            .as_ref()
            .is_none_or(|oldest| thread.id < oldest.id);
        if is_oldest {
            let before = self.oldest.replace(thread);
            if let Some(before) = before {
                self.keep_running(before);
            }
        } else if ran {
            self.keep_running(thread);
        }
    }

    fn keep_running(&mut self, thread: SampledThread) {
        let ran = thread.states.iter().any(|state| state == "TH_RUN");
        if ran && self.running.len() + 1 < THREADS_KEPT {
            self.running.push(thread);
        }
    }

    fn finish(self) -> Vec<SampledThread> {
        let mut threads = self.running;
        threads.extend(self.oldest);
        threads
    }
}

impl Fields for SampledThread {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        match field.key {
            "id" => self.id = field.number()?.or(self.id),
            "name" => self.name = field.text()?,
            "dispatch_queue_label" => self.queue = field.text()?,
            "state" => self.states = field.texts()?,
            "kernelFrames" => frames(field, &mut self.kernel_frames)?,
            "userFrames" => frames(field, &mut self.user_frames)?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

fn frames<'de, A: MapAccess<'de>>(
    field: Field<'_, A>,
    into: &mut Vec<SampledFrame>,
) -> Result<(), A::Error> {
    into.clear();
    field.rows(usize::MAX, |row| {
        if into.len() < FRAMES_KEPT
            && let Some(image) = row.first().and_then(Scalar::number)
            && let Some(offset) = row.get(1).and_then(Scalar::number)
        {
            into.push(SampledFrame { image, offset });
        }
    })
}
