//! A table of signatures.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use agx_ledger::Ledger;

use super::file::{self, SignatureFileError};
use super::line::Lines;
use super::matching::{Case, matched};
use super::signature::{Diagnosis, Signature};
use crate::reports::Report;

/// The table that comes with this.
const BUILTIN: &str = include_str!("signatures.toml");

/// A loaded table, in order from specific to general: the first match is the diagnosis.
#[derive(Debug)]
pub struct Signatures {
    entries: Vec<Signature>,
    lines: Lines,
}

static TABLE: LazyLock<Arc<Signatures>> = LazyLock::new(|| match file::parse(BUILTIN) {
    Ok(entries) => Arc::new(Signatures::of(entries)),
    // A test reads the table, so that a broken one is never built into a release.
    Err(flaw) => panic!("signatures.toml, line {}: {}", flaw.line, flaw.reason),
});

impl Signatures {
    /// The table that comes with this.
    pub fn builtin() -> &'static Self {
        &TABLE
    }

    /// The same, for those who hold either it or a user's.
    pub fn builtin_shared() -> Arc<Self> {
        Arc::clone(&TABLE)
    }

    /// The same with a user's own signatures before it. One with an id of the table replaces that
    /// entry.
    ///
    /// # Errors
    /// The file cannot be read, or something in it has no meaning: file, line and key are named.
    pub fn with_file(path: &Path) -> Result<Self, SignatureFileError> {
        let mut entries = file::read(path)?;
        let own: HashSet<String> = entries.iter().map(|entry| entry.id.clone()).collect();
        let builtin = TABLE.entries.iter();
        entries.extend(builtin.filter(|entry| !own.contains(&entry.id)).cloned());
        Ok(Self::of(entries))
    }

    fn of(entries: Vec<Signature>) -> Self {
        let lines = Lines::of(&entries);
        Self { entries, lines }
    }

    /// Every signature, specific before general.
    pub fn iter(&self) -> impl Iterator<Item = &Signature> {
        self.entries.iter()
    }

    /// The signature of that id.
    pub fn get(&self, id: &str) -> Option<&Signature> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// What a report shows, if it is known.
    pub fn diagnose(&self, report: &Report) -> Option<Diagnosis> {
        self.diagnose_with(report, None)
    }

    /// The same with what the fix library noted in that process.
    pub fn diagnose_with(&self, report: &Report, ledger: Option<&Ledger>) -> Option<Diagnosis> {
        let case = Case { report, ledger };
        self.entries.iter().find_map(|entry| matched(entry, case))
    }

    /// The signature that a line of stderr matches.
    pub fn match_line(&self, line: &str) -> Option<&Signature> {
        self.lines.find(&self.entries, line)
    }
}

/// What a report shows, by the table that comes with this.
pub fn diagnose(report: &Report) -> Option<Diagnosis> {
    Signatures::builtin().diagnose(report)
}

/// The signature that a line of stderr matches, by the table that comes with this.
pub fn match_line(line: &str) -> Option<&'static Signature> {
    Signatures::builtin().match_line(line)
}
