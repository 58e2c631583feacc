//! A process of ours that outlives the terminal it was started from.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use super::sys::background::leave_session;

/// Leaves the session. The standard descriptors stay until [`let_go`].
///
/// # Errors
/// Where the process leads a process group: it must have been started by another one of ours.
pub fn begin() -> io::Result<()> {
    leave_session()
}

/// Lets go of the standard descriptors: nothing is read, stdout goes nowhere, and what the runtime
/// says of a panic goes to `stderr`.
///
/// # Errors
/// Where `/dev/null` cannot be opened.
pub fn let_go(stderr: &File) -> io::Result<()> {
    let null = File::options().read(true).write(true).open("/dev/null")?;
    nix::unistd::dup2_stdin(null.as_fd())?;
    nix::unistd::dup2_stdout(null.as_fd())?;
    nix::unistd::dup2_stderr(stderr.as_fd())?;
    Ok(())
}
