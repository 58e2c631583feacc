//! One known crash.

use std::fmt;

use chrono::{Months, NaiveDate};
use serde::Serialize;

use crate::diagnose::Fingerprint;

/// One known crash, as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// What it is recognised by.
    #[serde(flatten)]
    pub key: Key,
    /// Why it is not to fail a run.
    pub reason: String,
    /// The last day on which it does not, in UTC.
    pub expires: NaiveDate,
    /// Its line in the file, from 1.
    #[serde(skip)]
    pub line: usize,
}

/// What a known crash is recognised by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// The beginning of its fingerprint, 8 to 16 hexadecimal digits in lower case.
    Fingerprint(String),
    /// The id of its signature.
    Signature(String),
}

impl Key {
    /// Whether a crash is meant.
    pub fn matches(&self, fingerprint: Fingerprint, signature: Option<&str>) -> bool {
        match self {
            Self::Fingerprint(prefix) => fingerprint.has_prefix(prefix),
            Self::Signature(id) => signature == Some(id.as_str()),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fingerprint(prefix) => write!(f, "fingerprint {prefix}"),
            Self::Signature(id) => write!(f, "signature {id}"),
        }
    }
}

impl Entry {
    /// Whether it was in force before and is no more.
    pub fn has_expired(&self, today: NaiveDate) -> bool {
        today > self.expires
    }

    /// A crash's entry to be put into a file, with the reason left to whoever does so: an empty one is refused. It
    /// expires after three months. `what` says in one line which crash it is.
    pub fn template(fingerprint: &str, what: &str, today: NaiveDate) -> String {
        let expires = today.checked_add_months(Months::new(3)).unwrap_or(today);
        format!(
            "[[crash]]\nfingerprint = \"{fingerprint}\"  # {}\nreason = \"\"\nexpires = {expires}\n",
            what.replace(['\n', '\r'], " ")
        )
    }
}

/// A crash that has an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its place in the file, from 0.
    #[serde(skip)]
    pub number: usize,
    /// The entry.
    #[serde(flatten)]
    pub entry: Entry,
    /// Whether the entry has expired: the crash fails again.
    pub expired: bool,
}

impl Listed {
    /// Whether the crash does not fail.
    pub fn is_known(&self) -> bool {
        !self.expired
    }
}

/// What became of a crash's entry, for people.
impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry {
            key,
            reason,
            expires,
            line,
        } = &self.entry;
        if self.expired {
            write!(
                f,
                "{key} in the baseline expired on {expires} (line {line}): {reason}"
            )
        } else {
            write!(f, "known by its {key} until {expires}: {reason}")
        }
    }
}
