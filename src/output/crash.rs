//! One crash as a person wants it: what, when, where, why, what to do, and which file.

use std::fmt::Write;
use std::path::Path;

use chrono::{DateTime, FixedOffset, Utc};
use serde::Serialize;

use super::terminal::{DIM, ERROR, STRONG, WARNING, visible, visible_up_to};
use crate::baseline::Listed;
use crate::diagnose::{Diagnosis, FixFacts, fingerprint, loader};
use crate::reports::{Report, frames};

/// How many frames are shown before the rest is counted.
const FRAMES_SHOWN: usize = 12;

/// How many calls past the fix library are shown before the rest is counted.
const BYPASSES_SHOWN: usize = 3;

/// How many messages are shown before the rest is counted.
const MESSAGES_SHOWN: usize = 8;

/// How much of one message is shown, in characters: assertions with their backtrace take a few
/// hundred. JSON has them whole.
const MESSAGE_WIDTH: usize = 2000;

/// How much of a name is shown, in characters.
const NAME_WIDTH: usize = 200;

/// The facts of one crash, for JSON and as the source of the text.
#[derive(Debug, Clone, Serialize)]
pub struct CrashView {
    /// The report's file.
    pub file: String,
    /// What the report is: `crash`, `gpu event`, ...
    pub kind: String,
    /// Its incident id.
    pub incident: Option<String>,
    /// The process's name.
    pub process: Option<String>,
    /// Its process id.
    pub pid: Option<i32>,
    /// When it happened, RFC 3339.
    pub time: Option<DateTime<FixedOffset>>,
    /// The exception's type and signal.
    pub exception: Option<String>,
    /// Whether the process lived on.
    pub non_fatal: bool,
    /// The address that was accessed, `0x...`.
    pub fault_address: Option<String>,
    /// What was said before the end: assertions and the like, and what dyld lacked.
    pub messages: Vec<String>,
    /// The frame that tells where it crashed, past those of raising the failure.
    pub crashed_in: Option<String>,
    /// The thread that crashed.
    pub thread: Option<ThreadView>,
    /// What equal crashes have in common, 16 hexadecimal digits.
    pub fingerprint: String,
    /// What it is, where a signature matches.
    pub diagnosis: Option<Diagnosis>,
    /// Whether the fix library was loaded, and whether the driver was entered through it.
    pub fix: FixFacts,
    /// Its entry in the baseline, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Listed>,
    /// What could not be read.
    pub problems: Vec<String>,
}

/// The thread that crashed.
#[derive(Debug, Clone, Serialize)]
pub struct ThreadView {
    /// Its place among the report's threads, from 0.
    pub index: Option<usize>,
    /// Its name.
    pub name: Option<String>,
    /// Its dispatch queue.
    pub queue: Option<String>,
    /// Its frames as text, innermost first.
    pub frames: Vec<String>,
    /// Frames beyond those given.
    pub more_frames: usize,
}

impl CrashView {
    /// The view of a report that lies at `file`.
    pub fn of(file: &Path, report: &Report, diagnosis: Option<Diagnosis>) -> Self {
        Self {
            file: file.display().to_string(),
            kind: report.kind.describe(),
            incident: report.incident().map(str::to_owned),
            process: report.process_name().map(str::to_owned),
            pid: report.process.pid,
            time: report.time(),
            exception: report.exception_title(),
            non_fatal: report.process.is_non_fatal,
            fault_address: report
                .fault_address()
                .map(|address| format!("{address:#x}")),
            messages: report
                .asi
                .iter()
                .flat_map(|image| image.messages.clone())
                .chain(loader::words_of(report).map(str::to_owned))
                .collect(),
            crashed_in: frames::crashed_in(report),
            thread: report.crashed_thread().map(|thread| ThreadView {
                index: report
                    .faulting_thread
                    .or_else(|| report.threads.iter().position(|thread| thread.triggered)),
                name: thread.name.clone(),
                queue: thread.queue.clone(),
                frames: thread
                    .frames
                    .iter()
                    .take(FRAMES_SHOWN)
                    .map(|frame| frames::describe(report, frame).unwrap_or_else(|| "?".to_owned()))
                    .collect(),
                more_frames: thread.frames.len().saturating_sub(FRAMES_SHOWN),
            }),
            fingerprint: fingerprint(report).to_string(),
            diagnosis,
            fix: FixFacts::of(report, None),
            baseline: None,
            problems: report.problems.iter().map(ToString::to_string).collect(),
        }
    }

