//! Descriptors that whoever started us handed down by number.

use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd, RawFd};

/// The open descriptor `number`, as a copy that no target inherits; nor does it inherit `number` itself. Not one of the
/// three standard ones, which are the target's.
///
/// # Errors
/// Where `number` is below 3 or not open.
pub fn handed_down(number: RawFd) -> io::Result<File> {
    if number < 3 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: the call takes numbers only, and fails for one that is not open.
    let copy = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    if copy == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was made just now, and nobody else knows of it.
    let file = unsafe { File::from_raw_fd(copy) };
    // SAFETY: numbers only; `number` stays open as it was.
    if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(file)
}
