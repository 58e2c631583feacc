//! The monitor as a launchd agent of the user: launchd.plist(5), launchctl(1).
//!
//! Written and described on every system; used on macOS alone.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use plist::{Dictionary, Value};

use super::{Settings, name_of, start};

/// Where launchctl is.
pub const LAUNCHCTL: &str = "/bin/launchctl";

/// An agent of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its label, and the name of its file.
    pub label: String,
    /// `~/Library/LaunchAgents/<label>.plist`.
    pub plist: PathBuf,
    /// The domain it lives in, `gui/<uid>`: that of the user's log-in.
    pub domain: String,
}

/// Why an agent could not be installed or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchdError {
    /// Its file.
    #[error("cannot write or remove `{}`: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A command that could not be run, or failed.
    #[error("`{command}` failed: {reason} (hint: run it in a terminal of the logged-in user)")]
    Command {
        /// The command line.
        command: String,
        /// What it said.
        reason: String,
    },
}

impl Agent {
    /// The agent that serves an archive for the user with this home and id.
    pub fn of(archive: &Path, home: &Path, uid: u32) -> Self {
        let label = format!("agxrun.monitor.{}", name_of(archive));
        Self {
            plist: home
                .join("Library/LaunchAgents")
                .join(format!("{label}.plist")),
            label,
            domain: format!("gui/{uid}"),
        }
    }

    /// The arguments with which launchctl starts it: `bootstrap gui/501 PLIST`.
    pub fn bootstrap(&self) -> Vec<OsString> {
        vec![
            "bootstrap".into(),
            self.domain.clone().into(),
            self.plist.clone().into(),
        ]
    }

    /// The arguments with which launchctl ends and forgets it: `bootout gui/501/LABEL`.
    pub fn bootout(&self) -> Vec<OsString> {
        vec![
            "bootout".into(),
            format!("{}/{}", self.domain, self.label).into(),
        ]
    }

    /// Writes its file and starts it; it starts by itself at each log-in from then on.
    ///
    /// # Errors
    /// Where the file cannot be written or launchctl fails; the file is then removed again.
    pub fn install(
        &self,
        launchctl: &Path,
        agxrun: &Path,
        settings: &Settings,
    ) -> Result<(), LaunchdError> {
        let bytes =
            property_list(&self.label, agxrun, settings).map_err(|source| self.file(source))?;
        replace(&self.plist, &bytes).map_err(|source| self.file(source))?;
        let outcome = run(launchctl, &self.bootstrap());
        if outcome.is_err() {
            fs::remove_file(&self.plist).map_err(|source| self.file(source))?;
        }
        outcome
    }

    /// Ends it and removes its file; whether there was one.
    ///
    /// # Errors
    /// Where launchctl fails though the agent is there, or the file cannot be removed.
    pub fn remove(&self, launchctl: &Path) -> Result<bool, LaunchdError> {
        if !self.plist.exists() {
            return Ok(false);
        }
        let ended = run(launchctl, &self.bootout());
        fs::remove_file(&self.plist).map_err(|source| self.file(source))?;
        match ended {
            // It was not loaded: launchctl says 3, "No such process", or 113, "Could not find
            // specified service" (launchctl error 3, launchctl error 113).
            Err(LaunchdError::Command { reason, .. })
                if reason.contains("No such process") || reason.contains("Could not find") =>
            {
                Ok(true)
            }
            other => other.map(|()| true),
        }
    }

    fn file(&self, source: io::Error) -> LaunchdError {
        LaunchdError::File {
            path: self.plist.clone(),
            source,
        }
    }
}

/// The agent's property list: runs from log-in on, again when it was killed, not when it ended as
/// asked, and gives way to what people wait for.
///
/// # Errors
/// Where a path is not UTF-8, which a property list cannot hold.
pub fn property_list(label: &str, agxrun: &Path, settings: &Settings) -> io::Result<Vec<u8>> {
    let mut program = vec![text(agxrun.as_os_str().to_owned())?];
    for argument in start::arguments(settings) {
        program.push(text(argument)?);
    }
    let mut keep_alive = Dictionary::new();
    keep_alive.insert("SuccessfulExit".to_owned(), Value::Boolean(false));
    let mut agent = Dictionary::new();
    agent.insert("Label".to_owned(), Value::String(label.to_owned()));
    agent.insert("ProgramArguments".to_owned(), Value::Array(program));
    agent.insert("RunAtLoad".to_owned(), Value::Boolean(true));
    agent.insert("KeepAlive".to_owned(), Value::Dictionary(keep_alive));
    let background = Value::String("Background".to_owned());
    agent.insert("ProcessType".to_owned(), background);
    agent.insert("LowPriorityIO".to_owned(), Value::Boolean(true));
    let mut bytes = Vec::new();
    plist::to_writer_xml(&mut bytes, &Value::Dictionary(agent)).map_err(io::Error::other)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn text(argument: OsString) -> io::Result<Value> {
    argument.into_string().map(Value::String).map_err(|bytes| {
        io::Error::new(
            ErrorKind::InvalidInput,
            format!(
                "{} is not UTF-8, as a property list needs it",
                bytes.display()
            ),
        )
    })
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    // launchd does not take a file that others may write (launchd.plist(5)).
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn run(launchctl: &Path, arguments: &[OsString]) -> Result<(), LaunchdError> {
    let failed = |reason: String| {
        let words: Vec<_> = arguments
            .iter()
            .map(|argument| argument.to_string_lossy())
            .collect();
        LaunchdError::Command {
            command: format!("launchctl {}", words.join(" ")),
            reason,
        }
    };
    let Output { status, stderr, .. } = Command::new(launchctl)
        .args(arguments)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&stderr);
    Err(failed(format!("{status}: {}", said.trim())))
}

#[cfg(test)]
#[path = "launchd_tests.rs"]
mod tests;
