//! The answer of `check-crashes`.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::crash::CrashView;
use crate::diagnose::diagnose;
use crate::reports::listing::Listing;

/// What was found.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Version of this layout.
    pub schema: u32,
    /// The crashes, newest first.
    pub crashes: Vec<CrashView>,
    /// Files that could not be read: each may hold a crash.
    pub unreadable: Vec<String>,
    /// Folders that could not be looked into.
    pub unwatched: Vec<String>,
    /// Report files in all, older ones and other kinds included.
    pub total_files: usize,
    /// Whether only the newest was asked for.
    pub latest: bool,
    /// How far back was looked, in hours, unless the newest was asked for.
    pub hours: Option<f64>,
    /// When this was asked, RFC 3339.
    pub checked: DateTime<Utc>,
}

impl Answer {
    /// The answer from a listing.
    pub fn of(listing: &Listing, latest: bool, hours: f64, now: DateTime<Utc>) -> Self {
        Self {
            schema: super::run_json::SCHEMA,
            crashes: listing
                .reports
                .iter()
                .map(|listed| CrashView::of(&listed.path, &listed.report, diagnose(&listed.report)))
                .collect(),
            unreadable: listing
                .unreadable
                .iter()
                .map(|(_, error)| error.to_string())
                .collect(),
            unwatched: listing
                .unwatched
                .iter()
                .map(|(path, reason)| format!("{}: {reason}", path.display()))
                .collect(),
            total_files: listing.files,
            latest,
            hours: (!latest).then_some(hours),
            checked: now,
        }
    }

    /// For people: the newest in full, or a list.
    pub fn text(&self, now: DateTime<Utc>) -> String {
        if self.crashes.is_empty() {
            return match self.hours {
                Some(hours) => format!(
                    "no crash in the last {hours} h ({} report files in all; --hours looks further back)",
                    self.total_files
                ),
                None => format!(
                    "no crash on record ({} report files in all)",
                    self.total_files
                ),
            };
        }
        if self.latest {
            return self
                .crashes
                .iter()
                .map(|crash| crash.text(now, ""))
                .collect();
        }
        let mut text = String::new();
        for crash in &self.crashes {
            text += &crash.line(now);
            text.push('\n');
        }
        let crashes = if self.crashes.len() == 1 {
            "crash"
        } else {
            "crashes"
        };
        text + &format!(
            "{} {crashes}; `agxrun check-crashes --latest` shows the newest in full",
            self.crashes.len()
        )
    }
}
