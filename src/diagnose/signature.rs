//! What a signature is, and what matching one gives.

use serde::Serialize;

/// A known failure: how it shows, what it means, what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// A stable name for machines.
    pub id: &'static str,
    /// What happened, in a few words.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// Where it was seen.
    pub source: &'static str,
    /// Whose fault it is.
    pub blame: Blame,
    /// How it shows in a report; `None`: it leaves none.
    #[serde(skip)]
    pub report: Option<Rule>,
    /// How it shows in a line of stderr, as patterns of [`super::glob::is_found`], any of which
    /// suffices. They are also looked for in what a report says in words.
    #[serde(skip)]
    pub lines: &'static [&'static str],
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The driver's race, or a use of Metal from several threads that leads to it.
    Driver,
    /// The target's use of Metal or of its own memory.
    Target,
    /// The machine was short of something, or its GPU hung.
    Machine,
    /// The injection itself: never to be counted as the target's crash.
    Tool,
    /// Another process: never to be counted as the target's.
    Elsewhere,
}

impl Signature {
    /// Whether a match says that the target failed.
    pub fn counts(&self) -> bool {
        !matches!(self.blame, Blame::Tool | Blame::Elsewhere)
    }
}

/// How a signature shows in a report. Every condition that is given must hold; of a list, one
/// entry suffices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Exception types or signals.
    pub exceptions: &'static [&'static str],
    /// Patterns of the innermost frame's symbol.
    pub top: &'static [&'static str],
    /// Patterns of the symbol of any frame of the crashed thread, or of the thrown exception.
    pub anywhere: &'static [&'static str],
    /// Patterns of the image of any frame of the crashed thread.
    pub images: &'static [&'static str],
    /// Fault addresses as recorded. Another address within the first 64 KiB matches too, with less
    /// confidence: offsets differ between families.
    pub addresses: &'static [u64],
    /// The kernel suspects a failed pointer authentication.
    pub pointer_authentication: bool,
    /// The termination's namespace.
    pub namespace: Option<&'static str>,
    /// The signature's lines must stand in what the report says in words.
    pub said: bool,
    /// The report is a GPU event.
    pub gpu_event: bool,
    /// How sure a match is, at best.
    pub confidence: Confidence,
}

impl Rule {
    /// No condition.
    pub const ANY: Self = Self {
        exceptions: &[],
        top: &[],
        anywhere: &[],
        images: &[],
        addresses: &[],
        pointer_authentication: false,
        namespace: None,
        said: false,
        gpu_event: false,
        confidence: Confidence::High,
    };
}

/// How sure a diagnosis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The shape fits, and so would that of other failures.
    Low,
    /// The shape fits, and a detail differs from what was recorded.
    Medium,
    /// As recorded.
    High,
}

/// A signature that matched a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Its name for machines.
    pub id: &'static str,
    /// What happened.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Where the signature was seen.
    pub source: &'static str,
    /// Whose fault it is.
    pub blame: Blame,
    /// How sure this is.
    pub confidence: Confidence,
    /// What in the report matched, one fact each.
    pub evidence: Vec<String>,
}

impl Diagnosis {
    /// Whether it says that the target failed.
    pub fn counts(&self) -> bool {
        !matches!(self.blame, Blame::Tool | Blame::Elsewhere)
    }
}
