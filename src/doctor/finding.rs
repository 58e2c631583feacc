//! What a check says.

use serde::Serialize;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing to do.
    Ok,
    /// A run works, and shows less than it could, or only in some cases.
    Warning,
    /// A run fails, or cannot tell a crash.
    Error,
}

/// What a check saw, with the level that it gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    level: Level,
    says: String,
    remedy: Option<String>,
}

impl Observation {
    /// All is well.
    pub fn ok(says: impl Into<String>) -> Self {
        Self {
            level: Level::Ok,
            says: says.into(),
            remedy: None,
        }
    }

    /// What it saw.
    pub fn says(&self) -> &str {
        &self.says
    }

    /// Something to know, and what to do about it.
    pub fn warning(says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            says: says.into(),
            remedy: Some(remedy.into()),
        }
    }

    /// Something to mend, and how.
    pub fn error(says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            says: says.into(),
            remedy: Some(remedy.into()),
        }
    }
}

/// One line of the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check; names are stable, scripts may compare them.
    pub check: &'static str,
    /// How much it matters.
    pub level: Level,
    /// What was seen. It may hold names of files and words of other programs: not safe for a
    /// terminal as it stands.
    pub says: String,
    /// What to do; always there unless the level is [`Level::Ok`].
    pub remedy: Option<String>,
}

impl Finding {
    /// What the check of this name saw.
    pub fn of(check: &'static str, observation: Observation) -> Self {
        let Observation {
            level,
            says,
            remedy,
        } = observation;
        Self {
            check,
            level,
            says,
            remedy,
        }
    }
}

/// What stands for a check that did not come to its end.
pub(super) fn failed_check() -> Observation {
    Observation::warning(
        "the check itself failed: a fault of agxrun",
        "report it, with what stands above on stderr",
    )
}
