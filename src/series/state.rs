//! The state file of a series: what was planned, and each run that has ended.
//!
//! JSON, a value a line: a [`Header`], then an [`Entry`] for each run, in one write each to the end of the file. A kill leaves half
//! a line at most, which a resumption takes away. A run that is held until it is known whose its reports are has a second entry when it
//! is; the last one counts.

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::shared::Run;
use super::{Slot, plan};
use crate::history::RunLine;

/// The version of this layout.
pub const SCHEMA: u32 = 1;

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Header {
    /// The version of the layout.
    pub schema: u32,
    /// The series' name.
    pub series: String,
    /// `stress` or `compare`.
    pub command: String,
    /// When it was begun.
    pub started: DateTime<Utc>,
    /// The command line, as [`plan::words`] writes it.
    pub arguments: Value,
    /// What must be equal for it to go on.
    pub plan: Value,
}

/// Any other line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Which run.
    pub slot: Slot,
    /// Seconds of the series that had passed when it was started, without those between a kill and a resumption.
    pub begun: f64,
    /// The same when it had ended.
    pub at: f64,
    /// Whether it counts a report that may be another run's, and such a run went on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// What it amounts to.
    pub line: RunLine,
}

impl Entry {
    /// That of a run, held or not.
    pub(super) fn of(run: &Run, held: bool) -> Self {
        Self {
            slot: run.slot,
            begun: run.begun.as_secs_f64(),
            at: run.ended.as_secs_f64(),
            held,
            line: run.line.clone(),
        }
    }

    pub(super) fn into_run(self) -> Run {
        Run {
            slot: self.slot,
            begun: seconds(self.begun),
            ended: seconds(self.at),
            line: self.line,
        }
    }
}

/// A time of the file. What is none, such as one below zero, counts as nothing.
pub(super) fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or_default()
}

/// How long a series had gone on when the last of these runs had ended.
pub(super) fn until(entries: &[Entry]) -> Duration {
    seconds(entries.iter().map(|entry| entry.at).fold(0.0, f64::max))
}

/// Why a state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// There is one already.
    #[error(
        "`{}` is there already (hint: --resume goes on with it; name another file with --state)",
        .0.display()
    )]
    Exists(PathBuf),
    /// It cannot be made, read or written.
    #[error("cannot use the state file `{}`: {source} (hint: --state names another place)", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("`{}` is not the state of a series: {why} (hint: --resume takes the file that the series named)", path.display())]
    NotAState {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        why: String,
    },
    /// Another `agxrun` goes on with it.
    #[error(
        "another agxrun is using `{}` (hint: wait until it has ended)",
        .0.display()
    )]
    Busy(PathBuf),
    /// What is asked for is not what was begun.
    #[error(
        "this is not the series of `{}`: {} (hint: resume it as it was begun, with --resume and nothing else, or begin another one)",
        path.display(),
        differences.join("; ")
    )]
    Differs {
        /// The file.
        path: PathBuf,
        /// In what.
        differences: Vec<String>,
    },
}

/// An open state file, held for this process alone.
#[derive(Debug)]
pub(super) struct State {
    file: Flock<File>,
    length: u64,
}

/// What was in a state file that is resumed.
#[derive(Debug)]
pub(super) struct Resumed {
    pub entries: Vec<Entry>,
    /// Bytes of a last line that a kill had cut off.
    pub torn: u64,
}

/// A name for a series that begins now: its time and six digits by chance, such as `20260131-235959-0a1b2c`.
pub fn new_id(now: DateTime<Utc>) -> String {
    // Each has keys of its own, by chance.
    let chance = RandomState::new().build_hasher().finish();
    format!("{}-{:06x}", now.format("%Y%m%d-%H%M%S"), chance & 0xff_ffff)
}

/// Reads the first line, and how long the series has gone on.
///
/// # Errors
/// [`StateError::File`], [`StateError::NotAState`].
pub fn begun(path: &Path) -> Result<(Header, Duration), StateError> {
    let file = File::open(path).map_err(in_file(path))?;
    let (header, entries, _) = read(path, file)?;
    Ok((header, until(&entries)))
}

