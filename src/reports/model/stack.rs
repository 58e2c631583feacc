//! Threads, their frames, and the images that frames lie in.

use serde::Serialize;

use super::{InstructionStream, ThreadState};

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
    /// `threadState`, of the thread that crashed: those of the others are the greater part of a
    /// report, and are passed over.
    pub state: Option<ThreadState>,
    /// `instructionState.instructionStream`: the code around the program counter.
    pub instructions: Option<InstructionStream>,
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
    /// `imageIndex`: into [`Report::images`](super::Report::images).
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
    /// `CFBundleIdentifier`.
    pub identifier: Option<String>,
    /// `CFBundleShortVersionString`: the version for people.
    pub short_version: Option<String>,
    /// `CFBundleVersion`: the build.
    pub version: Option<String>,
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
