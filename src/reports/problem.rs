//! What could not be read, as data: one odd field never loses a report.

use serde::Serialize;

use super::kind::Kind;

/// Something in a report that could not be read; the rest of the report stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Problem {
    /// A field holds another type than this reader knows.
    #[error("field `{field}` holds {found}, where {expected} was expected")]
    Drifted {
        /// The field's key, without its path.
        field: String,
        /// The type or form this reader knows.
        expected: &'static str,
        /// What stood there instead.
        found: String,
    },
    /// The header line is not one JSON object; what could be picked out of it was.
    #[error("the header line is damaged; its readable fields were used")]
    HeaderDamaged,
    /// The file has a body and no header line.
    #[error("there is no header line")]
    HeaderMissing,
    /// The file ends behind its header line.
    #[error("there is no body behind the header line")]
    BodyMissing,
    /// The file ends inside its body; all that stood before the end was read.
    #[error("the body ends early, at line {line}")]
    BodyTruncated {
        /// Line in the body, from 1.
        line: usize,
    },
    /// The body stops being JSON; all that stood before that place was read.
    #[error("the body is not JSON from line {line}, column {column}: {reason}")]
    BodySyntax {
        /// Line in the body, from 1.
        line: usize,
        /// Column in that line, from 1.
        column: usize,
        /// The parser's words.
        reason: String,
    },
    /// More text follows the end of the body.
    #[error("{bytes} bytes follow the end of the body")]
    TrailingData {
        /// How many.
        bytes: usize,
    },
    /// The file is not UTF-8; the odd bytes were replaced.
    #[error("byte {at} is not UTF-8; odd bytes were replaced")]
    NotUtf8 {
        /// Offset of the first odd byte in the file.
        at: usize,
    },
    /// A list is longer than any real report's; the rest of it was not kept.
    #[error("`{list}` holds more than {limit} entries; the rest was not kept")]
    TooMany {
        /// The list's key.
        list: String,
        /// How many were kept.
        limit: usize,
    },
    /// A value is longer than any real report's, and was passed over.
    #[error("`{field}` holds a value of more than {limit} bytes, which was passed over")]
    TooLong {
        /// The value's key.
        field: String,
        /// The longest that is read, in bytes.
        limit: usize,
    },
    /// A frame names an image that is not in the list of images.
    #[error("{count} frames name images that are not listed")]
    FramesWithoutImage {
        /// How many frames.
        count: usize,
    },
}

/// Why bytes could not be read as a report at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is nothing in the file.
    #[error("the report is empty")]
    Empty,
    /// The bytes are neither `.ips` nor `.crash` text.
    #[error("not a crash report: {reason}")]
    NotAReport {
        /// What was seen instead.
        reason: String,
    },
}

/// One of the five facts that every crash report should give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// The process's name.
    Process,
    /// Its process id.
    Pid,
    /// When it was captured or written.
    Time,
    /// The exception's type.
    ExceptionType,
    /// The incident id.
    Incident,
}

/// Why a [`Fact`] is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// Reports of this kind never give it.
    KindHasNone(Kind),
    /// The file is damaged or cut off, see [`crate::reports::Report::problems`].
    Unreadable,
    /// The file is whole, and does not say.
    NotStated,
}
