//! What only Linux does this way.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use libc::{c_int, siginfo_t};
use nix::fcntl::OFlag;
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

/// Room for one write to a pipe that polled writable, in bytes: `pipe(7)`, PIPE_BUF.
pub(in crate::run) const PIPE_BUF: usize = libc::PIPE_BUF;

/// Whether orphans of the tree come to us, so that their ends are seen (`PR_SET_CHILD_SUBREAPER`).
pub(in crate::run) const ADOPTS_ORPHANS: bool = true;

/// `siginfo` says that the kernel raised the signal itself: `sigaction(2)`, codes above 0 (SI_KERNEL
/// for keys on a terminal); `kill`, `tgkill` and `sigqueue` are at or below it.
pub(super) fn sent_by_kernel(info: &siginfo_t) -> bool {
    info.si_code > 0
}

pub(super) fn errno() -> c_int {
    // SAFETY: the pointer is this thread's errno, always valid.
    unsafe { *libc::__errno_location() }
}

pub(super) fn set_errno(value: c_int) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = value }
}

/// Closes every descriptor from `first` to `last`. Async-signal-safe.
pub(super) fn close_range(first: c_int, last: c_int) {
    if first > last {
        return;
    }
    // SAFETY: a plain system call on numbers; called where nothing else uses those descriptors.
    // Kernels before 5.9 lack it: fall back to one close each.
    unsafe {
        if libc::syscall(libc::SYS_close_range, first, last, 0) != 0 {
            for fd in first..=last.min(4096) {
                libc::close(fd);
            }
        }
    }
}

/// A pipe that no exec inherits: read end, write end.
pub(in crate::run) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(nix::unistd::pipe2(OFlag::O_CLOEXEC)?)
}

/// Has packet mode of `master` tell every change of the modes of `slave`: they have EXTPROC, which also
/// leaves the processing of input to whoever writes to `master` (`n_tty.c`, `pty_set_termios`).
pub(in crate::run) fn announce_modes(
    _master: BorrowedFd<'_>,
    slave: BorrowedFd<'_>,
) -> io::Result<()> {
    let mut modes = tcgetattr(slave)?;
    modes.local_flags.insert(LocalFlags::EXTPROC);
    Ok(tcsetattr(slave, SetArg::TCSANOW, &modes)?)
}

/// Opens the file behind `fd` anew for reading, even one that was unlinked: `proc(5)`.
pub(in crate::run) fn reopen(fd: BorrowedFd<'_>) -> io::Result<File> {
    File::open(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}
