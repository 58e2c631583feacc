//! Reading `.ips` bytes: a JSON header line, then a JSON or text body.
//!
//! One pass, which never fails as a whole: a field of an unknown form is noted and passed over,
//! and where the JSON stops being JSON, everything read before that place is kept.

use std::borrow::Cow;

use serde_json::error::Category;
use serde_json::value::RawValue;

use super::kind::Kind;
use super::model::{Header, Report};
use super::problem::{Problem, ReadError};
use super::{fault, text};

mod body;
mod fields;
mod header;
mod object;

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
        read_body(body, &mut report);
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

fn read_body(body: &str, report: &mut Report) {
    if !body.starts_with('{') {
        text::read_into(body, report);
        return;
    }
    let mut wire = body::Wire::default();
    let outcome = object::parse_prefix(body, &mut wire, &mut report.problems);
    wire.fill(report);
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

/// What follows from the fields together.
fn finish(report: &mut Report) {
    if let Some(bug_type) = &report.header.bug_type {
        report.kind = Kind::from_bug_type(bug_type);
    }
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
