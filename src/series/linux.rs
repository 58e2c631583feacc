//! What only Linux does this way.

use std::io;
use std::num::NonZeroUsize;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, raise};
use nix::unistd::{Pid, getppid};

/// No more runs at once than this; `None` where nothing limits them.
pub const MOST_JOBS: Option<NonZeroUsize> = None;

/// Why there is such a limit.
pub const MOST_JOBS_BECAUSE: &str = "";

/// Has TERM sent to this process when its parent, `parent`, is gone, or sends it now where that is so already
/// (`prctl(2)`, PR_SET_PDEATHSIG).
pub(super) fn end_with(parent: Pid) -> io::Result<()> {
    set_pdeathsig(Signal::SIGTERM)?;
    if getppid() != parent {
        raise(Signal::SIGTERM)?;
    }
    Ok(())
}

/// The one-minute load average (`proc(5)`, /proc/loadavg).
pub fn load_average() -> io::Result<f64> {
    let text = std::fs::read_to_string("/proc/loadavg")?;
    let first = text.split_ascii_whitespace().next().unwrap_or_default();
    first
        .parse()
        .map_err(|_| io::Error::other(format!("`{first}` in /proc/loadavg is no number")))
}
