//! A process of ours that works beside the target and does not outlive us.

use libc::pid_t;

use super::os;

/// A child of ours, not yet reaped. Dropping ends it.
pub(in crate::run) struct Helper(pub(super) pid_t);

impl Helper {
    pub(in crate::run) fn pid(&self) -> pid_t {
        self.0
    }

    /// It has ended and was reaped: its number may be another process's by now.
    pub(in crate::run) fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // SAFETY: our own child, not yet reaped; no status wanted.
        unsafe {
            libc::kill(self.0, libc::SIGKILL);
            while libc::waitpid(self.0, std::ptr::null_mut(), 0) == -1 && os::errno() == libc::EINTR
            {
            }
        }
    }
}
