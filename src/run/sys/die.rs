//! An end of our own that is told as the target's was.

use super::signals;

/// Ends this process by `signal` (INT, TERM or HUP), as the target's end was: a shell that runs a script
/// stops it after Ctrl-C only where the command itself died of SIGINT, as one that exits with 130 may
/// have used the key for something of its own (bash: "wait and cooperative exit"). Nothing that is
/// buffered is flushed, and no destructor runs.
///
/// Returns where the process cannot be ended so: `signal` is ignored or blocked, as it was when we were
/// started, or is another one. A crash signal would be a crash of ours, with a core file or a report.
pub fn die_like(signal: i32) {
    if !matches!(signal, libc::SIGINT | libc::SIGTERM | libc::SIGHUP)
        || signals::is_ignored(signal)
        || signals::is_blocked(signal)
    {
        return;
    }
    // SAFETY: SIG_DFL replaces whatever handler there is by the kernel's action; raise has no
    // memory preconditions.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}
