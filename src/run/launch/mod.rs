//! Step 4, launch: the target starts with the terminal, descriptors, signals and environment that
//! it would have had without us, except that its stderr can be read as it passes.
//!
//! - [`placement`] decides the process group from the facts about the terminal;
//! - [`stderr`] decides what fd 2 becomes: a pseudo-terminal, a pipe, or what it already is;
//! - [`error`] says why a program could not be started, with the exit code that belongs to it.

mod error;
pub mod placement;
pub(super) mod stderr;
pub(super) mod terminal;

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::sys::exec::{self, Descriptor, Image};
use super::sys::inherited;
use super::sys::signals::Signals;

pub use error::LaunchError;
use placement::Placement;
use stderr::Connection;
use terminal::Terminal;

/// A target, resolved: nothing is searched for or added here.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The file to execute, as given to `execve`: not looked up in `$PATH`. One that the kernel has
    /// no loader for is run by `/bin/sh`, as `env` does it.
    pub program: PathBuf,
    /// `argv[0]`; the program's path where `None`.
    pub arg0: Option<OsString>,
    /// The arguments after `argv[0]`.
    pub args: Vec<OsString>,
    /// The whole environment: names without `=`, values; nothing of ours is added.
    pub env: Vec<(OsString, OsString)>,
    /// Where it starts; our own working directory where `None`.
    pub cwd: Option<PathBuf>,
    /// Programs whose processes are the system's and not of the target's tree, although a process of the
    /// tree starts them: on Linux the crash report writer, which the crash handler starts and which comes
    /// to us as an orphan. Such a process is neither waited for nor signalled, nor counted anywhere.
    /// A script cannot be named: its process is its interpreter's.
    pub not_of_the_tree: Vec<PathBuf>,
}

/// Starts `launch`; returns its pid.
pub(super) fn spawn(
    launch: &Launch,
    placement: Placement,
    terminal: Option<&Terminal>,
    connection: &Connection,
    signals: &Signals,
) -> Result<i32, LaunchError> {
    let hand_over = matches!(placement, Placement::OwnGroup { foreground: true });
    let image = Image {
        program: c_string(launch.program.as_os_str())?,
        argv: std::iter::once(launch.arg0.as_deref().unwrap_or(launch.program.as_os_str()))
            .chain(launch.args.iter().map(OsString::as_os_str))
            .map(c_string)
            .collect::<Result<_, _>>()?,
        envp: launch
            .env
            .iter()
            .map(|(name, value)| {
                let mut entry = name.clone();
                entry.push("=");
                entry.push(value);
                c_string(&entry)
            })
            .collect::<Result<_, _>>()?,
        cwd: launch
            .cwd
            .as_ref()
            .map(|cwd| c_string(cwd.as_os_str()))
            .transpose()?,
        own_group: matches!(placement, Placement::OwnGroup { .. }),
        foreground_of: terminal
            .filter(|_| hand_over)
            .map(|terminal| terminal.as_fd().as_raw_fd()),
        standard: standard_descriptors(connection),
    };
    exec::spawn(&image, signals).map_err(|failure| LaunchError::from_exec(launch, failure))
}

fn standard_descriptors(connection: &Connection) -> [Descriptor; 3] {
    let mut standard = [0, 1, 2].map(|fd| {
        if inherited::was_closed(fd) {
            Descriptor::Close
        } else {
            Descriptor::Inherit
        }
    });
    if let Some(end) = &connection.target_end {
        standard[2] = Descriptor::CopyOf(end.as_raw_fd());
        if connection.with_stdout {
            standard[1] = standard[2];
        }
    }
    standard
}

fn c_string(value: &OsStr) -> Result<CString, LaunchError> {
    CString::new(value.as_bytes()).map_err(|error| LaunchError::Failed {
        what: format!(
            "cannot pass `{}` to the target",
            OsString::from_vec(value.as_bytes().to_vec()).display()
        ),
        source: io::Error::new(io::ErrorKind::InvalidInput, error),
    })
}
