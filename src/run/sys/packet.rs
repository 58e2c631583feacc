//! A pseudo-terminal's packet mode: its master tells when the modes of the slave change.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::c_int;

/// What the first byte of a read says where it is not 0, and no data follows: the modes have changed
/// (`ioctl_tty(2)` and `<sys/ttycom.h>`: TIOCPKT_IOCTL). It is only sent while EXTPROC is set.
pub(in crate::run) const MODES_CHANGED: u8 = 64;

/// Turns packet mode of `master` on or off. While it is on, each read begins with one byte that is 0
/// for data.
pub(in crate::run) fn set(master: BorrowedFd<'_>, on: bool) -> io::Result<()> {
    let on = c_int::from(on);
    // SAFETY: TIOCPKT reads one int.
    match unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCPKT, &raw const on) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