impl State {
    /// Makes a state file and the folder that it is to be in.
    pub(super) fn create(path: &Path, header: &Header) -> Result<Self, StateError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(in_file(path))?;
        }
        let opened = OpenOptions::new()
            .append(true)
            .read(true)
            .create_new(true)
            .open(path);
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(StateError::Exists(path.to_owned()));
            }
            other => other.map_err(in_file(path))?,
        };
        let mut state = Self {
            file: lock(path, file)?,
            length: 0,
        };
        match state.write(header) {
            Ok(()) => Ok(state),
            Err(error) => {
                Self::remove(path);
                Err(in_file(path)(error))
            }
        }
    }

    /// Opens the state file of a series that is to go on.
    pub(super) fn resume(
        path: &Path,
        command: &str,
        plan: &Value,
    ) -> Result<(Self, Resumed), StateError> {
        let file = OpenOptions::new()
            .append(true)
            .read(true)
            .open(path)
            .map_err(in_file(path))?;
        let file = lock(path, file)?;
        let (header, entries, end) = read(path, &*file)?;
        let mut differences = Vec::new();
        if header.command != command {
            differences.push(format!("it is of `agxrun {}`", header.command));
        }
        differences.extend(plan::differences(&header.plan, plan));
        if !differences.is_empty() {
            return Err(StateError::Differs {
                path: path.to_owned(),
                differences,
            });
        }
        let length = file.metadata().map_err(in_file(path))?.len();
        if end < length {
            file.set_len(end).map_err(in_file(path))?;
        }
        let resumed = Resumed {
            entries,
            torn: length - end,
        };
        Ok((Self { file, length: end }, resumed))
    }

    /// Adds a run that has ended. Where that fails nothing of it is left in the file.
    pub(super) fn append(&mut self, entry: &Entry) -> io::Result<()> {
        self.write(entry)
    }

    /// Takes the file away. One that stays is in nobody's way.
    pub(super) fn remove(path: &Path) {
        let _ = std::fs::remove_file(path);
    }

    fn write(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(value)?;
        text.push(b'\n');
        if let Err(error) = self.file.write_all(&text) {
            // Half a line that stays is taken away by the next resumption.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += text.len() as u64;
        Ok(())
    }
}

fn in_file(path: &Path) -> impl Fn(io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::File {
        path: path.clone(),
        source,
    }
}

fn lock(path: &Path, file: File) -> Result<Flock<File>, StateError> {
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| match error {
        Errno::EWOULDBLOCK => StateError::Busy(path.to_owned()),
        other => in_file(path)(other.into()),
    })
}

/// The header, the entries, and where the last whole line ends.
fn read(path: &Path, file: impl io::Read) -> Result<(Header, Vec<Entry>, u64), StateError> {
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let mut header = None;
    let mut entries = Vec::new();
    let mut end = 0;
    let mut number = 0_u64;
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(in_file(path))?;
        if line.last() != Some(&b'\n') {
            break;
        }
        end += length as u64;
        number += 1;
        let wrong =
            |error: serde_json::Error| not_a_state(path, &format!("line {number}: {error}"));
        if header.is_none() {
            header = Some(read_header(path, &line)?);
        } else {
            entries.push(serde_json::from_slice(&line).map_err(wrong)?);
        }
    }
    match header {
        Some(header) => Ok((header, entries, end)),
        None => Err(not_a_state(path, "it has no whole line")),
    }
}

fn read_header(path: &Path, line: &[u8]) -> Result<Header, StateError> {
    /// Read first, as another layout may lack what this one has.
    #[derive(Deserialize)]
    struct Layout {
        schema: u32,
    }
    let wrong = |error: serde_json::Error| not_a_state(path, &format!("line 1: {error}"));
    let Layout { schema } = serde_json::from_slice(line).map_err(wrong)?;
    if schema != SCHEMA {
        let why = format!("it has layout {schema}, and this agxrun reads {SCHEMA}");
        return Err(not_a_state(path, &why));
    }
    serde_json::from_slice(line).map_err(wrong)
}

fn not_a_state(path: &Path, why: &str) -> StateError {
    StateError::NotAState {
        path: path.to_owned(),
        why: why.to_owned(),
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
