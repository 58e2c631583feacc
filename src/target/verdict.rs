//! What becomes of an inserted library, and why.

use std::path::PathBuf;

use serde::Serialize;

use super::image::Processor;

/// What becomes of the library in one program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Variable and library both get in.
    Arrives,
    /// The program runs without the library, silently. On macOS its children do not get the
    /// variable either.
    Stripped,
    /// The program does not run: the library would end it, or it cannot be executed here at all.
    Fatal,
    /// The file does not tell.
    Unknown,
}

/// What one rule decided about one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of the library.
    pub kind: Kind,
    /// The rule that decided, by its id; ids are stable, scripts may compare them.
    pub rule: &'static str,
    /// What the rule saw, as a lower-case sentence without an end.
    pub because: String,
    /// The file that it was read from.
    pub file: PathBuf,
    /// What would help, the best first; nothing where the library arrives.
    pub remedies: Vec<Remedy>,
}

impl Verdict {
    /// Whether the library gets in.
    pub fn arrives(&self) -> bool {
        self.kind == Kind::Arrives
    }
}

/// What would help. What it means on this machine (which program, which commands) is worked out
/// where it is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Run another build of the same program: one that is not protected, static, or foreign.
    AnotherBuild,
    /// Copy the program, and sign the copy ad hoc, without the flag or with the two entitlements.
    SignCopy,
    /// Run the slice for this processor: `arch -arm64`, `arch -x86_64`.
    RunSlice(Processor),
    /// Build the library for this processor, too.
    BuildLibrary(Processor),
    /// Sign the library: ad hoc is enough.
    SignLibrary,
    /// Run it without the library, and say so: `--allow-uninjected`.
    RunWithout,
}
