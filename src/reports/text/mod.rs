//! Reading reports that are text: `.crash` files, and the body of kinds 109 and 9.
//!
//! Tools such as KSCrash and PLCrashReporter write the same form with small differences; those
//! are read too.

use super::kind::Kind;
use super::model::{Exception, Frame, ImageMessages, Report, Thread};
use super::{problem::Problem, time};

mod frame;
mod images;
mod thread;

use images::Images;

/// Whether a text begins like a report.
pub fn looks_like_report(content: &str) -> bool {
    const HEAD: usize = 60;
    let head = || content.lines().take(HEAD).map(str::trim_start);
    let named = head().any(|line| line.starts_with("Process:"));
    let crashed = head().any(|line| {
        line.starts_with("Exception Type:")
            || line.starts_with("Date/Time:")
            || line.starts_with("Incident Identifier:")
    });
    named && crashed
}

/// Reads a text into a report, beside what its header line gave.
pub fn read_into(content: &str, report: &mut Report) {
    let mut reader = Reader {
        report,
        images: Images::default(),
        entries: 0,
        section: Section::Head,
    };
    for line in content.lines() {
        reader.line(line);
    }
    let Reader {
        report,
        images,
        entries,
        ..
    } = reader;
    report.images = images.finish(&mut report.threads, &mut report.last_exception_backtrace);
    if entries >= ENTRY_LIMIT {
        report.problems.push(Problem::TooMany {
            list: "Thread".to_owned(),
            limit: ENTRY_LIMIT,
        });
    }
    mark_triggered(report);
}

/// How many threads, frames and sentences are kept of one report in all. The largest report seen
/// has 12,000.
const ENTRY_LIMIT: usize = 300_000;

enum Section {
    /// `Key: value` lines.
    Head,
    /// Lines under `Application Specific Information:`.
    Information,
    /// Frames of the last thread.
    Frames,
    /// Frames under `Last Exception Backtrace:`.
    Thrown,
    /// Lines that are passed over: registers, and another program's backtraces.
    Other,
    /// `Binary Images:`.
    Images,
}

struct Reader<'a> {
    report: &'a mut Report,
    images: Images,
    /// Threads, frames and sentences so far.
    entries: usize,
    section: Section,
}

