//! One number for equal crashes.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::normal;
use crate::reports::frames::{interesting_frame, is_interesting, telling_stack};
use crate::reports::model::{Frame, Report};

/// How many frames tell one crash from another. More would split one crash by who called; fewer
/// would join all that die in one common function.
const DEPTH: usize = 4;

/// What a crash is recognised by over many reports: equal crashes have the same.
///
/// Into it go the exception (its type; the signal too where the type is `EXC_CRASH`, and the
/// termination's namespace where that is not `SIGNAL`) and the first four frames from the
/// interesting one on that are no runtime's, each as image and function: without versions,
/// addresses, line numbers, templates, parameters, numbers of closures, and the letters of a chip's
/// family; repeated frames once, those of the fix library not at all. A function without a name is
/// told by its offset in its image. Where no frame tells, the process's name goes in, and what the
/// loader lacked. Nothing else does: no pid, thread number, queue, time or load address, so that it
/// is the same on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The shortest beginning that names one.
    pub const SHORTEST_PREFIX: usize = 4;

    /// Whether its digits begin with these, at least four.
    pub fn has_prefix(&self, prefix: &str) -> bool {
        prefix.len() >= Self::SHORTEST_PREFIX
            && self
                .to_string()
                .starts_with(prefix.to_ascii_lowercase().as_str())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A text is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no fingerprint (16 hexadecimal digits, as `check-crashes --group` prints them)")]
pub struct NoFingerprint(pub String);

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || NoFingerprint(text.to_owned());
        let is_whole = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_whole.then_some(()).ok_or_else(refused)?;
        u64::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| refused())
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The fingerprint of a report.
pub fn fingerprint(report: &Report) -> Fingerprint {
    let mut hash = Fnv::new();
    for part in parts(report) {
        hash.text(&part);
    }
    Fingerprint(hash.0)
}

/// FNV-1a, 64 bits: the same on every machine and in every release.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn text(&mut self, text: &str) {
        // No text holds a zero byte's successor in its place: parts cannot run into each other.
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// What goes into the fingerprint.
fn parts(report: &Report) -> Vec<String> {
    let mut parts = vec![raised(report)];
    let tells = interesting_frame(report).is_some_and(|frame| is_interesting(report, frame));
    if !tells {
        parts.extend(report.process_name().map(str::to_owned));
        parts.extend(lacked(report));
    }
    parts.extend(places(report).into_iter().map(|(_, place)| place));
    parts
}

/// The exception, as one text for all forms of reports.
fn raised(report: &Report) -> String {
    let exception = report.exception.as_ref();
    let kind = exception.and_then(|exception| exception.kind.as_deref());
    let signal = exception.and_then(|exception| exception.signal.as_deref());
    let mut text = match (kind, signal) {
        // PLCrashReporter writes the signal where others write the type.
        (Some("SIGSEGV" | "SIGBUS"), _) | (None, Some("SIGSEGV" | "SIGBUS")) => {
            "EXC_BAD_ACCESS".to_owned()
        }
        (Some("SIGTRAP"), _) | (None, Some("SIGTRAP")) => "EXC_BREAKPOINT".to_owned(),
        (Some("SIGILL"), _) | (None, Some("SIGILL")) => "EXC_BAD_INSTRUCTION".to_owned(),
        (Some("SIGABRT"), _) => "EXC_CRASH SIGABRT".to_owned(),
        (Some("EXC_CRASH") | None, Some(signal)) => format!("EXC_CRASH {signal}"),
        (Some(kind), _) => kind.to_owned(),
        (None, None) => report.kind.describe(),
    };
    if let Some(reason) = report
        .gpu
        .as_ref()
        .and_then(|gpu| gpu.restart_reason.as_deref())
    {
        text = format!("{text} {reason}");
    }
    let namespace = report
        .termination
        .as_ref()
        .and_then(|termination| termination.namespace.as_deref())
        .filter(|namespace| *namespace != "SIGNAL");
    match namespace {
        Some(namespace) => format!("{text} {namespace}"),
        None => text,
    }
}

/// What the loader did not find, without the folders that it looked into.
fn lacked(report: &Report) -> Option<String> {
    let reasons = &report.termination.as_ref()?.reasons;
    let line = reasons
        .iter()
        .find_map(|line| line.trim().strip_prefix("Library not loaded:"))?;
    line.trim().rsplit('/').next().map(str::to_owned)
}

/// The frames that go into the fingerprint, innermost first.
pub(super) fn telling_frames(report: &Report) -> Vec<&Frame> {
    let places = places(report).into_iter();
    places.map(|(frame, _)| frame).collect()
}

/// The same, each with what goes in.
fn places(report: &Report) -> Vec<(&Frame, String)> {
    let is_telling = |frame: &&Frame| is_interesting(report, frame) && !is_the_tools(report, frame);
    let mut places: Vec<(&Frame, String)> = Vec::with_capacity(DEPTH);
    for frame in telling_stack(report).iter().filter(is_telling) {
        let place = place(report, frame);
        // A function that calls itself is one.
        if places.last().is_none_or(|(_, last)| *last != place) {
            places.push((frame, place));
        }
        if places.len() == DEPTH {
            break;
        }
    }
    if places.is_empty() {
        let frame = interesting_frame(report);
        places.extend(frame.map(|frame| (frame, place(report, frame))));
    }
    places
}

/// Whether a frame is the fix library's: a crash is the same with it and without it.
fn is_the_tools(report: &Report, frame: &Frame) -> bool {
    let image = report.image_name(frame);
    image.is_some_and(|image| image.starts_with("libagx_fix"))
}

/// Image and function of a frame.
fn place(report: &Report, frame: &Frame) -> String {
    let image = report.image_name(frame).map_or("?", normal::image);
    match (
        frame.symbol.as_deref().and_then(normal::symbol),
        frame.image_offset,
    ) {
        (Some(symbol), _) => format!("{image}`{symbol}"),
        // Of a named image only: otherwise it is an address.
        (None, Some(offset)) if !matches!(image, "?" | "???") => format!("{image}`{offset:#x}"),
        (None, _) => format!("{image}`"),
    }
}
