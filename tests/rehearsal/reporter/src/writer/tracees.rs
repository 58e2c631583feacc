//! The threads of the crashed process, held still from outside.
//!
//! The library's last act before this program began was to trace every thread but the faulting one, which waits in its
//! handler. `execve` kept the tie; this file finishes the stop, and ends it.

use std::os::fd::BorrowedFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::message::Message;
use crate::{procfs, wire};

/// How long the process may take to die once it was told that it can, milliseconds.
const DEATH: u16 = 5000;

/// The stopped threads, and those that could not be.
pub struct Tracees {
    pid: i32,
    /// Every live thread, by id, the main thread first.
    pub threads: Vec<i32>,
    stopped: Vec<i32>,
    /// Why some are not stopped.
    pub refusal: Option<nix::Error>,
}

impl Tracees {
    /// Stops every thread of the crashed process but the faulting one.
    pub fn stop_all(message: &Message) -> Self {
        let mut tracees = Self {
            pid: message.pid,
            threads: Vec::new(),
            stopped: Vec::new(),
            refusal: None,
        };
        // A thread that was running may have started another before it stopped.
        loop {
            let before = tracees.stopped.len();
            tracees.threads = procfs::threads(message.pid);
            for tid in tracees.threads.clone() {
                if tid != message.tid && !tracees.stopped.contains(&tid) {
                    tracees.stop(tid);
                }
            }
            if tracees.stopped.len() == before {
                return tracees;
            }
        }
    }

    /// Whether `tid` stands still, so that its registers can be read.
    pub fn is_stopped(&self, tid: i32) -> bool {
        self.stopped.contains(&tid)
    }

    fn stop(&mut self, tid: i32) {
        let thread = Pid::from_raw(tid);
        // An interrupt is granted to the tracer only: where it is refused, the library had not come to this thread yet.
        let interrupted = ptrace::interrupt(thread).or_else(|_| {
            ptrace::seize(thread, ptrace::Options::empty())?;
            ptrace::interrupt(thread)
        });
        match interrupted {
            Ok(()) => match waitpid(thread, Some(WaitPidFlag::__WALL)) {
                Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) | Err(_) => {}
                Ok(_) => self.stopped.push(tid),
            },
            // The thread is gone, or a zombie: nothing to read, nothing to tell.
            Err(nix::Error::ESRCH) => {}
            Err(_) if procfs::thread_stat(self.pid, tid).is_none_or(|stat| stat.state == 'Z') => {}
            Err(error) => self.refusal = Some(error),
        }
    }

    /// Lets the process die. The stopped threads stay stopped until it has, so that nothing of it runs on between; then
    /// their ends are collected, which is what its parent's `wait` waits for.
    pub fn release(self) {
        // SAFETY: the descriptor was left open by the library for this use, and nothing else in this program owns it.
        let captured = unsafe { BorrowedFd::borrow_raw(wire::CAPTURED_FD) };
        // A target that is gone has closed the other end; the poll below then returns at once.
        let told = nix::unistd::write(captured, b"!");
        if told.is_err() || !Self::wait_for_death() {
            self.detach();
            return;
        }
        while waitpid(None, Some(WaitPidFlag::__WALL)).is_ok() {}
    }

    /// Whether the process closed the pipe that it held open until its death.
    fn wait_for_death() -> bool {
        // SAFETY: as for the other descriptor.
        let report = unsafe { BorrowedFd::borrow_raw(wire::REPORT_FD) };
        let mut entry = [PollFd::new(report, PollFlags::empty())];
        loop {
            match poll(&mut entry, PollTimeout::from(DEATH)) {
                Err(nix::Error::EINTR) => {}
                Ok(0) | Err(_) => return false,
                Ok(_) => return true,
            }
        }
    }

    /// Lets go of every thread; one that is gone needs nothing.
    fn detach(&self) {
        for &tid in &self.stopped {
            ptrace::detach(Pid::from_raw(tid), None).ok(); // ESRCH, as said above: we trace it, so that nothing else is left to fail
        }
    }
}
