//! The window size of a terminal.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::pty::Winsize;

/// The size that `terminal` has now.
pub(in crate::run) fn size(terminal: BorrowedFd<'_>) -> io::Result<Winsize> {
    let mut size = Winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: TIOCGWINSZ writes one winsize, which `size` is.
    match unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) } {
        0 => Ok(size),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Gives a terminal (either side of a pseudo-terminal) the size `size`.
pub(in crate::run) fn set_size(terminal: BorrowedFd<'_>, size: Winsize) -> io::Result<()> {
    // SAFETY: TIOCSWINSZ reads one winsize, which `size` is.
    match unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
