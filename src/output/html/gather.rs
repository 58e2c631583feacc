//! From reports to groups of a page. A report is looked at once and dropped; of each group only what
//! the page shows is kept.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use chrono::{DateTime, Utc};

use super::page::{Group, Known, Row, Sample};
use super::text::Text;
use crate::diagnose::{self, Diagnosis, Fingerprint, FixFacts, Groups, fingerprint, loader};
use crate::reports::symbols::demangle_line;
use crate::reports::{Report, frames};

/// Reports of a group that are listed.
const ROWS: usize = 25;
/// Frames of a stack that are shown.
const FRAMES: usize = 24;
/// Sentences that are shown.
const SENTENCES: usize = 6;
/// Facts, processes, systems that are named.
const NAMES: usize = 8;

/// Crashes on their way onto a page.
#[derive(Debug, Default)]
pub struct Gathering {
    groups: Groups,
    shown: HashMap<Fingerprint, Shown>,
    systems: BTreeMap<String, usize>,
}

/// What is shown of one group besides what [`Groups`] counts.
#[derive(Debug, Default)]
struct Shown {
    /// The newest reports, the newest first.
    rows: Vec<Row>,
    sample: Sample,
    library: BTreeMap<String, usize>,
}

impl Gathering {
    /// Adds one crash. Copies of an incident are the caller's to leave out.
    pub fn add(&mut self, path: &Path, report: &Report, diagnosis: Option<&Diagnosis>) {
        self.groups.add(path, report, diagnosis);
        if let Some(system) = &report.header.os_version {
            *self.systems.entry(system.clone()).or_default() += 1;
        }
        let shown = self.shown.entry(fingerprint(report)).or_default();
        if let Some(fact) = library(report) {
            *shown.library.entry(fact).or_default() += 1;
        }
        let time = report.time().map(|time| time.to_utc());
        let place = shown.rows.partition_point(|row| row.time >= time);
        if place == ROWS {
            return;
        }
        if place == 0 {
            shown.sample = sample(report);
        }
        shown.rows.insert(place, row(path, report, time));
        shown.rows.truncate(ROWS);
    }

    /// The groups, the most frequent first, and the systems that reports name.
    pub fn finish(mut self) -> (Vec<Group>, Vec<(Text, usize)>) {
        let groups = self.groups.finish().into_iter().map(|group| {
            let shown = self.shown.remove(&group.fingerprint).unwrap_or_default();
            page_group(group, shown)
        });
        (groups.collect(), most_frequent(self.systems).0)
    }
}

fn page_group(group: diagnose::Group, shown: Shown) -> Group {
    let (processes, more_processes) = most_frequent(group.processes);
    let (library, _) = most_frequent_of(shown.library, Text::frame);
    Group {
        fingerprint: Text::name(&group.fingerprint.to_string()),
        title: Text::title(&demangled(&group.title)),
        known: group.diagnosis.as_ref().map(known),
        count: group.count,
        first: group.first,
        last: group.last,
        times: group.times,
        processes,
        more_processes,
        library,
        sample: shown.sample,
        rows: shown.rows,
    }
}

fn known(diagnosis: &Diagnosis) -> Known {
    Known {
        id: Text::name(&diagnosis.id),
        meaning: Text::sentence(&diagnosis.meaning),
        remedy: Text::sentence(&diagnosis.remedy),
        source: Text::sentence(&diagnosis.source),
        blame: diagnosis.blame,
        counts: diagnosis.counts(),
        confidence: diagnosis.confidence,
        evidence: diagnosis
            .evidence
            .iter()
            .take(NAMES)
            .map(|fact| Text::frame(fact))
            .collect(),
    }
}

/// The most frequent names with their counts, and how many more there are.
fn most_frequent(counts: BTreeMap<String, usize>) -> (Vec<(Text, usize)>, usize) {
    most_frequent_of(counts, Text::name)
}

