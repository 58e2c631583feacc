//! Samples of every thread of the system: 288 (`stacks-*.ips`) and 509, and the same inside
//! panics, watchdog time-outs and forced resets.
//!
//! Fields from `mosiko1234/ipsw-auto-symbolicate-server:stacks-2025-06-16-134742.ips`, and for
//! watchdogs from the sample in `blacktop/ipsw:pkg/crashlog/ips_test.go`. Frames are numbers alone,
//! `[index of the image, offset]`, and images have a UUID and no name.

use std::collections::BTreeSet;

use serde::Serialize;

mod read;

pub(in crate::reports) use read::Level;
pub(super) use read::Wire;

/// A sample of every thread.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stackshot {
    /// `reason`: why it was taken, such as `stackshot via sysdiagnose`.
    pub reason: Option<String>,
    /// `frontmostPids`: the applications before the user.
    pub frontmost: Vec<i32>,
    /// `processByPid`, by process id.
    pub processes: Vec<SampledProcess>,
    /// How many threads were sampled in all.
    pub thread_count: usize,
    /// `binaryImages`: frames point into it by index.
    pub images: Vec<SampledImage>,
    /// `notes`.
    pub notes: Vec<String>,
    /// The process to look at first, with what its threads did.
    pub blamed: Option<Blamed>,
}

/// One process of a sample.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SampledProcess {
    /// `pid`, else the key under which it stands. Negative for what has no process.
    pub pid: Option<i32>,
    /// `procname`, cut to 32 characters.
    pub name: Option<String>,
    /// Entries of `threadById`.
    pub thread_count: usize,
    /// `residentMemoryBytes`.
    pub resident_bytes: Option<u64>,
    /// `userTimeTask` and `systemTimeTask` together, in seconds.
    pub cpu_seconds: Option<f64>,
    /// `turnstileInfo`: which thread waits for which, as sentences, at most 8.
    pub blocked: Vec<String>,
}

/// The process to look at first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Blamed {
    /// Its process id.
    pub pid: Option<i32>,
    /// Its name.
    pub name: Option<String>,
    /// Why it is this one.
    pub why: Blame,
    /// Of its threads those that ran, and the oldest, which is the main one: at most 4.
    pub threads: Vec<SampledThread>,
}

/// Why a process is the one to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The report is about it.
    Subject,
    /// The kernel panicked on its behalf.
    Panicked,
    /// It was before the user.
    Frontmost,
}

/// One thread of a sample.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SampledThread {
    /// `id`.
    pub id: Option<u64>,
    /// `name`.
    pub name: Option<String>,
    /// `dispatch_queue_label`.
    pub queue: Option<String>,
    /// `state`, such as `TH_WAIT`, `TH_RUN`.
    pub states: Vec<String>,
    /// `kernelFrames`, innermost first, at most 16.
    pub kernel_frames: Vec<SampledFrame>,
    /// `userFrames`, innermost first, at most 16.
    pub user_frames: Vec<SampledFrame>,
}

/// One frame of a sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SampledFrame {
    /// Index into [`Stackshot::images`].
    pub image: usize,
    /// Bytes from the image's start; the address itself for images with source `A`.
    pub offset: u64,
}

/// One image of a sample.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SampledImage {
    /// UUID, as written.
    pub uuid: Option<String>,
    /// Load address.
    pub base: Option<u64>,
    /// `P` of a process, `S` the shared cache, `C` a library in it, `K`, `U` and `T` of the kernel,
    /// `A` none.
    pub source: Option<String>,
}

/// Whom a report names that holds a sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) pid: Option<i32>,
    pub(super) name: Option<&'a str>,
    pub(super) why: Blame,
}

impl Stackshot {
    /// The processes with the most threads, the most first.
    pub fn busiest(&self, count: usize) -> Vec<&SampledProcess> {
        let mut all: Vec<_> = self.processes.iter().collect();
        all.sort_by_key(|process| std::cmp::Reverse(process.thread_count));
        all.truncate(count);
        all
    }

    /// The image a frame lies in.
    pub fn image_of(&self, frame: SampledFrame) -> Option<&SampledImage> {
        self.images.get(frame.image)
    }

    /// The distinct names of its processes.
    pub fn names(&self) -> BTreeSet<&str> {
        let names = self.processes.iter();
        names
            .filter_map(|process| process.name.as_deref())
            .collect()
    }
}
