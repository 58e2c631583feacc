//! What only macOS does this way.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

use libc::{c_int, pid_t, siginfo_t};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};

/// Room for one write to a pipe that polled writable, in bytes: `<sys/syslimits.h>`, PIPE_BUF.
pub(in crate::run) const PIPE_BUF: usize = 512;

/// Orphans go to launchd.
pub(in crate::run) const ADOPTS_ORPHANS: bool = false;

/// `siginfo` names no sender: the kernel raised the signal itself. XNU fills `si_pid` for `kill` and
/// leaves it 0 for keys on a terminal; its `si_code` does not tell them apart.
pub(super) fn sent_by_kernel(info: &siginfo_t) -> bool {
    info.si_pid == 0
}

pub(super) fn errno() -> c_int {
    // SAFETY: the pointer is this thread's errno, always valid.
    unsafe { *libc::__error() }
}

pub(super) fn set_errno(value: c_int) {
    // SAFETY: as above.
    unsafe { *libc::__error() = value }
}

/// Closes every descriptor from `first` to `last`. Async-signal-safe.
pub(super) fn close_range(first: c_int, last: c_int) {
    // SAFETY: plain system calls on numbers; called where nothing else uses those descriptors.
    unsafe {
        for fd in first..=last.min(libc::getdtablesize() - 1) {
            libc::close(fd);
        }
    }
}

unsafe extern "C" {
    /// libproc.h: fills `buffer` with the pids of the children of `parent`; returns how many.
    fn proc_listchildpids(parent: pid_t, buffer: *mut libc::c_void, size: c_int) -> c_int;
}

/// The children of `parent` that live now.
pub(in crate::run) fn children(parent: pid_t) -> Vec<pid_t> {
    let mut pids: Vec<pid_t> = vec![0; 64];
    loop {
        let bytes = c_int::try_from(size_of_val(pids.as_slice())).unwrap_or(c_int::MAX);
        // SAFETY: the buffer is writable and `bytes` long.
        let count = unsafe { proc_listchildpids(parent, pids.as_mut_ptr().cast(), bytes) };
        let count = usize::try_from(count).unwrap_or(0);
        if count < pids.len() {
            pids.truncate(count);
            return pids;
        }
        pids.resize(pids.len() * 2, 0);
    }
}

/// A pipe that no exec inherits: read end, write end. There is no `pipe2` here: another thread
/// that forks between the calls would leak it.
pub(in crate::run) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = nix::unistd::pipe()?;
    fcntl(&read, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    fcntl(&write, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok((read, write))
}

/// Has packet mode of `master` tell every change of the modes of the slave: EXTPROC, which only this call
/// sets (`<sys/ioccom.h>`, `<sys/ttycom.h>`: TIOCEXT, `_IOW('t', 96, int)`), and which also leaves the
/// processing of input to whoever writes to `master`.
pub(in crate::run) fn announce_modes(
    master: BorrowedFd<'_>,
    _slave: BorrowedFd<'_>,
) -> io::Result<()> {
    const TIOCEXT: libc::c_ulong = 0x8004_7460;
    let on: c_int = 1;
    // SAFETY: TIOCEXT reads one int.
    match unsafe { libc::ioctl(master.as_raw_fd(), TIOCEXT, &raw const on) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Opens the file behind `fd` anew for reading, by its path: `fcntl(2)`, F_GETPATH.
pub(in crate::run) fn reopen(fd: BorrowedFd<'_>) -> io::Result<File> {
    let mut path = vec![0u8; libc::PATH_MAX.cast_unsigned() as usize];
    // SAFETY: F_GETPATH writes at most PATH_MAX bytes, NUL included.
    if unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETPATH, path.as_mut_ptr()) } == -1 {
        return Err(io::Error::last_os_error());
    }
    path.truncate(path.iter().position(|b| *b == 0).unwrap_or(path.len()));
    File::open(OsString::from_vec(path))
}