fn most_frequent_of(
    counts: BTreeMap<String, usize>,
    shown: fn(&str) -> Text,
) -> (Vec<(Text, usize)>, usize) {
    let mut all: Vec<_> = counts.into_iter().collect();
    // Stable: equally frequent ones stay in the order of their names.
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let more = all.len().saturating_sub(NAMES);
    all.truncate(NAMES);
    let named = all.into_iter().map(|(name, count)| (shown(&name), count));
    (named.collect(), more)
}

fn row(path: &Path, report: &Report, time: Option<DateTime<Utc>>) -> Row {
    let name = report.process_name().unwrap_or("an unnamed process");
    Row {
        time,
        who: Text::name(&match report.process.pid {
            Some(pid) => format!("{name} ({pid})"),
            None => name.to_owned(),
        }),
        what: Text::name(&what(report)),
        file: Text::path(&path.to_string_lossy()),
    }
}

/// Exception and address, else the report's kind.
fn what(report: &Report) -> String {
    let what = report
        .exception_title()
        .unwrap_or_else(|| report.kind.describe());
    match report.fault_address() {
        Some(address) => format!("{what} at {address:#x}"),
        None => what,
    }
}

fn sample(report: &Report) -> Sample {
    let thrown = &report.last_exception_backtrace;
    // Of an uncaught exception the place where it was thrown tells, not the abort that followed.
    let stack = if thrown.is_empty() {
        report.crashed_frames()
    } else {
        thrown
    };
    let asi = report.asi.iter().flat_map(|image| &image.messages);
    let said: Vec<&str> = asi
        .map(String::as_str)
        .chain(loader::words_of(report))
        .collect();
    Sample {
        what: Text::name(&what(report)),
        thread: Text::name(&thread(report)),
        frames: stack
            .iter()
            .take(FRAMES)
            .map(|frame| {
                let frame = frames::describe(report, frame);
                Text::frame(&demangled(frame.as_deref().unwrap_or("?")))
            })
            .collect(),
        telling: frames::interesting_frame(report)
            .and_then(|telling| stack.iter().position(|frame| std::ptr::eq(frame, telling))),
        more_frames: stack.len().saturating_sub(FRAMES),
        said: said
            .iter()
            .take(SENTENCES)
            .map(|words| Text::sentence(words.trim_end()))
            .collect(),
        more_said: said.len().saturating_sub(SENTENCES),
        problems: report
            .problems
            .iter()
            .take(NAMES)
            .map(|problem| Text::sentence(&problem.to_string()))
            .collect(),
    }
}

/// A frame, ``image`symbol + offset``, or a text that ends in one, with its symbol as it was written.
fn demangled(frame: &str) -> String {
    match frame.split_once('`') {
        Some((image, symbol)) => format!("{image}`{}", demangle_line(symbol)),
        None => demangle_line(frame).into_owned(),
    }
}

/// Number, name and queue of the thread that crashed; empty where the report has none.
fn thread(report: &Report) -> String {
    let Some(thread) = report.crashed_thread() else {
        return String::new();
    };
    let number = report
        .faulting_thread
        .or_else(|| report.threads.iter().position(|thread| thread.triggered));
    let parts = [
        number.map(|number| number.to_string()),
        thread.name.as_ref().map(|name| format!("named {name}")),
        thread.queue.as_ref().map(|queue| format!("queue {queue}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Whether the fix library was in the process, and whether the driver was entered through it.
fn library(report: &Report) -> Option<String> {
    let facts = FixFacts::of(report, None);
    // A list of images without it is worth a word; without a list nothing is known.
    let absent = || (!report.images.is_empty()).then(|| "not among the images".to_owned());
    let with_bypasses = |facts: &FixFacts, described: String| {
        facts.bypasses().fold(described, |text, bypass| {
            format!("{text}; bypass seen: {bypass}")
        })
    };
    facts
        .describe()
        .map(|described| with_bypasses(&facts, described))
        .or_else(absent)
}
