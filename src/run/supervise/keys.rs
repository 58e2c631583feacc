//! Keys for a target that takes them from its stderr.
//!
//! `less` up to release 590 sets the modes of fd 2 and reads it (ttyin.c, screen.c); `vim -` reads fd 2
//! when its stdin is a pipe. Where fd 2 is our pseudo-terminal, the real one must then get the same modes
//! and its keys must come over. The sign is that the pseudo-terminal leaves the line mode (ICANON): packet
//! mode tells that at once. Nothing is taken from the real terminal before, or after.
//!
//! What this does not reach: whole lines read from fd 2 never come, as reading alone is no sign; and a program that
//! sets the modes of fd 2 but reads elsewhere would have to share its keys with us.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::{getpgrp, tcgetpgrp};

use crate::run::sys::detach;
use crate::run::sys::helper::Helper;

pub(super) struct Keys {
    /// The real terminal, open for reading.
    terminal: OwnedFd,
    /// The target's process group, where it is not ours.
    group: Option<i32>,
    /// The real terminal's modes before ours; set while the target takes keys.
    found: Option<Termios>,
    copier: Option<Helper>,
}

impl Keys {
    pub(super) fn new(terminal: OwnedFd, group: Option<i32>) -> Self {
        Keys {
            terminal,
            group,
            found: None,
            copier: None,
        }
    }

    /// Takes over the modes that the target has given to its side of `master`. The caller blocks SIGTTOU.
    pub(super) fn follow(&mut self, master: BorrowedFd<'_>) -> io::Result<()> {
        let wanted = tcgetattr(master)?;
        if wanted.local_flags.contains(LocalFlags::ICANON) {
            return self.end();
        }
        if !self.in_foreground() {
            return Ok(()); // Its keys are another job's. It is asked again when we are continued.
        }
        let mut modes = tcgetattr(&self.terminal)?;
        self.found.get_or_insert_with(|| modes.clone());
        modes.input_flags = wanted.input_flags;
        modes.local_flags = wanted.local_flags & !LocalFlags::EXTPROC;
        modes.control_chars = wanted.control_chars;
        // Not after the output has drained: a terminal that is held by Ctrl-S would hold us.
        tcsetattr(&self.terminal, SetArg::TCSANOW, &modes)?;
        if self.copier.is_none() {
            let copier = detach::copy_in_group(self.group, self.terminal.as_fd(), master)?;
            self.copier = Some(copier);
        }
        Ok(())
    }

    /// Where the real terminal is not our session's there is no foreground, and anybody reads it.
    fn in_foreground(&self) -> bool {
        match tcgetpgrp(&self.terminal) {
            Ok(group) => group.as_raw() == self.group.unwrap_or_else(|| getpgrp().as_raw()),
            Err(error) => error == Errno::ENOTTY,
        }
    }

    /// The target has stopped: its keys are the shell's. Modes are the shell's affair, as without us.
    pub(super) fn pause(&mut self) {
        self.copier = None;
    }

    /// The target takes no keys any more: the real terminal gets its modes back.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.copier = None;
        match self.found.take() {
            Some(found) => match tcsetattr(&self.terminal, SetArg::TCSANOW, &found) {
                Ok(()) | Err(Errno::EIO) => Ok(()), // hung up
                Err(error) => Err(error.into()),
            },
            None => Ok(()),
        }
    }

    /// The process that copies, which is of no tree.
    pub(super) fn copier(&self) -> Option<i32> {
        self.copier.as_ref().map(Helper::pid)
    }

    /// `pid` has ended and was reaped.
    pub(super) fn reaped(&mut self, pid: i32) {
        if let Some(copier) = self.copier.take_if(|copier| copier.pid() == pid) {
            copier.forget();
        }
    }
}
