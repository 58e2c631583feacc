//! When a file is whole.
//!
//! Nothing on either system says that a writer is done. A JSON report ends with its last brace, a
//! text may end at any line, and one that ends in the middle may never be finished: its writer has
//! died, or the disk was full.

use std::time::Duration;

use crate::reports::file::FileError;
use crate::reports::model::Report;
use crate::reports::problem::Problem;

/// For every file: a change within one step of the file system's clock (4 ms to 10 ms on Linux) is
/// not seen by its time, and the newline behind the last brace may come in a write of its own.
pub const ANY: Duration = Duration::from_millis(50);

/// For a text, whose end does not show.
pub const TEXT: Duration = Duration::from_millis(300);

/// For what ends in the middle, and for what is no report yet.
pub const BROKEN: Duration = Duration::from_secs(5);

/// How long a file with this content must have been at rest before it is taken as it is.
pub fn needed(outcome: Result<(&Report, &[u8]), &FileError>) -> Duration {
    let (report, bytes) = match outcome {
        Ok(read) => read,
        // No writing makes a file of it.
        Err(FileError::NotAFile { .. }) => return ANY,
        Err(_) => return BROKEN,
    };
    let broken = |problem: &Problem| matches!(problem, Problem::BodySyntax { .. });
    if report.is_cut_off() || report.problems.iter().any(broken) {
        return BROKEN;
    }
    // A JSON body that is neither cut off nor damaged has its last brace.
    match bytes.trim_ascii_end().last() {
        Some(b'}') => ANY,
        _ => TEXT,
    }
}
