//! The wish that a command which waits should end, as something that can be waited for.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::sys::signals::Signals;

/// While this lives, INT, TERM and HUP do not end the process: its descriptor has something to read
/// instead. Those that were ignored when the process was started stay ignored.
pub struct Interrupts(Signals);

impl Interrupts {
    /// Catches the signals. Waits while another thread supervises a run.
    pub fn catch() -> io::Result<Self> {
        Signals::install_only(&[libc::SIGINT, libc::SIGTERM, libc::SIGHUP]).map(Self)
    }

    /// The first signal that came since the last call.
    pub fn take(&self) -> io::Result<Option<i32>> {
        Ok(self.take_all()?.first().copied())
    }

    /// The signals that came since the last call, each as often as it was delivered.
    pub fn take_all(&self) -> io::Result<Vec<i32>> {
        let (deliveries, _) = self.0.take()?;
        Ok(deliveries.iter().map(|delivery| delivery.signal).collect())
    }
}

impl AsFd for Interrupts {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
