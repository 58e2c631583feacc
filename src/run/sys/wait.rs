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
    /// What a shell would show: the code, or 128 + the signal number.
    pub fn shell_code(self) -> i32 {
        match self {
            Ending::Exited(code) => code,
            Ending::Signaled { signal, .. } => 128 + signal,
        }
    }
}

/// A change in one child's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) struct ChildEvent {
    pub pid: pid_t,
    pub change: Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) enum Change {
    Ended(Ending),
    /// Stopped by this signal.
    Stopped(c_int),
}

/// The next child that changed, left unreaped so that its accounts can still be read; `None` when
/// none has changed or none exists.
pub(in crate::run) fn peek() -> io::Result<Option<ChildEvent>> {
    waitid(
        libc::P_ALL,
        0,
        libc::WEXITED | libc::WSTOPPED | libc::WNOHANG | libc::WNOWAIT,
    )
}

/// Consumes the event that [`peek`] returned: an ended child is reaped.
pub(in crate::run) fn consume(event: ChildEvent) -> io::Result<()> {
    let kind = match event.change {
        Change::Ended(_) => libc::WEXITED,
        Change::Stopped(_) => libc::WSTOPPED,
    };
    waitid(libc::P_PID, event.pid, kind | libc::WNOHANG).map(drop)
}

fn waitid(which: libc::idtype_t, pid: pid_t, options: c_int) -> io::Result<Option<ChildEvent>> {
    // SAFETY: all-zero is a valid siginfo; a zero pid afterwards means that nothing changed.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let id = libc::id_t::try_from(pid).map_err(io::Error::other)?;
    loop {
        // SAFETY: `info` is writable for the duration of the call.
        if unsafe { libc::waitid(which, id, &raw mut info, options) } == 0 {
            break;
        }
        match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ECHILD) => return Ok(None),
            error if error.kind() == io::ErrorKind::Interrupted => {}
            error => return Err(error),
        }
    }
    // SAFETY: waitid filled the fields of a SIGCHLD siginfo, or left them zero.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    if pid == 0 {
        return Ok(None);
    }
    let change = match info.si_code {
        libc::CLD_EXITED => Change::Ended(Ending::Exited(status)),
        libc::CLD_KILLED | libc::CLD_DUMPED => Change::Ended(Ending::Signaled {
            signal: status,
            core_dumped: info.si_code == libc::CLD_DUMPED,
        }),
        _ => Change::Stopped(status),
    };
    Ok(Some(ChildEvent { pid, change }))
}
