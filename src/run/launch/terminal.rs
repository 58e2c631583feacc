//! The controlling terminal, and whose group is in its foreground.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use nix::errno::Errno;
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};

/// The controlling terminal, whatever stdin is.
pub(in crate::run) struct Terminal(File);

impl Terminal {
    /// `None` where the process has none (CI, a service, `setsid`), or may not open it.
    pub(in crate::run) fn open() -> Option<Self> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NOCTTY)
            .open("/dev/tty")
            .ok() // ENXIO is the answer "none"; any other error makes it as good as none.
            .map(Terminal)
    }

    /// Whether our group has the terminal; a terminal that hung up has no foreground group.
    pub(in crate::run) fn is_ours(&self) -> bool {
        tcgetpgrp(&self.0) == Ok(getpgrp())
    }

    /// Gives the terminal to `group`, where it is ours to give. SIGTTOU must be blocked.
    pub(in crate::run) fn give_to(&self, group: i32) -> io::Result<bool> {
        if !self.is_ours() {
            return Ok(false);
        }
        match tcsetpgrp(&self.0, Pid::from_raw(group)) {
            Ok(()) => Ok(true),
            // The group is gone, or the terminal has hung up.
            Err(Errno::EPERM | Errno::ENOTTY | Errno::EIO | Errno::ESRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the terminal back to our group. SIGTTOU must be blocked.
    pub(in crate::run) fn take_back(&self) -> io::Result<()> {
        match tcsetpgrp(&self.0, getpgrp()) {
            Ok(()) | Err(Errno::ENOTTY | Errno::EIO) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Terminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
