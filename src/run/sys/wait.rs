//! Wait statuses as typed events. `nix::sys::wait` refuses real-time signals, which do end processes.

use std::io;

use libc::{c_int, pid_t};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It returned or called `exit` with this code, 0 to 255.
    Exited(i32),
    /// A signal ended it.
    Signaled {
        /// Signal number of this platform (SIGBUS is 7 on Linux, 10 on macOS).
        signal: i32,
        /// The system says that it dumped core.
        core_dumped: bool,
    },
}

impl Ending {
    /// A signal ended it that a crash ends in.
    pub fn is_crash(self) -> bool {
        matches!(self, Ending::Signaled { signal, .. } if CRASH_SIGNALS.contains(&signal))
    }

    /// What a shell would show: the code, or 128 + the signal number.
    pub fn shell_code(self) -> i32 {
        match self {
            Ending::Exited(code) => code,
            Ending::Signaled { signal, .. } => 128 + signal,
        }
    }
}

/// Signals that a crash ends in; their numbers differ between systems.
const CRASH_SIGNALS: [c_int; 7] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGSYS,
];

/// A change in one child's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) enum Change {
    Ended(Ending),
    /// Stopped by this signal.
    Stopped(c_int),
}

/// The pid of the next child that ended or stopped, left unreaped so that its accounts can still be
/// read; `None` when none has changed or none exists.
pub(in crate::run) fn peek() -> io::Result<Option<pid_t>> {
    // SAFETY: all-zero is a valid siginfo; a zero pid afterwards means that nothing changed.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let options = libc::WEXITED | libc::WSTOPPED | libc::WNOHANG | libc::WNOWAIT;
    loop {
        // SAFETY: `info` is writable for the duration of the call.
        if unsafe { libc::waitid(libc::P_ALL, 0, &raw mut info, options) } == 0 {
            break;
        }
        match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ECHILD) => return Ok(None),
            error if error.kind() == io::ErrorKind::Interrupted => {}
            error => return Err(error),
        }
    }
    // SAFETY: waitid filled the fields of a SIGCHLD siginfo, or left them zero.
    let pid = unsafe { info.si_pid() };
    Ok((pid != 0).then_some(pid))
}

/// Consumes the change of a child that [`peek`] named: one that ended is reaped. `None` where it has
/// changed back meanwhile.
///
/// The status comes from `waitpid`: XNU's `waitid` reports the exit status in `si_status` even for
/// a process that a signal ended, so the signal would read as 0.
pub(in crate::run) fn consume(pid: pid_t) -> io::Result<Option<Change>> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is writable for the duration of the call.
        match unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG | libc::WUNTRACED) } {
            -1 => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => {}
                error => return Err(error),
            },
            0 => return Ok(None),
            _ => return Ok(Some(decode(status))),
        }
    }
}

fn decode(status: c_int) -> Change {
    if libc::WIFSTOPPED(status) {
        Change::Stopped(libc::WSTOPSIG(status))
    } else if libc::WIFSIGNALED(status) {
        Change::Ended(Ending::Signaled {
            signal: libc::WTERMSIG(status),
            core_dumped: libc::WCOREDUMP(status),
        })
    } else {
        Change::Ended(Ending::Exited(libc::WEXITSTATUS(status)))
    }
}
