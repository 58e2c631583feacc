//! An audit as it is printed, written to a file, and read again.
//!
//! Addresses are those of the image before it is slid; numbers are whole. What a later agxrun adds is
//! skipped by an earlier one that reads it.

use serde::{Deserialize, Serialize};

use super::against::Comparison;
use super::bypass::BypassAudit;
use super::race::RaceAudit;
use crate::audit::coverage::Coverage;

/// Version of this layout; it grows when a field changes its meaning, not when one is added.
pub const SCHEMA: u32 = 1;

/// What was found in one or more files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of the agxrun that looked.
    pub agxrun: String,
    /// The policy by which findings are judged.
    pub policy: String,
    /// The files, as they were named.
    pub files: Vec<FileAudit>,
    /// What is new against another audit; none where that was not asked for.
    pub against: Option<Comparison>,
    /// What it comes to.
    pub verdict: Verdict,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileAudit {
    /// The file that was read: of a bundle its executable.
    pub path: String,
    /// Why nothing of it could be read; none where something was.
    pub error: Option<String>,
    /// Its parts that were looked at, each for one processor.
    pub parts: Vec<PartAudit>,
    /// The processors of the parts that were not looked at.
    pub passed_over: Vec<String>,
}

/// A part of a file, for one processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartAudit {
    /// The processor, such as `arm64e`.
    pub arch: String,
    /// Where it begins in the file.
    pub offset: u64,
    /// Why nothing of it could be read; none where something was.
    pub error: Option<String>,
    /// What is in it.
    pub image: Option<ImageAudit>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageAudit {
    /// The build's number in lower-case hexadecimal, with hyphens, as crash reports name it.
    pub uuid: Option<String>,
    /// Program, library, bundle, or something else.
    pub file_type: String,
    /// The address of its header.
    pub base: u64,
    /// The driver's family by the names of its classes, such as `G16X`; none where no class has one.
    pub family: Option<String>,
    /// Classes that it defines.
    pub classes: usize,
    /// Methods of those and of its categories.
    pub methods: usize,
    /// Functions that are known; none where the code is not looked at.
    pub functions: Option<usize>,
    /// What could not be read of it.
    pub gaps: GapsAudit,
    /// What cannot be seen by looking at this file.
    pub unseen: Vec<Unseen>,
    /// What the policies reach.
    pub coverage: Coverage,
    /// Ways past the hooks of the audit's policy; none where the code is not looked at.
    pub bypass: Option<BypassAudit>,
    /// What the code does with `_impl`; none as before.
    pub race: Option<RaceAudit>,
}

/// What could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapsAudit {
    /// How many places.
    pub count: u64,
    /// The first of them: which structure, where, and what is the matter with it.
    pub first: Vec<String>,
}

/// Something that cannot be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen {
    /// What.
    pub kind: UnseenKind,
    /// The same for people, with what it means.
    pub text: String,
}

/// What cannot be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnseenKind {
    /// Structures that are damaged or of an unknown layout.
    Damaged,
    /// Encrypted bytes.
    Encrypted,
    /// What the shared cache has and an image taken out of it has not.
    SharedCache,
    /// Code for another processor than arm64 or arm64e.
    Code,
    /// The driver's family: no class is named after one.
    Family,
    /// Classes whose superclass is not known.
    Superclass,
    /// What classes inherit from other images.
    Inherited,
    /// Words in code that are no instruction known here, and functions that could not be followed.
    Instructions,
}

/// What an audit comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What was looked at.
    pub looked_at: LookedAt,
    /// What was found.
    pub findings: Vec<Finding>,
    /// How many things cannot be seen; each is with its image.
    pub unseen: usize,
    /// Files and parts of which nothing could be read.
    pub failed: usize,
    /// All of it in sentences.
    pub text: Vec<String>,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookedAt {
    /// Images of which something was read.
    pub images: usize,
    /// Classes that they define.
    pub classes: usize,
    /// Classes of encoders, command buffers, queues and devices among those, and such of other images
    /// to which they add methods.
    pub driver_classes: usize,
    /// Methods of the latter.
    pub methods: usize,
    /// Instructions, pointers and words of data in which a way past a hook could have been.
    pub places: u64,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Of which sort.
    pub kind: FindingKind,
    /// Whether the policy's protection has a hole by it: what `--fail` asks about.
    pub weakens: bool,
    /// How many times.
    pub count: usize,
    /// The same as a sentence.
    pub text: String,
}

/// Of which sort a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Work methods that the policy does not hook.
    UncoveredWork,
    /// Ways to the code of hooked methods past their hooks.
    Bypass,
    /// Methods of hooked classes that are called directly, so that nothing can hook them.
    DirectMethod,
    /// Code that asks the runtime for the code of methods: of which, it does not tell.
    Lookup,
    /// Bytes that may be the distance to a hooked method's code, or look so by chance.
    Distance,
    /// Methods `destroyImpl` that store NULL to `_impl` after the unlock.
    Race,
    /// Reads that fault where `_impl` is NULL.
    UntestedRead,
    /// Classes and methods that the other audit did not have, or had otherwise.
    Changed,
}

impl Audit {
    /// All images, each with its file and part.
    pub fn images(&self) -> impl Iterator<Item = (&FileAudit, &PartAudit, &ImageAudit)> {
        self.files.iter().flat_map(|file| {
            file.parts
                .iter()
                .filter_map(move |part| Some((file, part, part.image.as_ref()?)))
        })
    }
}
