//! What a monitor says of itself, in a file of its state folder that is replaced as it changes.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The file's name in the state folder.
pub const STATUS_NAME: &str = "status.json";

/// What a monitor did since it started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Process id.
    pub pid: u32,
    /// Since when it runs.
    pub started: DateTime<Utc>,
    /// When it ended by request; `None` while it runs, and where it was killed.
    pub ended: Option<DateTime<Utc>>,
    /// What it watches.
    pub folders: Vec<PathBuf>,
    /// Those of them that are not there or cannot be read now, with the reason.
    pub unwatched: Vec<(PathBuf, String)>,
    /// Where copies go.
    pub archive: PathBuf,
    /// Its log.
    pub log: PathBuf,
    /// Reports copied.
    pub copied: u64,
    /// Reports that were in the archive already.
    pub already: u64,
    /// Reports that could not be copied yet and are tried again.
    pub waiting: u64,
    /// Reports that were gone before they could be copied.
    pub lost: u64,
    /// Files that are named like reports and cannot be read.
    pub unreadable: u64,
    /// The last copy.
    pub last_copy: Option<Copied>,
    /// The last thing that went wrong.
    pub last_error: Option<Failure>,
}

/// A copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// When.
    pub time: DateTime<Utc>,
    /// The copy.
    pub path: PathBuf,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When.
    pub time: DateTime<Utc>,
    /// What, why, and what to do.
    pub text: String,
}

impl Status {
    /// Replaces the file in a folder.
    ///
    /// # Errors
    /// Where it cannot be written; the old one then stands.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let mut temporary = tempfile::Builder::new()
            .prefix(".status-")
            .tempfile_in(folder)?;
        serde_json::to_writer_pretty(&mut temporary, self)?;
        temporary
            .persist(folder.join(STATUS_NAME))
            .map_err(|error| error.error)?;
        Ok(())
    }

    /// Reads the file of a folder; `None` where there is none.
    ///
    /// # Errors
    /// Where it cannot be read or is damaged.
    pub fn read(folder: &Path) -> io::Result<Option<Self>> {
        match fs::read(folder.join(STATUS_NAME)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
