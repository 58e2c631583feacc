//! Where runs that have ended are written down: in the state file as soon as they end, and in the history when it is known what they
//! amount to.
//!
//! A run writes its own line first, into the series' *spool*, so that a kill of ours between its end and our writing loses nothing.
//! The spool goes when all that is in it stands where it belongs.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::Series;
use super::state::{Entry, State};
use crate::history::{self, HistoryError, RunLine};

/// The options by which a run of the series writes into the spool.
pub(super) fn options(series: &Series) -> [OsString; 2] {
    ["--history".into(), series.spool().into()]
}

/// The places of one series.
#[derive(Debug)]
pub(super) struct Book {
    state: State,
    history: Option<PathBuf>,
    spool: PathBuf,
    /// Whether something could not be written where it belongs: then the spool stays.
    is_missing_some: bool,
}

impl Book {
    pub fn new(state: State, series: &Series) -> Self {
        Self {
            state,
            history: series.history.clone(),
            spool: series.spool(),
            is_missing_some: false,
        }
    }

    /// Writes a run into the state file.
    pub fn state(&mut self, entry: &Entry) -> io::Result<()> {
        let written = self.state.append(entry);
        self.is_missing_some |= written.is_err();
        written
    }

    /// Adds a run to the history, where one is kept.
    pub fn history(&mut self, line: &RunLine) -> Result<(), HistoryError> {
        let Some(path) = &self.history else {
            return Ok(());
        };
        let written = history::append(path, line);
        self.is_missing_some |= written.is_err();
        written.map(|_| ())
    }

    /// Takes the spool away where nothing of it will be needed.
    pub fn close(self) -> io::Result<()> {
        if self.is_missing_some {
            return Ok(());
        }
        match std::fs::remove_file(&self.spool) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// The runs of a series in a file of run lines, by their ids; none where there is no file. A line that cannot be read is none of ours: a
/// run's line is written whole or not at all.
pub(super) fn runs_in(path: &Path, series: &str) -> io::Result<Vec<RunLine>> {
    let mut found = Vec::new();
    let read = history::read(path, &mut |line| {
        found.extend(line.ok().filter(|it| it.series.as_deref() == Some(series)));
    });
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(found),
        other => other.map(|()| found),
    }
}

/// What [`runs_in`] found.
pub(super) fn ids(lines: &[RunLine]) -> HashSet<&str> {
    lines.iter().map(|line| line.id.as_str()).collect()
}
