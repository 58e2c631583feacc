//! Starting a monitor in the background: a child that leaves the session and says when it has the
//! archive.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::Settings;
use super::instance::Holder;

/// What the child says on its stdout: one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// It has the archive.
    Ready(Holder),
    /// Another monitor has it.
    Held(Option<Holder>),
}

impl Said {
    /// Says it on stdout.
    ///
    /// # Errors
    /// Where nobody listens.
    pub fn print(&self) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        serde_json::to_writer(&mut stdout, self)?;
        stdout.write_all(b"\n")?;
        stdout.flush()
    }
}

/// The arguments behind `agxrun` with which a monitor serves in the foreground.
pub fn arguments(settings: &Settings) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["monitor".into(), "run".into()];
    for folder in &settings.folders {
        arguments.push("--reports-dir".into());
        arguments.push(folder.path.clone().into());
    }
    arguments.push("--archive".into());
    arguments.push(settings.archive.clone().into());
    arguments
}

/// Starts a monitor in the background and waits until it has the archive. `None` where it ended
/// before that; it has said why on our stderr.
///
/// # Errors
/// Where it cannot be started, or what it says cannot be understood.
pub fn start(agxrun: &Path, settings: &Settings) -> io::Result<Option<Said>> {
    let mut child = Command::new(agxrun)
        .args(arguments(settings))
        .arg("--detached")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    if line.is_empty() {
        child.wait()?;
        return Ok(None);
    }
    let said = serde_json::from_str(&line)?;
    if matches!(said, Said::Held(_)) {
        child.wait()?;
    }
    Ok(Some(said))
}
