//! Ctrl-C and its kin as something that can be waited for together with a process.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;

use nix::sys::signal::{SigSet, Signal};
use nix::unistd::pipe;

/// Signals by which people and systems end a command.
const ENDING: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// Signals that ask us to end, held back from ending us at once.
///
/// Made before any other thread is started, so that all inherit the mask. Processes started meanwhile do not: the standard
/// library starts them with an empty one.
#[derive(Debug)]
pub struct Interrupt {
    signal: Arc<AtomicI32>,
    ended: OwnedFd,
}

impl Interrupt {
    /// Holds the signals back from this thread and those it starts.
    pub fn hold() -> io::Result<Self> {
        let signals: SigSet = ENDING.into_iter().collect();
        signals.thread_block()?;
        let (ended, writer) = pipe()?;
        let signal = Arc::new(AtomicI32::new(0));
        let seen = Arc::clone(&signal);
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                if let Ok(signal) = signals.wait() {
                    seen.store(signal as i32, Ordering::Release);
                }
                // The other end sees that nobody holds this one any more, and stays so for whoever looks.
                drop(writer);
            })?;
        Ok(Self { signal, ended })
    }

    /// The signal that came, if one did.
    pub fn signal(&self) -> Option<i32> {
        Some(self.signal.load(Ordering::Acquire)).filter(|&signal| signal != 0)
    }

    /// Hung up when a signal has come.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.ended.as_fd()
    }

    /// Lets the signals through to this thread again.
    pub fn release() -> io::Result<()> {
        let signals: SigSet = ENDING.into_iter().collect();
        Ok(signals.thread_unblock()?)
    }
}
