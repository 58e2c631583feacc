//! A run must not outlive the series that it belongs to, however that ends.

use std::io;

use nix::unistd::Pid;

use super::platform;

/// Has this process end as by TERM when its parent is gone: a run in progress passes TERM on to its target, and says how that
/// ended. Called by `agxrun run --end-with PARENT` before it launches anything.
///
/// # Errors
/// Where the system cannot be asked.
pub fn end_with(parent: i32) -> io::Result<()> {
    platform::end_with(Pid::from_raw(parent))
}
