//! Linux: waits count on the monotonic clock where the C library can (conditions), and on the other where it cannot.

use std::mem::MaybeUninit;
use std::time::Duration;

use libc::{clockid_t, pthread_cond_t, pthread_mutex_t, timespec};

/// # Safety
/// Nobody uses the condition.
pub unsafe fn make_condition(condition: *mut pthread_cond_t) -> bool {
    let mut attributes = MaybeUninit::uninit();
    // SAFETY: the attributes are initialised before they are used.
    unsafe {
        if libc::pthread_condattr_init(attributes.as_mut_ptr()) != 0 {
            return false;
        }
        let made = libc::pthread_condattr_setclock(attributes.as_mut_ptr(), libc::CLOCK_MONOTONIC)
            == 0
            && libc::pthread_cond_init(condition, attributes.as_ptr()) == 0;
        libc::pthread_condattr_destroy(attributes.as_mut_ptr());
        made
    }
}

/// # Safety
/// The condition is from [`make_condition`], and the calling thread has the mutex.
pub unsafe fn wait_for(
    condition: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    limit: Duration,
) {
    let deadline = deadline(libc::CLOCK_MONOTONIC, limit);
    // SAFETY: promised by the caller.
    unsafe { libc::pthread_cond_timedwait(condition, mutex, &raw const deadline) };
}

/// # Safety
/// The mutex is initialised.
pub unsafe fn lock_for(mutex: *mut pthread_mutex_t, limit: Duration) -> bool {
    let deadline = deadline(libc::CLOCK_REALTIME, limit);
    // SAFETY: promised by the caller.
    unsafe { libc::pthread_mutex_timedlock(mutex, &raw const deadline) == 0 }
}

fn deadline(clock: clockid_t, limit: Duration) -> timespec {
    const SECOND: i64 = 1_000_000_000;
    let mut time = timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is valid for a write. Both clocks exist on every Linux.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    let nanoseconds = time.tv_nsec + i64::from(limit.subsec_nanos());
    let seconds = i64::try_from(limit.as_secs()).unwrap_or(i64::MAX); // longer than any wait
    time.tv_sec = time
        .tv_sec
        .saturating_add(seconds)
        .saturating_add(nanoseconds / SECOND);
    time.tv_nsec = nanoseconds % SECOND;
    time
}
