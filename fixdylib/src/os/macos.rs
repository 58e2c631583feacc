//! macOS.

use std::ffi::{c_int, c_void};

/// This system in the ledger.
pub const PLATFORM: u32 = agx_ledger::layout::platform::MACOS;

#[used]
#[unsafe(link_section = "__DATA,__mod_init_func")]
static LOAD: extern "C" fn() = crate::load;

unsafe extern "C" {
    fn _exit(status: c_int) -> !;
    fn _Exit(status: c_int) -> !;
}

/// The system's id of the calling thread, as crash reports print it.
pub fn thread_id() -> u64 {
    let mut id = 0;
    // SAFETY: thread 0 means the calling thread; `id` is valid for a write.
    unsafe { libc::pthread_threadid_np(0, &raw mut id) };
    id
}

/// The last error of a system call on this thread.
pub fn errno() -> c_int {
    // SAFETY: libSystem gives a valid address for every thread.
    unsafe { *libc::__error() }
}

/// Path of the executable: bytes written to `buffer`, and whether the path may be longer.
pub fn executable(buffer: &mut [u8]) -> (usize, bool) {
    let size = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
    // SAFETY: the buffer is writable for `size` bytes. The call wants at least PROC_PIDPATHINFO_SIZE (1024).
    let len =
        unsafe { libc::proc_pidpath(libc::getpid(), buffer.as_mut_ptr().cast::<c_void>(), size) };
    let len = usize::try_from(len).unwrap_or(0);
    (len, len >= buffer.len())
}

/// When the process started, in nanoseconds since the epoch; 0 where the kernel does not tell.
pub fn process_start_ns() -> u64 {
    // SAFETY: the structure is plain data, for which zero is a value.
    let mut info: libc::proc_bsdinfo = unsafe { std::mem::zeroed() };
    let size = size_of::<libc::proc_bsdinfo>();
    let Ok(wanted) = c_int::try_from(size) else {
        return 0;
    };
    // SAFETY: the buffer is writable for `wanted` bytes, which is what the flavour fills in.
    let got = unsafe {
        libc::proc_pidinfo(
            libc::getpid(),
            libc::PROC_PIDTBSDINFO,
            0,
            (&raw mut info).cast::<c_void>(),
            wanted,
        )
    };
    if got != wanted {
        return 0;
    }
    info.pbi_start_tvsec * 1_000_000_000 + info.pbi_start_tvusec * 1_000
}

/// Replaces `_exit` in every image but this one: dyld leaves an interposing image's own references alone.
unsafe extern "C" fn leave_at_once(status: c_int) -> ! {
    crate::leaving(status);
    // SAFETY: ends the process; has no preconditions.
    unsafe { _exit(status) }
}

/// One replacement in dyld's table (dyld-interposing.h): the new function, the old one.
#[repr(C)]
pub struct Interpose(pub *const (), pub *const ());

// SAFETY: addresses of functions, which dyld reads once.
unsafe impl Sync for Interpose {}

#[used]
#[unsafe(link_section = "__DATA,__interpose")]
static INTERPOSED: [Interpose; 2] = [
    Interpose(leave_at_once as *const (), _exit as *const ()),
    Interpose(leave_at_once as *const (), _Exit as *const ()),
];
