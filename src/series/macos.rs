//! What only macOS does this way.

use std::io;
use std::num::NonZeroUsize;
use std::process::Command;
use std::thread;

use nix::errno::Errno;
use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};
use nix::sys::signal::{SigSet, Signal, kill, raise};
use nix::unistd::{Pid, getppid};

/// No more runs at once than this: with more than five crashing processes at once macOS leaves reports out.
pub const MOST_JOBS: Option<NonZeroUsize> = NonZeroUsize::new(4);

/// Why there is such a limit.
pub const MOST_JOBS_BECAUSE: &str =
    "macOS keeps at most five crashed processes at once for their reports and loses the others'";

/// Sends TERM to this process when its parent, `parent`, is gone, or now where that is so already (`kqueue(2)`, NOTE_EXIT).
pub(super) fn end_with(parent: Pid) -> io::Result<()> {
    let queue = Kqueue::new()?;
    let gone = KEvent::new(
        usize::try_from(parent.as_raw()).map_err(io::Error::other)?,
        EventFilter::EVFILT_PROC,
        EvFlags::EV_ADD | EvFlags::EV_ONESHOT,
        FilterFlag::NOTE_EXIT,
        0,
        0,
    );
    match queue.kevent(&[gone], &mut [], None) {
        Ok(_) => {}
        Err(Errno::ESRCH) => return Ok(raise(Signal::SIGTERM)?),
        Err(error) => return Err(error.into()),
    }
    if getppid() != parent {
        return Ok(raise(Signal::SIGTERM)?);
    }
    thread::Builder::new()
        .name("parent".to_owned())
        .spawn(move || {
            // Signals are the other threads' business. Where they cannot be kept away the wait begins anew.
            let _ = SigSet::all().thread_block();
            let mut events = [gone];
            loop {
                match queue.kevent(&[], &mut events, None) {
                    Ok(1..) => break,
                    Ok(0) | Err(Errno::EINTR) => {}
                    Err(_) => return,
                }
            }
            // There is nobody left to tell of a failure.
            let _ = kill(Pid::this(), Signal::SIGTERM);
        })?;
    Ok(())
}

/// The one-minute load average, as `sysctl(8)` tells it: `{ 1.93 2.04 1.88 }`.
pub fn load_average() -> io::Result<f64> {
    let answer = Command::new("/usr/sbin/sysctl")
        .args(["-n", "vm.loadavg"])
        .output()?;
    let text = String::from_utf8_lossy(&answer.stdout);
    let first = text.split_ascii_whitespace().nth(1).unwrap_or_default();
    // In some languages with a comma.
    first
        .replace(',', ".")
        .parse()
        .map_err(|_| io::Error::other(format!("`{}` is no load average", text.trim())))
}
