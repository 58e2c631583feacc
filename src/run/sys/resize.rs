//! Window changes of a terminal that another process group has.
//!
//! The kernel tells a new size (SIGWINCH) to the foreground group only. Once the terminal is handed
//! over that is the target's, and the pseudo-terminal of its stderr would keep the old size. So a
//! process of ours joins that group, and does nothing but pass the signal on.

use std::io;

use libc::{c_int, pid_t};

use super::helper::Helper;
use super::os;
use super::signals::{self, AllBlocked, Signals};

/// Starts the listener in process group `group`. Its signals arrive in `_signals`, whose pipe it
/// shares; it ends by itself when that pipe loses its reader, which is us.
pub(in crate::run) fn listen_in(group: pid_t, _signals: &Signals) -> io::Result<Helper> {
    // Only SIGWINCH gets through: what is meant for the target's group must not end it.
    let _blocked = AllBlocked::enter()?;
    // SAFETY: the child calls only async-signal-safe functions and ends with _exit.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => listen(group, signals::write_end()),
        pid => Ok(Helper(pid)),
    }
}

fn listen(group: pid_t, pipe: c_int) -> ! {
    // SAFETY: in a child of fork: plain system calls on numbers and locals. The handler of SIGWINCH
    // is the parent's and writes to `pipe`, which stays open.
    unsafe {
        if libc::setpgid(0, group) != 0 {
            libc::_exit(0);
        }
        os::close_range(0, pipe - 1);
        os::close_range(pipe + 1, c_int::MAX);
        let mut only = std::mem::zeroed();
        libc::sigemptyset(&raw mut only);
        libc::sigaddset(&raw mut only, libc::SIGWINCH);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const only, std::ptr::null_mut());
        let mut poll = libc::pollfd {
            fd: pipe,
            events: 0,
            revents: 0,
        };
        while libc::poll(&raw mut poll, 1, -1) == -1 && os::errno() == libc::EINTR {}
        libc::_exit(0)
    }
}
