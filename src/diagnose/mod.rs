//! Signatures as data, matching a report or a stderr line against them, and what tells one crash
//! from another: the fingerprint, groups.

mod bypass;
mod file;
mod fingerprint;
pub(crate) mod flaw;
pub mod glob;
mod groups;
mod hooked;
mod line;
pub mod loader;
mod matching;
mod normal;
mod pattern;
mod route;
mod rule;
mod signature;
mod table;

pub use bypass::{Because, Bypass, Ways};
pub use file::SignatureFileError;
pub use fingerprint::{Fingerprint, NoFingerprint, fingerprint};
pub use groups::{Group, Groups};
pub use hooked::HooksBy;
pub use matching::words;
pub use pattern::{FramePattern, Pattern};
pub use route::{FixFacts, Library, Route, ShownBy};
pub use rule::{AccessName, Rule};
pub use signature::{Blame, Confidence, Diagnosis, Signature};
pub use table::{Signatures, diagnose, match_line};

#[cfg(test)]
mod tests;