impl Reader<'_> {
    fn line(&mut self, line: &str) {
        let trimmed = line.trim();
        if let Some(head) = thread::head(trimmed) {
            if self.has_room() {
                head.apply(&mut self.report.threads);
            }
            self.section = Section::Frames;
            return;
        }
        if trimmed == "Last Exception Backtrace:" {
            self.section = Section::Thrown;
            return;
        }
        if trimmed == "Binary Images:" {
            self.section = Section::Images;
            return;
        }
        match self.section {
            Section::Frames | Section::Thrown if trimmed.is_empty() => {
                self.section = Section::Other;
            }
            Section::Frames | Section::Thrown => self.frame(trimmed),
            Section::Images => self.images.line(trimmed),
            Section::Other => {}
            Section::Information if trimmed.is_empty() => self.section = Section::Head,
            Section::Information => self.information(trimmed),
            Section::Head => self.head(trimmed),
        }
    }

    /// Whether one more entry is kept; counts it.
    fn has_room(&mut self) -> bool {
        self.entries = self.entries.saturating_add(1);
        self.entries < ENTRY_LIMIT
    }

    fn frame(&mut self, line: &str) {
        let thrown = matches!(self.section, Section::Thrown);
        let Some(read) = frame::parse(line) else {
            if let Some(rest) = frame::continuation(line)
                && let Some(frame) = self.frames(thrown).and_then(|frames| frames.last_mut())
            {
                frame.symbol_location = rest.location;
                frame.inline |= rest.inline;
            }
            return;
        };
        if !self.has_room() {
            return;
        }
        let frame = self.images.frame_of(&read);
        if let Some(frames) = self.frames(thrown) {
            frames.push(frame);
        }
    }

    /// The frames that lines go to.
    fn frames(&mut self, thrown: bool) -> Option<&mut Vec<Frame>> {
        if thrown {
            return Some(&mut self.report.last_exception_backtrace);
        }
        Some(&mut self.report.threads.last_mut()?.frames)
    }

    fn information(&mut self, line: &str) {
        if !self.has_room() {
            return;
        }
        if self.report.asi.is_empty() {
            self.report.asi.push(ImageMessages::default());
        }
        if let Some(entry) = self.report.asi.last_mut() {
            entry.messages.push(line.to_owned());
        }
    }

    fn head(&mut self, line: &str) {
        let Some((key, value)) = line.split_once(':') else {
            return;
        };
        let value = value.trim();
        let text = || (!value.is_empty()).then(|| value.to_owned());
        let report = &mut *self.report;
        match key.trim_end() {
            "Application Specific Information" => {
                self.section = Section::Information;
                if !value.is_empty() {
                    self.information(value);
                }
            }
            key if key.starts_with("Application Specific Backtrace") => {
                self.section = Section::Other;
            }
            "Incident Identifier" if report.header.incident.is_none() => {
                report.header.incident = text();
            }
            "OS Version" if report.header.os_version.is_none() => {
                report.header.os_version = text();
            }
            "Date/Time" => report.process.captured = date(key, value, &mut report.problems),
            "Launch Time" => report.process.launched = date(key, value, &mut report.problems),
            "Process" => (report.process.name, report.process.pid) = process(value),
            "Parent Process" => {
                (report.process.parent_name, report.process.parent_pid) = process(value);
            }
            "Responsible" | "Responsible Process" => {
                (
                    report.process.responsible_name,
                    report.process.responsible_pid,
                ) = process(value);
            }
            "Path" => report.process.path = text(),
            "Code Type" => report.process.cpu_type = text(),
            "VM Region Info" => report.vm_region_info = text(),
            "Triggered by Thread" | "Crashed Thread" => {
                let end = value.find(|c: char| !c.is_ascii_digit());
                let digits = value.get(..end.unwrap_or(value.len()));
                report.faulting_thread = digits.and_then(|digits| digits.parse().ok());
            }
            "Termination Reason" => {
                let (namespace, code, indicator) = termination(value);
                let into = report.termination.get_or_insert_default();
                (into.namespace, into.code, into.indicator) = (namespace, code, indicator);
            }
            "Terminating Process" => {
                let into = report.termination.get_or_insert_default();
                (into.by_process, into.by_pid) = process(value);
            }
            // `NON-FATAL CONDITION (this is NOT a crash)` and `SIMULATED (this is NOT a crash)`, in
            // the words of the system's own template.
            "Exception Note" if value.contains("NOT a crash") => report.kind = Kind::OsFault,
            key if key.starts_with("Exception ") => {
                exception(key, value, report.exception.get_or_insert_default());
            }
            _ => {}
        }
    }
}

fn date(
    key: &str,
    value: &str,
    problems: &mut Vec<Problem>,
) -> Option<chrono::DateTime<chrono::FixedOffset>> {
    let read = time::parse(value);
    if read.is_none() {
        problems.push(Problem::Drifted {
            field: key.to_owned(),
            expected: "a date",
            found: "another text".to_owned(),
        });
    }
    read
}

/// `Python [28566]`; the name may hold spaces and brackets.
pub(super) fn process(value: &str) -> (Option<String>, Option<i32>) {
    let split = value
        .strip_suffix(']')
        .and_then(|rest| rest.rsplit_once('['));
    let (name, pid) = match split {
        Some((name, pid)) => (name.trim_end(), pid.trim().parse().ok()),
        None => (value, None),
    };
    (Some(name.to_owned()).filter(|name| !name.is_empty()), pid)
}

