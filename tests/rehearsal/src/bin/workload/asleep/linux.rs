//! By the state in `/proc/self/task/<tid>/stat`.

use std::fs;

/// A thread's id.
pub type ThreadId = libc::pid_t;

/// The calling thread.
pub fn current() -> ThreadId {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::gettid() }
}

/// Whether the thread sleeps; a thread that is gone does not.
pub fn is_asleep(thread: ThreadId) -> bool {
    let Ok(line) = fs::read_to_string(format!("/proc/self/task/{thread}/stat")) else {
        return false;
    };
    // The name before the state stands in brackets, and may hold brackets.
    line.rsplit_once(") ")
        .is_some_and(|(_, rest)| rest.starts_with('S'))
}
