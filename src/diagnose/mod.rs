//! Signatures as data, and matching a report or a stderr line against them.

pub mod glob;
mod line;
pub mod loader;
mod report;
pub mod signature;
mod signatures;

pub use line::match_line;
pub use report::diagnose;
pub use signature::{Blame, Confidence, Diagnosis, Signature};
pub use signatures::all;

#[cfg(test)]
mod tests;
