//! How a signature shows in a report.

use serde::Deserialize;

use super::pattern::{FramePattern, Pattern};
use super::signature::Confidence;
use crate::reports::Kind;
use crate::reports::fault::Access;

/// Conditions on a report. Every one that is given must hold; of a list, one entry suffices.
///
/// What each means to those who write signatures stands at the head of `signatures.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// Kinds of report.
    pub kinds: Vec<Kind>,
    /// The process's name.
    pub processes: Vec<Pattern>,
    /// The system's version, such as `macOS 26.4.1 (25E253)`.
    pub systems: Vec<Pattern>,
    /// Exception types or signals.
    pub exceptions: Vec<String>,
    /// The exception's subtype.
    pub subtypes: Vec<Pattern>,
    /// Fault addresses as recorded.
    pub addresses: Vec<u64>,
    /// An address within [`NULL_REGION`]; beside `addresses` it lowers the confidence.
    pub near_null: bool,
    /// What the access was. Another one lowers the confidence, an unknown one does not.
    pub access: Option<AccessName>,
    /// The kernel suspects a failed pointer authentication.
    pub pointer_authentication: bool,
    /// The innermost frame of the crashed thread.
    pub first: Vec<FramePattern>,
    /// Its first frame that is no part of raising the failure.
    pub interesting: Vec<FramePattern>,
    /// Any of its frames, or of those of the thrown exception.
    pub anywhere: Vec<FramePattern>,
    /// All of these, from inside to outside, with others between them.
    pub order: Vec<FramePattern>,
    /// Images that the process had loaded.
    pub loaded: Vec<Pattern>,
    /// The crashed thread's dispatch queue.
    pub queues: Vec<Pattern>,
    /// The crashed thread's name.
    pub threads: Vec<Pattern>,
    /// The termination's namespace.
    pub namespaces: Vec<String>,
    /// The termination's code.
    pub codes: Vec<i64>,
    /// Found in what the report says in words.
    pub said: Vec<Pattern>,
    /// The policy that the process's ledger names.
    pub policies: Vec<Pattern>,
    /// Counters of that ledger that are not zero.
    pub counters: Vec<String>,
    /// A hooked call that was under way.
    pub in_call: Vec<Pattern>,
    /// How sure a match is, at best.
    pub confidence: Confidence,
}

/// Addresses below this are a NULL pointer plus an offset: the first pages are never mapped.
pub const NULL_REGION: u64 = 0x1_0000;

impl Rule {
    /// Whether it holds of every report.
    pub fn is_empty(&self) -> bool {
        let unconditional = Self {
            confidence: self.confidence,
            ..Self::default()
        };
        *self == unconditional
    }
}

/// What the processor was doing with the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessName {
    /// A load.
    Read,
    /// A store.
    Write,
    /// An instruction fetch.
    Execute,
}

impl AccessName {
    /// Whether it is that access.
    pub fn is(self, access: Access) -> bool {
        matches!(
            (self, access),
            (Self::Read, Access::Read)
                | (Self::Write, Access::Write)
                | (Self::Execute, Access::Execute)
        )
    }
}
