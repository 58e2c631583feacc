//! Step 5, supervise: from the start of the target to its end, and what it left.
//!
//! # Theory of operation
//! One thread, one [`poll`](nix::poll::poll) over three things: the signals that reach us, the
//! target's stderr, and the next deadline. Nothing sleeps and nothing polls by time.
//!
//! | event | in a group of its own | in our group |
//! |---|---|---|
//! | Ctrl-C, Ctrl-\, resize with the terminal handed over | goes to the target alone | goes to both; we leave it to the target |
//! | INT, TERM, HUP, QUIT, USR1, USR2, TSTP sent to us by `kill` | passed on to the group | passed on to the target |
//! | second INT or TERM by `kill` | KILL to the tree | KILL to the tree |
//! | the target stops (Ctrl-Z) | terminal taken back, we stop by the same signal | we stop by the same signal |
//! | we are continued | terminal given back if we are in the foreground, group continued | target continued |
//! | the target sets its stderr to single keys | the real terminal gets its modes, and it the keys | the same |
//! | time-out | TERM to the group, KILL after the grace | the same to each process of the tree |
//!
//! Without a controlling terminal a stopped target does not stop us: there is nobody to say `fg`,
//! and the time-out must still strike.
//!
//! After the target's end, what it wrote to stderr is copied and no more is waited for. A process
//! left behind keeps a working stderr (see [`StderrWatch::copier`]). Only after a time-out or a kill
//! is the rest of the tree ended as well.
//!
//! While it runs, a supervision owns the signal handlers and the children of the process.

pub mod clock;
mod escalation;
mod event_loop;
mod keys;
pub mod lines;
mod outcome;
mod relay;
mod tree;

use std::io;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::launch::placement::{Facts, place};
use super::launch::terminal::Terminal;
use super::launch::{Launch, LaunchError, stderr};
use super::sys::inherited;
use super::sys::signals::Signals;
use super::sys::wait::{self, Change};
use event_loop::Supervision;

pub use super::sys::die::die_like;
pub use escalation::Limits;
pub use outcome::{Descendants, Ending, Orphan, Outcome, StderrKind, StderrWatch, TimedOut};

/// What the caller wants to hear while the target runs. It is called on the supervising thread: the
/// target's stderr waits meanwhile.
pub trait Observer {
    /// The target runs, as this process.
    fn started(&mut self, _pid: i32) {}

    /// A line of the target's stderr, without its end; see [`lines`] for what counts as a line.
    fn stderr_line(&mut self, _line: &[u8]) {}

    /// The time-out has struck, and TERM is sent next to this process: the last moment for a stack sample.
    /// A child started here must be waited for here.
    fn before_term(&mut self, _pid: i32) {}
}

/// For callers who only want the outcome.
impl Observer for () {}

/// Runs `launch` to its end.
///
/// Every signal disposition, the mask and the terminal's foreground group are put back on return;
/// on Linux the process stays subreaper. An error means that the target was not started, or, as
/// [`LaunchError::Failed`], that watching it failed; it may then still run.
pub fn supervise(
    launch: &Launch,
    limits: Limits,
    observer: &mut dyn Observer,
) -> Result<Outcome, LaunchError> {
    let signals =
        Signals::install().map_err(LaunchError::failed("cannot install signal handlers"))?;
    let terminal = Terminal::open();
    let placement = place(facts(terminal.as_ref()));
    let connection = stderr::connect().map_err(LaunchError::failed("cannot connect stderr"))?;
    Supervision::start(launch, placement, terminal, connection, signals, limits)?
        .run(observer)
        .map_err(LaunchError::failed("cannot watch the target"))
}

/// Whether a process with this id is there, a zombie included. Signal 0 asks without sending; EPERM
/// means that somebody is.
pub fn is_alive(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH)
}

/// Looks once more at the processes that were alive when the supervision ended: many were on their
/// way out. One that has ended is left behind no longer, and told as an orphan where its status
/// comes to us.
pub fn look_again(outcome: &mut Outcome) {
    let orphans = &mut outcome.orphans;
    outcome.left_behind.retain(|&pid| match wait::consume(pid) {
        Ok(Some(Change::Ended(ending))) => {
            orphans.push(Orphan { pid, ending });
            false
        }
        Ok(_) => true,
        // Not a child of ours: all that can be asked is whether it is there.
        Err(_) => is_alive(pid),
    });
}

fn facts(terminal: Option<&Terminal>) -> Facts {
    Facts {
        terminal: terminal.is_some(),
        foreground: terminal.is_some_and(Terminal::is_ours),
        leader: nix::unistd::getpgrp() == nix::unistd::getpid(),
        in_pipeline: is_pipe(1, io::stdout().as_fd()) || is_pipe(2, io::stderr().as_fd()),
    }
}

fn is_pipe(number: i32, fd: std::os::fd::BorrowedFd<'_>) -> bool {
    use nix::sys::stat::{SFlag, fstat};
    !inherited::was_closed(number)
        && fstat(fd).is_ok_and(|stat| {
            SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFIFO
        })
}
