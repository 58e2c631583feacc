//! A report as JSON.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use crate::audit::explain::Explanation;
use crate::diagnose::FixFacts;
use crate::output::terminal::is_hidden;
use crate::reports::Report;

/// Version of the layout. Fields are added without a change of it; one that goes away or changes
/// its meaning changes it.
pub const SCHEMA: u32 = 1;

/// A report as `show --json` prints it: the fields of [`Report`] by their names, `null` or empty
/// where the report does not give them. Numbers are whole and up to 64 bits wide, times RFC 3339.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    /// Version of the layout.
    pub schema: u32,
    /// The report's file.
    pub file: String,
    /// Whether the fix library was in the process, and how its hooked methods were reached.
    pub fix: &'a FixFacts,
    /// What was read.
    pub report: &'a Report,
    /// What audits of its images say of the crash.
    pub explanations: &'a [Explanation],
}

impl<'a> Document<'a> {
    /// The document of a report that lies at `file`.
    pub fn of(
        file: &Path,
        report: &'a Report,
        fix: &'a FixFacts,
        explanations: &'a [Explanation],
    ) -> Self {
        Self {
            schema: SCHEMA,
            file: file.display().to_string(),
            fix,
            report,
            explanations,
        }
    }

    /// The document as text. Characters that a terminal would obey are written as JSON escapes:
    /// the values are the same.
    ///
    /// # Errors
    /// None that are known: the model has no maps with keys that are no text.
    pub fn text(&self) -> serde_json::Result<String> {
        let plain = serde_json::to_string_pretty(self)?;
        let mut safe = String::with_capacity(plain.len());
        for c in plain.chars() {
            if c == '\n' || !is_hidden(c) {
                safe.push(c);
                continue;
            }
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        }
        Ok(safe)
    }
}
