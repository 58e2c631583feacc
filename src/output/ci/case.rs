//! Suites and cases: what a CI system calls one run, or one crash.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

/// Cases that belong together: the runs of one command.
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    /// What was run, in one line.
    pub name: String,
    /// When the first of it began.
    pub started: DateTime<Utc>,
    /// Facts about all of it: the fix, versions, a seed.
    pub properties: Vec<(String, String)>,
    /// The cases, in the order in which they are shown.
    pub cases: Vec<Case>,
}

/// One run, one arm, or one crash.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its name; GitLab drops a case whose name and class another one has.
    pub name: String,
    /// What it belongs to: shown as a folder by some systems, so without slashes and dots where possible.
    pub class: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// How it ended.
    pub result: CaseResult,
    /// Text for people.
    pub out: String,
    /// Warnings.
    pub err: String,
    /// Reports; those that are still there can be shown with the case.
    pub attachments: Vec<PathBuf>,
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq)]
pub enum CaseResult {
    /// Nothing to complain about.
    Passed,
    /// The target failed: it crashed, lost work, or said so itself.
    Failed(Problem),
    /// Nothing can be said of the target: agxrun could not run or watch it.
    Errored(Problem),
    /// Not counted, and why: a known crash, a run that was interrupted.
    Skipped {
        /// Why, in one line.
        message: String,
    },
    /// It crashed, was tried again, and passed.
    Flaky {
        /// Whether that is accepted (`--allow-flaky`); otherwise it is a failure.
        allowed: bool,
        /// The crashes before it passed, at least one.
        crashes: Vec<Problem>,
    },
}

/// What was wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    /// A short word for machines: `crash`, `lost_work`, a signature's id.
    pub kind: String,
    /// What was wrong, in one line.
    pub message: String,
    /// The same in full.
    pub text: String,
}

impl Suite {
    /// A suite without properties.
    pub fn new(name: impl Into<String>, started: DateTime<Utc>, cases: Vec<Case>) -> Self {
        Self {
            name: name.into(),
            started,
            properties: Vec::new(),
            cases,
        }
    }

    /// The same with one more property.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.properties.push((name.to_owned(), value.into()));
        self
    }

    /// How many cases are what `is` asks.
    pub fn count(&self, is: fn(&CaseResult) -> bool) -> usize {
        self.cases.iter().filter(|case| is(&case.result)).count()
    }
}

impl Case {
    /// A case that passed.
    pub fn passed(name: impl Into<String>, class: impl Into<String>, seconds: f64) -> Self {
        Self {
            name: name.into(),
            class: class.into(),
            seconds,
            result: CaseResult::Passed,
            out: String::new(),
            err: String::new(),
            attachments: Vec::new(),
        }
    }
}

impl CaseResult {
    /// Whether the target failed; a flaky case that is not accepted is one that failed.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Flaky { allowed: false, .. })
    }

    /// Whether nothing can be said of the target.
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Errored(_))
    }

    /// Whether it was not counted.
    pub fn is_skipped(&self) -> bool {
        matches!(self, Self::Skipped { .. })
    }

    /// Whether it passed, if only after crashes that are accepted.
    pub fn is_passed(&self) -> bool {
        matches!(self, Self::Passed | Self::Flaky { allowed: true, .. })
    }

    /// In a word, for people.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::Errored(_) => "error",
            Self::Skipped { .. } => "not counted",
            Self::Flaky { .. } => "flaky",
        }
    }

    /// What it says in one line.
    pub fn message(&self) -> String {
        match self {
            Self::Passed => String::new(),
            Self::Failed(problem) | Self::Errored(problem) => problem.message.clone(),
            Self::Skipped { message } => message.clone(),
            Self::Flaky { crashes, .. } => flaky_message(crashes),
        }
    }
}

/// `crashed 2 times before it passed: ...`
fn flaky_message(crashes: &[Problem]) -> String {
    let times = match crashes.len() {
        1 => "once".to_owned(),
        many => format!("{many} times"),
    };
    let first = crashes.first().map_or("", |problem| &problem.message);
    format!("crashed {times} before it passed: {first}")
}
