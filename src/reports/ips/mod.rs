//! Reading `.ips` bytes: a JSON header line, then a JSON or text body.
//!
//! One pass, which never fails as a whole: a field of an unknown form is noted and passed over,
//! and where the JSON stops being JSON, everything read before that place is kept. Bodies that hold
//! a sample of every thread are read a piece at a time, and damage in one piece leaves the others.
//!
//! ```
//! use agxrun::reports::{Problem, events::Details, ips};
//!
//! let file = r#"{"bug_type":"298","timestamp":"2026-06-12 05:00:00.00 +0000"}
//! {"memoryStatus": {"pageSize": 16384},
//!  "processes": [{"name": "python3", "pid": 456, "rpages": 1572864, "reason": "per-process-limit"},
//!                {"name": "Fin"#;
//! let report = ips::read(file.as_bytes())?;
//! let Some(Details::Jetsam(jetsam)) = &report.details else { panic!("a memory kill") };
//! assert_eq!(jetsam.killed[0].reason.as_deref(), Some("per-process-limit"));
//! assert_eq!(jetsam.bytes(1572864), Some(24 << 30));
//! // The file ends early: what stood before the end was read, and the end is told.
//! assert!(matches!(report.problems[..], [Problem::BodyTruncated { line: 3 }]));
//! # Ok::<(), agxrun::reports::problem::ReadError>(())
//! ```

use std::borrow::Cow;
use std::io;

use serde::de::MapAccess;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::events::{self, Level};
use super::kind::Kind;
use super::model::{Header, Report};
use super::problem::{Problem, ReadError};
use super::{fault, text};
use object::{Field, Fields};
use stream::Members;

mod body;
mod fields;
mod header;
pub(super) mod object;
pub(super) mod rows;
mod stream;

/// Reads a report from the bytes of its file: `.ips` of any kind, or `.crash` text.
///
/// # Errors
/// Only where the bytes hold no report at all.
pub fn read(bytes: &[u8]) -> Result<Report, ReadError> {
    let mut report = Report::default();
    let whole = decode(bytes, &mut report.problems);
    let content = whole.trim_start_matches('\u{feff}').trim_start();
    if content.is_empty() {
        return Err(ReadError::Empty);
    }
    if !content.starts_with('{') && !is_header_fragment(content) {
        if events::read_text(content, &mut report) {
            finish(&mut report);
            return Ok(report);
        }
        if text::looks_like_report(content) {
            report.kind = Kind::TextCrash;
            text::read_into(content, &mut report);
            finish(&mut report);
            return Ok(report);
        }
        return Err(ReadError::NotAReport {
            reason: describe_start(bytes),
        });
    }
    let body = read_first_value(content, &mut report);
    if let Some(body) = body {
        read_body(body, whole.len() - body.len(), &mut report);
    }
    let empty = report.header == Header::default() && report.process.pid.is_none();
    if empty && report.threads.is_empty() && report.process.name.is_none() {
        return Err(ReadError::NotAReport {
            reason: "JSON without any field of a report".to_owned(),
        });
    }
    finish(&mut report);
    Ok(report)
}

/// Reads the header line alone; `None` where the bytes do not begin with a whole one.
pub fn read_header(start: &[u8]) -> Option<Header> {
    let end = start
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(start.len());
    let line = str::from_utf8(start.get(..end)?).ok()?;
    let mut read = header::Wire::default();
    let mut problems = Vec::new();
    object::parse(line, &mut read, &mut problems).ok()?;
    Some(read.into_header(&mut problems))
}

/// Text of the bytes; odd ones are replaced and noted.
fn decode<'a>(bytes: &'a [u8], problems: &mut Vec<Problem>) -> Cow<'a, str> {
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) => {
            problems.push(Problem::NotUtf8 {
                at: error.valid_up_to(),
            });
            String::from_utf8_lossy(bytes)
        }
    }
}

/// Whether a text starts inside a header line, as in a report that lost its first bytes.
fn is_header_fragment(content: &str) -> bool {
    let line = content.lines().next().unwrap_or_default();
    line.starts_with('"') && line.contains("\"bug_type\"")
}

/// Reads the header, and gives the text of the body. In a file without a header line the first
/// value already is the body.
fn read_first_value<'a>(content: &'a str, report: &mut Report) -> Option<&'a str> {
    let mut values = serde_json::Deserializer::from_str(content).into_iter::<&RawValue>();
    let first = values.next();
    let end = values.byte_offset();
    if let Some(Ok(value)) = first {
        let is_object = value.get().starts_with('{');
        if is_object && header::is_body(value.get()) {
            report.problems.push(Problem::HeaderMissing);
            return Some(content);
        }
        let mut read = header::Wire::default();
        // The value is known to be whole JSON.
        if is_object && object::parse(value.get(), &mut read, &mut report.problems).is_ok() {
            report.header = read.into_header(&mut report.problems);
            let body = content
                .get(end..)
                .map(str::trim_start)
                .filter(|rest| !rest.is_empty());
            if body.is_none() {
                report.problems.push(Problem::BodyMissing);
            }
            return body;
        }
    }
    let line_end = content.find('\n').unwrap_or(content.len());
    let (line, rest) = content.split_at(line_end);
    if line.starts_with('{') && !header::is_header(line) {
        report.problems.push(Problem::HeaderMissing);
        return Some(content);
    }
    report.problems.push(Problem::HeaderDamaged);
    report.header = header::salvage(line, &mut report.problems);
    let rest = rest.trim_start();
    if rest.is_empty() {
        report.problems.push(Problem::BodyMissing);
        return None;
    }
    Some(rest)
}

