//! A report as JSON.

use std::path::Path;

use serde::Serialize;

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
    /// What was read.
    pub report: &'a Report,
}

impl<'a> Document<'a> {
    /// The document of a report that lies at `file`.
    pub fn of(file: &Path, report: &'a Report) -> Self {
        Self {
            schema: SCHEMA,
            file: file.display().to_string(),
            report,
        }
    }
}
