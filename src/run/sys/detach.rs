//! Processes of ours that only copy bytes.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{c_int, pid_t};

use super::helper::Helper;
use super::os;
use super::signals::AllBlocked;

/// Forks a process that copies `source` to `sink` until either ends, in a session of its own and
/// holding no other descriptor. A process that the target left behind can so go on writing to the
/// stderr it was given after we are gone. Returns its pid.
pub(in crate::run) fn copy_until_end(
    source: BorrowedFd<'_>,
    sink: BorrowedFd<'_>,
) -> io::Result<pid_t> {
    fork_copier(source, sink, Place::Session)
}

/// Forks a process that copies `source` to `sink` until either ends or it is dropped, in process group
/// `group` or ours: the keys of a terminal go to the group in its foreground only.
pub(in crate::run) fn copy_in_group(
    group: Option<pid_t>,
    source: BorrowedFd<'_>,
    sink: BorrowedFd<'_>,
) -> io::Result<Helper> {
    fork_copier(source, sink, Place::Group(group)).map(Helper)
}

/// Where a copier stands.
#[derive(Clone, Copy)]
enum Place {
    /// In a session of its own.
    Session,
    /// In this process group; in ours where `None`.
    Group(Option<pid_t>),
}

fn fork_copier(source: BorrowedFd<'_>, sink: BorrowedFd<'_>, place: Place) -> io::Result<pid_t> {
    let (source, sink) = (source.as_raw_fd(), sink.as_raw_fd());
    // Never unblocked in the copy: a HUP or INT meant for others must not end it.
    let _blocked = AllBlocked::enter()?;
    // SAFETY: the child calls only async-signal-safe functions and ends with _exit.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            // SAFETY: in the child of fork; the descriptors are open there.
            unsafe { copy(source, sink, place) }
        }
        pid => Ok(pid),
    }
}

/// # Safety
/// Only in a child of fork; both descriptors are open.
unsafe fn copy(source: c_int, sink: c_int, place: Place) -> ! {
    // SAFETY: plain system calls on numbers and one local buffer.
    unsafe {
        match place {
            Place::Session => {
                libc::setsid();
            }
            Place::Group(Some(group)) => {
                if libc::setpgid(0, group) != 0 {
                    libc::_exit(0);
                }
            }
            Place::Group(None) => {}
        }
        let (low, high) = (source.min(sink), source.max(sink));
        os::close_range(0, low - 1);
        os::close_range(low + 1, high - 1);
        os::close_range(high + 1, c_int::MAX);
        let mut buffer = [0u8; 4096];
        loop {
            if !wait_for(source, libc::POLLIN) {
                libc::_exit(0);
            }
            let got = libc::read(source, buffer.as_mut_ptr().cast(), buffer.len());
            if got <= 0 {
                if got < 0 && again() {
                    continue;
                }
                libc::_exit(0);
            }
            let mut done = 0;
            while done < got {
                let left = got.cast_unsigned() - done.cast_unsigned();
                let put = libc::write(sink, buffer.as_ptr().offset(done).cast(), left);
                if put >= 0 {
                    done += put;
                } else if !(again() && wait_for(sink, libc::POLLOUT)) {
                    libc::_exit(0);
                }
            }
        }
    }
}

fn again() -> bool {
    matches!(os::errno(), libc::EAGAIN | libc::EINTR)
}

fn wait_for(fd: c_int, events: libc::c_short) -> bool {
    let mut poll = libc::pollfd {
        fd,
        events,
        revents: 0,
    };
    // SAFETY: one pollfd, live for the call.
    while unsafe { libc::poll(&raw mut poll, 1, -1) } < 0 {
        if !again() {
            return false;
        }
    }
    true
}
