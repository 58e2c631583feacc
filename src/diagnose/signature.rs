//! What a signature is, and what matching one gives.

use serde::{Deserialize, Serialize};

use super::pattern::Pattern;
use super::rule::Rule;

/// A known failure: how it shows, what it means, what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// A stable name for machines.
    pub id: String,
    /// What happened, in a few words.
    pub title: String,
    /// What it means.
    pub meaning: String,
    /// What to do about it.
    pub remedy: String,
    /// Where it was seen.
    pub source: String,
    /// Whose fault it is.
    pub blame: Blame,
    /// How it shows in a line of stderr: any of these is found in it.
    #[serde(skip)]
    pub lines: Vec<Pattern>,
    /// The same, also found in what a report says in words.
    #[serde(skip)]
    pub sentences: Vec<Pattern>,
    /// How it shows in a report; any of these suffices.
    #[serde(skip)]
    pub reports: Vec<Rule>,
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

impl Blame {
    /// Whether the target failed.
    pub fn counts(self) -> bool {
        !matches!(self, Self::Tool | Self::Elsewhere)
    }
}

impl Signature {
    /// Whether a match says that the target failed.
    pub fn counts(&self) -> bool {
        self.blame.counts()
    }

    /// The patterns of lines of stderr, sentences included.
    pub fn line_patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.lines.iter().chain(&self.sentences)
    }
}

/// How sure a diagnosis is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The shape fits, and so would that of other failures.
    Low,
    /// The shape fits, and a detail differs from what was recorded.
    Medium,
    /// As recorded.
    #[default]
    High,
}

/// A signature that matched a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Its name for machines.
    pub id: String,
    /// What happened.
    pub title: String,
    /// What it means.
    pub meaning: String,
    /// What to do.
    pub remedy: String,
    /// Where the signature was seen.
    pub source: String,
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
        self.blame.counts()
    }
}
