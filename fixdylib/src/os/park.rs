//! Linux: sleeping on a word until another thread changes it (futex(2)).

use std::ffi::c_int;
use std::ptr;
use std::sync::atomic::AtomicU32;

use super::NEVER;

/// Sleeps while the word has this value, at most until the deadline. Returns early whenever the kernel likes.
pub fn wait(word: &AtomicU32, value: u32, deadline_ns: u64) {
    let until = libc::timespec {
        tv_sec: (deadline_ns / 1_000_000_000).cast_signed(),
        tv_nsec: (deadline_ns % 1_000_000_000).cast_signed(),
    };
    let until = if deadline_ns == NEVER {
        ptr::null()
    } else {
        &raw const until
    };
    // FUTEX_WAIT counts from now; with the bit set the time is the monotonic clock's.
    futex(word, libc::FUTEX_WAIT_BITSET, value, until);
}

/// Wakes at most so many of the threads that sleep on the word.
pub fn wake(word: &AtomicU32, count: u32) {
    futex(word, libc::FUTEX_WAKE, count, ptr::null());
}

/// The result says nothing to the callers, who look at the word again; and the program keeps its `errno`.
fn futex(word: &AtomicU32, operation: c_int, value: u32, until: *const libc::timespec) {
    // SAFETY: glibc gives a valid address for every thread.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: the word and the time live as long as the call, which looks at the second address for other operations only.
    unsafe {
        let before = *errno;
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            operation | libc::FUTEX_PRIVATE_FLAG,
            value,
            until,
            ptr::null::<u32>(),
            libc::FUTEX_BITSET_MATCH_ANY,
        );
        *errno = before;
    }
}
