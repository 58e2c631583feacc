//! What depends on the operating system: a lock word, the process, how the library is entered and left.

#[cfg(target_os = "macos")]
mod bounded;
#[cfg(target_os = "linux")]
mod futex;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(test, target_os = "macos"))]
mod log_buffer;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
mod oslog;
#[cfg(target_os = "linux")]
mod park;
#[cfg(target_os = "macos")]
mod unfair;

#[cfg(target_os = "linux")]
pub use futex::{EventCount, RawLock};
#[cfg(target_os = "linux")]
pub use linux::{PLATFORM, errno, executable, log, process_start_ns, thread_id};
#[cfg(target_os = "macos")]
pub use macos::{Interpose, PLATFORM, errno, executable, process_start_ns, thread_id};
#[cfg(target_os = "macos")]
pub use oslog::log;
#[cfg(target_os = "macos")]
pub use unfair::{EventCount, RawLock};

/// The deadline of a wait that has none.
pub const NEVER: u64 = u64::MAX;

/// Nanoseconds of a clock that only goes forward: what deadlines are given in. Async-signal-safe.
pub fn monotonic_ns() -> u64 {
    clock_ns(libc::CLOCK_MONOTONIC)
}

/// The deadline that comes so many milliseconds from now.
pub fn deadline_in_ms(milliseconds: u64) -> u64 {
    monotonic_ns().saturating_add(milliseconds.saturating_mul(1_000_000))
}

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