/// Reads a body that begins `offset` bytes into the file.
fn read_body(body: &str, offset: usize, report: &mut Report) {
    if !body.starts_with('{') {
        if !events::read_text(body, report) {
            text::read_into(body, report);
        }
        return;
    }
    let mut into = Body::new(report);
    if kind_of(report).holds_stackshot() {
        // What is in memory cannot fail to be read.
        let read = stream::read(body.as_bytes(), offset, &mut into, &mut report.problems);
        debug_assert!(read.is_ok());
        into.fill(report);
        return;
    }
    let outcome = object::parse_prefix(body, &mut into, &mut report.problems);
    into.fill(report);
    match outcome {
        Ok(0) => {}
        Ok(bytes) => report.problems.push(Problem::TrailingData { bytes }),
        Err(error) if error.classify() == Category::Eof => {
            report
                .problems
                .push(Problem::BodyTruncated { line: error.line() });
        }
        Err(error) => report.problems.push(Problem::BodySyntax {
            line: error.line(),
            column: error.column(),
            reason: error.to_string(),
        }),
    }
}

/// The header line at the start of a file, and where the JSON body behind it begins; `None` where
/// the file does not begin so.
pub(super) fn split_header(start: &[u8]) -> Option<(&str, usize)> {
    let end = start.iter().position(|byte| *byte == b'\n')?;
    let header = str::from_utf8(start.get(..end)?).ok()?;
    let spaces = start
        .get(end..)?
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())?;
    let body = end + spaces;
    let is_json = header.starts_with('{') && start.get(body) == Some(&b'{');
    is_json.then_some((header, body))
}

/// Reads a report whose kind holds a sample of every thread from its file, a piece at a time: the
/// header line `header`, and `body`, which begins `offset` bytes into the file. `None` where the
/// line is no header, or one of another kind.
///
/// # Errors
/// Those of `body`.
pub(super) fn read_streamed(
    header: &str,
    body: impl io::Read,
    offset: usize,
) -> io::Result<Option<Report>> {
    let mut report = Report::default();
    let mut read = header::Wire::default();
    if object::parse(header, &mut read, &mut report.problems).is_err() {
        return Ok(None);
    }
    report.header = read.into_header(&mut report.problems);
    if !kind_of(&report).holds_stackshot() {
        return Ok(None);
    }
    let mut into = Body::new(&report);
    stream::read(body, offset, &mut into, &mut report.problems)?;
    into.fill(&mut report);
    finish(&mut report);
    Ok(Some(report))
}

/// A body: the fields that crashes have, and those of other kinds.
struct Body {
    common: body::Wire,
    event: events::Wire,
}

impl Body {
    fn new(report: &Report) -> Self {
        Self {
            common: body::Wire::default(),
            event: events::Wire::new(kind_of(report)),
        }
    }

    fn fill(self, report: &mut Report) {
        self.common.fill(report);
        self.event.fill(report);
    }
}

impl Fields for Body {
    fn take<'de, A: MapAccess<'de>>(&mut self, field: Field<'_, A>) -> Result<(), A::Error> {
        if self.event.wants(field.key) {
            self.event.take(field)
        } else {
            self.common.take(field)
        }
    }
}

impl Members for Body {
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        level: Level,
        field: Field<'_, A>,
    ) -> Result<(), A::Error> {
        match level {
            Level::Body => self.take(field),
            _ => self.event.take_at(level, field),
        }
    }
}

fn kind_of(report: &Report) -> Kind {
    match &report.header.bug_type {
        Some(bug_type) => Kind::from_bug_type(bug_type),
        None => Kind::Unstated,
    }
}

/// What follows from the fields together.
fn finish(report: &mut Report) {
    // A text body may say that it tells of no crash.
    if report.header.bug_type.is_some() && report.kind != Kind::OsFault {
        report.kind = kind_of(report);
    }
    // How watchdogs say that they do not know.
    report.process.pid = report.process.pid.filter(|pid| *pid >= 0);
    if report
        .faulting_thread
        .is_some_and(|index| index >= report.threads.len())
    {
        report.faulting_thread = None;
    }
    if report.faulting_thread.is_none() {
        report.faulting_thread = report.threads.iter().position(|thread| thread.triggered);
    }
    let images = report.images.len();
    let all = report.threads.iter().flat_map(|thread| &thread.frames);
    let lost = all
        .chain(&report.last_exception_backtrace)
        .filter(|frame| frame.image_index.is_some_and(|index| index >= images))
        .count();
    if lost > 0 {
        report
            .problems
            .push(Problem::FramesWithoutImage { count: lost });
    }
    let description = report
        .crashed_thread()
        .and_then(|thread| thread.fault_description.clone());
    let region = report.vm_region_info.clone();
    if let Some(exception) = &mut report.exception {
        exception.fault = fault::fault_of(
            exception.kind.as_deref(),
            exception.subtype.as_deref(),
            region.as_deref(),
            exception.codes.as_deref(),
            description.as_deref(),
        );
    }
}

fn describe_start(bytes: &[u8]) -> String {
    const SHOWN: usize = 16;
    let start = bytes.get(..SHOWN).unwrap_or(bytes);
    format!("the file starts with `{}`", start.escape_ascii())
}