    /// The same with what a run's ledgers say of the fix library as well.
    #[must_use]
    pub fn with_fix(mut self, fix: &FixFacts) -> Self {
        self.fix.clone_from(fix);
        self
    }

    /// The same with its entry in the baseline.
    #[must_use]
    pub fn with_baseline(mut self, listed: Option<Listed>) -> Self {
        self.baseline = listed;
        self
    }

    /// One line for a list: time, process, exception, where, signature.
    pub fn line(&self, now: DateTime<Utc>) -> String {
        let time = self.time.map_or_else(
            || "time unknown".to_owned(),
            |time| {
                format!(
                    "{} ({} ago)",
                    time.format("%Y-%m-%d %H:%M:%S"),
                    ago(time, now)
                )
            },
        );
        let what = self.exception.as_deref().unwrap_or(&self.kind);
        let place = match &self.diagnosis {
            Some(diagnosis) => &diagnosis.title,
            None => self.crashed_in.as_deref().unwrap_or("no frames"),
        };
        format!(
            "{time}  {}  {}  {}",
            visible_up_to(NAME_WIDTH, &self.who()),
            visible_up_to(NAME_WIDTH, what),
            shown(place)
        )
    }

    /// What equal crashes have in common, for people: process, exception, and what it is or where.
    pub fn name(&self) -> String {
        let process = self.process.as_deref().unwrap_or("an unnamed process");
        let what = self.exception.as_deref().unwrap_or(&self.kind);
        let place = match &self.diagnosis {
            Some(diagnosis) => &diagnosis.title,
            None => self.crashed_in.as_deref().unwrap_or("no frames"),
        };
        visible_up_to(NAME_WIDTH, &format!("{process}: {what}: {place}"))
    }

    /// Process and pid.
    pub fn who(&self) -> String {
        let name = self.process.as_deref().unwrap_or("an unnamed process");
        match self.pid {
            Some(pid) => format!("{name} (pid {pid})"),
            None => name.to_owned(),
        }
    }

    /// Exception and address in one phrase.
    fn what(&self) -> String {
        let mut what = self.exception.clone().unwrap_or_else(|| self.kind.clone());
        if let Some(address) = &self.fault_address {
            // Writing to a String cannot fail.
            let _ = write!(what, " at {address}");
        }
        if self.non_fatal {
            what.push_str(", and the process lived on");
        }
        what
    }

