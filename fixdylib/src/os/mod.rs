//! What depends on the operating system: a lock word, the process, how the library is entered and left.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

#[cfg(target_os = "linux")]
pub use linux::{PLATFORM, RawLock, errno, executable, process_start_ns, thread_id};
#[cfg(target_os = "macos")]
pub use macos::{Interpose, PLATFORM, RawLock, errno, executable, process_start_ns, thread_id};

/// Nanoseconds since 1970-01-01 UTC. Async-signal-safe.
pub fn epoch_ns() -> u64 {
    clock_ns(libc::CLOCK_REALTIME)
}

/// A clock in nanoseconds; 0 if the system refuses it.
fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is valid for a write; the call keeps no reference.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return 0;
    }
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}

/// The process. Async-signal-safe, and right in a child of `vfork`.
pub fn pid() -> u32 {
    // SAFETY: has no preconditions.
    unsafe { libc::getpid() }.cast_unsigned()
}

/// The parent process.
pub fn parent_pid() -> u32 {
    // SAFETY: has no preconditions.
    unsafe { libc::getppid() }.cast_unsigned()
}
