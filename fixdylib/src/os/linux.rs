//! Linux.

use std::ffi::{CStr, c_int};

use crate::say::Severity;

/// This system in the ledger.
pub const PLATFORM: u32 = agx_ledger::layout::platform::LINUX;

#[used]
#[unsafe(link_section = ".init_array")]
static LOAD: extern "C" fn() = crate::load;

/// The system's id of the calling thread.
pub fn thread_id() -> u64 {
    // SAFETY: has no preconditions.
    u64::from(unsafe { libc::gettid() }.cast_unsigned())
}

/// The last error of a system call on this thread.
pub fn errno() -> c_int {
    // SAFETY: glibc gives a valid address for every thread.
    unsafe { *libc::__errno_location() }
}

/// Nothing: no log of this system takes lines from every program, and stderr has them.
pub fn log(_severity: Severity, _line: &CStr) {}

/// Path of the executable: bytes written to `buffer`, and whether the path may be longer.
pub fn executable(buffer: &mut [u8]) -> (usize, bool) {
    // SAFETY: the buffer is writable for its length; the call writes no NUL.
    let len = unsafe {
        libc::readlink(
            c"/proc/self/exe".as_ptr(),
            buffer.as_mut_ptr().cast(),
            buffer.len(),
        )
    };
    let len = usize::try_from(len).unwrap_or(0);
    (len, len == buffer.len())
}

/// When the process started, in nanoseconds since the epoch; 0 where `/proc` does not tell.
///
/// `/proc/self/stat` counts from the boot, in clock ticks (proc_pid_stat(5), field 22).
pub fn process_start_ns() -> u64 {
    let mut text = [0; 1024];
    let Some(len) = read_start(c"/proc/self/stat", &mut text) else {
        return 0;
    };
    // The second field is the name in parentheses, which may hold anything, parentheses included.
    let Some(end_of_name) = text[..len].iter().rposition(|byte| *byte == b')') else {
        return 0;
    };
    let fields = std::str::from_utf8(&text[end_of_name + 1..len]).unwrap_or("");
    let Some(started) = fields
        .split_ascii_whitespace()
        .nth(19)
        .and_then(|field| field.parse::<u64>().ok())
    else {
        return 0;
    };
    // SAFETY: has no preconditions.
    let Ok(per_second @ 1..) = u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }) else {
        return 0;
    };
    let since_boot = started.saturating_mul(1_000_000_000 / per_second);
    let age = super::clock_ns(libc::CLOCK_BOOTTIME).saturating_sub(since_boot);
    super::epoch_ns().saturating_sub(age)
}

fn read_start(path: &CStr, buffer: &mut [u8]) -> Option<usize> {
    // SAFETY: the path ends in NUL.
    let file = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return None;
    }
    // SAFETY: the buffer is writable for its length; `file` is open and ours to close.
    let len = unsafe {
        let len = libc::read(file, buffer.as_mut_ptr().cast(), buffer.len());
        libc::close(file);
        len
    };
    usize::try_from(len).ok()
}

/// Ends the process at once, as the C library's function of this name, after noting it in the ledger.
///
/// Children of Python's `multiprocessing`, and shells, leave through it and run no exit handlers.
#[unsafe(no_mangle)]
extern "C" fn _exit(status: c_int) -> ! {
    crate::leaving(status);
    exit_group(status)
}

/// See [`_exit`].
#[unsafe(no_mangle)]
#[allow(non_snake_case)] // the C library's name
extern "C" fn _Exit(status: c_int) -> ! {
    crate::leaving(status);
    exit_group(status)
}

/// What glibc's `_exit` does; its own is not called because finding it could allocate in a child of `vfork`.
fn exit_group(status: c_int) -> ! {
    loop {
        // SAFETY: ends the process; has no preconditions.
        unsafe { libc::syscall(libc::SYS_exit_group, status) };
    }
}