    /// The whole view, several lines, each behind `indent`.
    pub fn text(&self, now: DateTime<Utc>, indent: &str) -> String {
        let mut lines = Vec::new();
        let when = self.time.map_or_else(String::new, |time| {
            format!(
                ", {}, {} ago",
                time.format("%Y-%m-%d %H:%M:%S %z"),
                ago(time, now)
            )
        });
        let name = |text: &str| visible_up_to(NAME_WIDTH, text);
        lines.push(format!("{STRONG}{}{STRONG:#}{when}", name(&self.who())));
        lines.push(format!("  {ERROR}{}{ERROR:#}", name(&self.what())));
        for message in self.messages.iter().take(MESSAGES_SHOWN) {
            let message = visible_up_to(MESSAGE_WIDTH, message.trim_end());
            lines.push(format!("  said: {message}"));
        }
        let unsaid = self.messages.len().saturating_sub(MESSAGES_SHOWN);
        if unsaid > 0 {
            lines.push(format!("        {DIM}and {unsaid} more messages{DIM:#}"));
        }
        if let Some(thread) = &self.thread {
            lines.push(format!("  {}", name(&thread.title())));
            for (number, frame) in thread.frames.iter().enumerate() {
                lines.push(format!("    {number:>2}  {}", shown(frame)));
            }
            if thread.more_frames > 0 {
                lines.push(format!(
                    "        {DIM}and {} more{DIM:#}",
                    thread.more_frames
                ));
            }
        }
        if let Some(diagnosis) = &self.diagnosis {
            lines.push(format!(
                "  {STRONG}{}{STRONG:#} [{}]",
                diagnosis.title, diagnosis.id
            ));
            lines.push(format!("  meaning: {}", diagnosis.meaning));
            lines.push(format!("  to do:   {}", diagnosis.remedy));
        } else if self.thread.is_some() {
            lines.push("  no known signature matches".to_owned());
        }
        if let Some(fix) = self.fix.describe() {
            lines.push(format!("  fix:     {}", shown(&fix)));
        }
        let mut bypasses = self.fix.bypasses();
        for bypass in bypasses.by_ref().take(BYPASSES_SHOWN) {
            lines.push(format!(
                "  {WARNING}bypass{WARNING:#}:  {}",
                visible(&bypass)
            ));
        }
        let unshown = bypasses.count();
        if unshown > 0 {
            lines.push(format!("           {DIM}and {unshown} more{DIM:#}"));
        }
        if let Some(listed) = &self.baseline {
            let style = if listed.is_known() { WARNING } else { ERROR };
            lines.push(format!(
                "  {style}{}{style:#}",
                visible(&listed.to_string())
            ));
        }
        for problem in &self.problems {
            lines.push(format!("  {DIM}not read: {}{DIM:#}", visible(problem)));
        }
        lines.push(format!("  report:  {}", visible(&self.file)));
        lines
            .iter()
            .fold(String::new(), |text, line| text + indent + line + "\n")
    }
}

impl ThreadView {
    fn title(&self) -> String {
        let mut title = match self.index {
            Some(index) => format!("thread {index}"),
            None => "the thread that crashed".to_owned(),
        };
        for (label, value) in [("name", &self.name), ("queue", &self.queue)] {
            if let Some(value) = value {
                // Writing to a String cannot fail.
                let _ = write!(title, ", {label} {value}");
            }
        }
        title + ":"
    }
}

/// A frame for people. Names of C++ templates run to thousands of characters, of which the first
/// and the offset at the end tell; JSON has them whole.
fn shown(frame: &str) -> String {
    const WIDTH: usize = 160;
    let text = visible(frame);
    let length = text.chars().count();
    if length <= WIDTH {
        return text;
    }
    // An offset has at most 20 digits; a longer tail is part of a name.
    let tail = text
        .rfind(" + ")
        .map(|at| &text[at..])
        .filter(|tail| tail.len() <= 32)
        .unwrap_or("");
    let head: String = text
        .chars()
        .take(WIDTH.saturating_sub(tail.chars().count() + 1))
        .collect();
    format!("{head}…{tail}")
}

/// A span of time with its one leading unit.
pub(super) fn ago(time: DateTime<FixedOffset>, now: DateTime<Utc>) -> String {
    let seconds = (now - time.to_utc()).num_seconds().max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_cut_even_where_its_offset_is_none() {
        let frame = format!("image`f + {}", "9".repeat(5000));
        assert!(shown(&frame).chars().count() <= 161);
        let frame = format!("{} + 12", "f".repeat(5000));
        assert!(shown(&frame).ends_with("… + 12"));
    }

    #[test]
    fn ages_have_one_unit() {
        let now = DateTime::parse_from_rfc3339("2026-01-10T12:00:00Z")
            .expect("valid")
            .to_utc();
        for (before, expected) in [
            (5, "5 s"),
            (119, "119 s"),
            (600, "10 min"),
            (7200, "2 h"),
            (200_000, "2 days"),
            (-50, "0 s"),
        ] {
            let time = (now - chrono::TimeDelta::seconds(before)).fixed_offset();
            assert_eq!(ago(time, now), expected);
        }
    }
}
