//! macOS, which has no timed lock of a mutex: as in libc++'s timed mutexes it is made of what there is.

use std::time::{Duration, Instant};

use libc::{pthread_cond_t, pthread_mutex_t, timespec};

/// Between two attempts to take a mutex. Only waits that are being watched pay for it.
const ATTEMPT: Duration = Duration::from_millis(1);

/// # Safety
/// Nobody uses the condition.
pub unsafe fn make_condition(condition: *mut pthread_cond_t) -> bool {
    // SAFETY: promised by the caller.
    unsafe { libc::pthread_cond_init(condition, std::ptr::null()) == 0 }
}

/// # Safety
/// The calling thread has the mutex.
pub unsafe fn wait_for(
    condition: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    limit: Duration,
) {
    let relative = timespec {
        tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX), // longer than any wait
        tv_nsec: i64::from(limit.subsec_nanos()),
    };
    // SAFETY: promised by the caller.
    unsafe { libc::pthread_cond_timedwait_relative_np(condition, mutex, &raw const relative) };
}

/// # Safety
/// The mutex is initialised.
pub unsafe fn lock_for(mutex: *mut pthread_mutex_t, limit: Duration) -> bool {
    let start = Instant::now();
    loop {
        // SAFETY: promised by the caller.
        if unsafe { libc::pthread_mutex_trylock(mutex) } == 0 {
            return true;
        }
        if start.elapsed() >= limit {
            return false;
        }
        std::thread::sleep(ATTEMPT);
    }
}