/// `Namespace SIGNAL, Code 11 Segmentation fault: 11`, since macOS 26 with a comma behind the code,
/// in older reports with `Code 0xb`; on iOS `SIGNAL 6 Abort trap: 6`.
fn termination(value: &str) -> (Option<String>, Option<i64>, Option<String>) {
    let is_name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_uppercase());
    let (namespace, rest) = if let Some(rest) = value.strip_prefix("Namespace ") {
        let (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        let rest = rest.trim().strip_prefix("Code ").unwrap_or_default();
        (namespace.trim(), rest.trim_start())
    } else {
        match value.split_once(' ') {
            Some((name, rest)) if is_name(name) && code_of(rest).is_some() => (name, rest),
            _ => return (None, None, Some(value.to_owned())),
        }
    };
    let indicator = rest.split_once(' ').map_or("", |(_, indicator)| indicator);
    let indicator = Some(indicator.trim().to_owned()).filter(|text| !text.is_empty());
    (Some(namespace.to_owned()), code_of(rest), indicator)
}

/// The number that a text begins with.
fn code_of(text: &str) -> Option<i64> {
    let word = text.split_whitespace().next()?.trim_end_matches(',');
    match word.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

fn exception(key: &str, value: &str, into: &mut Exception) {
    match key {
        "Exception Type" => {
            let (kind, inside) = match value.split_once('(') {
                Some((kind, rest)) => (kind.trim_end(), Some(rest.trim_end_matches(')'))),
                None => (value, None),
            };
            into.kind = Some(kind.to_owned()).filter(|kind| !kind.is_empty());
            match inside {
                Some(signal) if signal.starts_with("SIG") => {
                    into.signal = Some(signal.to_owned());
                }
                Some(reason) => into.message = Some(reason.to_owned()),
                None => {}
            }
        }
        // A description of the access and the raw codes both stand under this key.
        "Exception Codes" | "Exception Subtype" if value.contains(" at 0x") => {
            into.subtype = Some(value.to_owned());
        }
        "Exception Subtype" => into.subtype = Some(value.to_owned()),
        "Exception Codes" => into.codes = Some(value.to_owned()),
        "Exception Message" => into.message = Some(value.to_owned()),
        _ => {}
    }
}

/// Text reports name the crashed thread by number, in the head or at the thread; both must point
/// to the same entry of the list.
fn mark_triggered(report: &mut Report) {
    let numbered = |number: usize, threads: &[Thread]| {
        threads
            .iter()
            .position(|thread| thread.id == u64::try_from(number).ok())
    };
    report.faulting_thread = report
        .faulting_thread
        .and_then(|number| numbered(number, &report.threads))
        .or_else(|| report.threads.iter().position(|thread| thread.triggered));
    if let Some(thread) = report
        .faulting_thread
        .and_then(|index| report.threads.get_mut(index))
    {
        thread.triggered = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_a_name_and_a_number() {
        assert_eq!(
            process("Python [28566]"),
            (Some("Python".into()), Some(28566))
        );
        assert_eq!(process("A [b] C [1]"), (Some("A [b] C".into()), Some(1)));
        assert_eq!(
            process("Exited process"),
            (Some("Exited process".into()), None)
        );
        assert_eq!(process(""), (None, None));
    }

    #[test]
    fn terminations_of_all_ages_are_read() {
        let signal = termination("Namespace SIGNAL, Code 11 Segmentation fault: 11");
        assert_eq!(
            signal,
            (
                Some("SIGNAL".into()),
                Some(11),
                Some("Segmentation fault: 11".into())
            )
        );
        for text in [
            "Namespace SIGNAL, Code 11, Segmentation fault: 11",
            "SIGNAL 11 Segmentation fault: 11",
        ] {
            assert_eq!(termination(text), signal, "{text}");
        }
        let loader = termination("Namespace DYLD, Code 0x1");
        assert_eq!(loader, (Some("DYLD".into()), Some(1), None));
        assert_eq!(termination("killed"), (None, None, Some("killed".into())));
    }
}
