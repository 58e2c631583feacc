//! System calls without the C library: no `errno`, no locks, no cancellation points.
//!
//! A crash can happen with any lock held and in any state of the C library, and the hand-over runs on borrowed memory in
//! a second process. Only the kernel can be relied on there.

use libc::{c_char, c_int, c_long, c_void};

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
use aarch64::syscall;
#[cfg(target_arch = "x86_64")]
use x86_64::syscall;

/// A call whose arguments are all plain numbers: the kernel checks them, memory is not involved.
fn plain(number: c_long, a: [usize; 6]) -> isize {
    // SAFETY: callers in this file pass numbers only; a wrong one is refused by the kernel.
    unsafe { syscall(number, a) }
}

/// A signed number as the kernel takes it.
const fn arg(value: c_int) -> usize {
    (value as isize).cast_unsigned()
}

/// Process id, asked of the kernel: the C library's may be stale after a raw `clone`.
pub fn getpid() -> i32 {
    truncate(plain(libc::SYS_getpid, [0; 6]))
}

/// Thread id of the caller.
pub fn gettid() -> i32 {
    truncate(plain(libc::SYS_gettid, [0; 6]))
}

/// Ids and descriptors fit in 32 bits by the kernel's own definition.
#[expect(
    clippy::cast_possible_truncation,
    reason = "ids and descriptors are 32 bits wide"
)]
fn truncate(value: isize) -> i32 {
    value as i32
}

/// Closes `fd`. There is nothing to do about a failure: the descriptor is gone either way.
pub fn close(fd: i32) {
    plain(libc::SYS_close, [arg(fd), 0, 0, 0, 0, 0]);
}

/// Closes every descriptor from `first` up; false where the kernel is older than 5.9.
pub fn close_from(first: i32) -> bool {
    plain(
        libc::SYS_close_range,
        [arg(first), u32::MAX as usize, 0, 0, 0, 0],
    ) == 0
}

/// A copy of `fd` numbered `least` or higher, kept across `execve`; negative on failure.
pub fn duplicate_above(fd: i32, least: i32) -> i32 {
    truncate(plain(
        libc::SYS_fcntl,
        [arg(fd), arg(libc::F_DUPFD), arg(least), 0, 0, 0],
    ))
}

/// Makes `to` another name of `from`, kept across `execve`; the two must differ.
pub fn duplicate_onto(from: i32, to: i32) -> bool {
    plain(libc::SYS_dup3, [arg(from), arg(to), 0, 0, 0, 0]) >= 0
}

/// A session and process group of one's own, away from the terminal.
pub fn setsid() {
    plain(libc::SYS_setsid, [0; 6]);
}

/// Ends the calling process, or thread, at once.
pub fn exit(code: c_int) -> ! {
    loop {
        plain(libc::SYS_exit, [arg(code), 0, 0, 0, 0, 0]);
    }
}

/// A pipe, close-on-exec and non-blocking at both ends: (read, write).
pub fn pipe() -> Option<(i32, i32)> {
    let mut ends = [0_i32; 2];
    let flags = arg(libc::O_CLOEXEC | libc::O_NONBLOCK);
    // SAFETY: `ends` has room for the two descriptors that the kernel stores.
    let result = unsafe {
        syscall(
            libc::SYS_pipe2,
            [ends.as_mut_ptr().addr(), flags, 0, 0, 0, 0],
        )
    };
    (result == 0).then_some((ends[0], ends[1]))
}

/// Writes from memory that may be unmapped: the kernel stops short instead of faulting. Bytes written, or negative.
pub fn write(fd: i32, address: usize, len: usize) -> isize {
    // SAFETY: the kernel only reads, and checks each page.
    unsafe { syscall(libc::SYS_write, [arg(fd), address, len, 0, 0, 0]) }
}

/// Opens `path` (NUL-terminated, absolute) with `flags`; negative on failure.
pub fn open(path: &core::ffi::CStr, flags: c_int) -> i32 {
    let a = [
        arg(libc::AT_FDCWD),
        path.as_ptr().addr(),
        arg(flags),
        0,
        0,
        0,
    ];
    // SAFETY: `path` is a C string and outlives the call.
    truncate(unsafe { syscall(libc::SYS_openat, a) })
}

/// Reads directory entries (`linux_dirent64`) into `buffer`: bytes read, 0 at the end, negative on failure.
pub fn read_directory(fd: i32, buffer: &mut [u8]) -> isize {
    let a = [arg(fd), buffer.as_mut_ptr().addr(), buffer.len(), 0, 0, 0];
    // SAFETY: the kernel writes at most `buffer.len()` bytes.
    unsafe { syscall(libc::SYS_getdents64, a) }
}

/// Back to the directory's first entry.
pub fn rewind(fd: i32) {
    plain(libc::SYS_lseek, [arg(fd), 0, arg(libc::SEEK_SET), 0, 0, 0]);
}

/// Fresh memory of `len` bytes, or None.
pub fn map(len: usize) -> Option<*mut c_void> {
    let protection = arg(libc::PROT_READ | libc::PROT_WRITE);
    let flags = arg(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // An anonymous mapping at an address of the kernel's choice touches nothing that exists.
    let result = plain(libc::SYS_mmap, [0, len, protection, flags, arg(-1), 0]);
    // The kernel's errors are the last page of the address space.
    (!(-4095..0).contains(&result))
        .then(|| core::ptr::with_exposed_provenance_mut(result.cast_unsigned()))
}

/// A `ptrace` request without data: true when it was granted.
pub fn ptrace(request: libc::c_uint, tid: i32) -> bool {
    plain(libc::SYS_ptrace, [request as usize, arg(tid), 0, 0, 0, 0]) == 0
}

/// Lets any process trace this one. Needed where Yama's `ptrace_scope` is 1, and without effect elsewhere.
pub fn allow_any_tracer() {
    const PR_SET_PTRACER: c_int = 0x5961_6d61;
    plain(
        libc::SYS_prctl,
        [arg(PR_SET_PTRACER), usize::MAX, 0, 0, 0, 0],
    );
}

/// Waits until the child `pid`, of whatever exit signal, is gone.
pub fn reap(pid: i32) {
    while plain(libc::SYS_wait4, [arg(pid), 0, arg(libc::__WALL), 0, 0, 0])
        == -(libc::EINTR as isize)
    {}
}

/// Waits for input, an error or a hang-up on `fd`, or forever on none; at most `seconds` where given.
pub fn wait_for_input(fd: i32, seconds: Option<i64>) {
    let mut entry = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    let mut limit = libc::timespec {
        tv_sec: seconds.unwrap_or(0),
        tv_nsec: 0,
    };
    let limit = if seconds.is_some() {
        (&raw mut limit).addr()
    } else {
        0
    };
    let a = [(&raw mut entry).addr(), 1, limit, 0, 0, 0];
    // The kernel stores the time that is left in `limit`, so that an interrupted wait goes on with the rest.
    // SAFETY: both structures live until the call returns; a null limit means none.
    while unsafe { syscall(libc::SYS_ppoll, a) } == -(libc::EINTR as isize) {}
}

/// Replaces the process image; returns only on failure.
///
/// # Safety
/// `program` is a C string, `arguments` and `environment` are null-terminated arrays of C strings.
pub unsafe fn execute(
    program: *const c_char,
    arguments: *const *const c_char,
    environment: *const *const c_char,
) {
    // SAFETY: the caller's promise is what the call asks for.
    unsafe {
        syscall(
            libc::SYS_execve,
            [
                program.addr(),
                arguments.addr(),
                environment.addr(),
                0,
                0,
                0,
            ],
        )
    };
}

/// Sends `info` to a thread of this process as if it came from where it first came from; negative on failure.
///
/// The kernel takes any `si_code` from a process that sends to itself (`rt_tgsigqueueinfo(2)`).
pub fn queue_to_thread(pid: i32, tid: i32, signal: c_int, info: &libc::siginfo_t) -> isize {
    let a = [
        arg(pid),
        arg(tid),
        arg(signal),
        core::ptr::from_ref(info).addr(),
        0,
        0,
    ];
    // SAFETY: `info` is a whole `siginfo_t`, only read.
    unsafe { syscall(libc::SYS_rt_tgsigqueueinfo, a) }
}

/// Sends `signal` to a thread of this process.
pub fn send_to_thread(pid: i32, tid: i32, signal: c_int) {
    plain(libc::SYS_tgkill, [arg(pid), arg(tid), arg(signal), 0, 0, 0]);
}

/// Lets `signal` through to the calling thread.
pub fn unblock(signal: c_int) {
    let set: u64 = 1 << (signal - 1);
    let a = [
        arg(libc::SIG_UNBLOCK),
        (&raw const set).addr(),
        0,
        size_of::<u64>(),
        0,
        0,
    ];
    // SAFETY: the kernel's signal set is 64 bits on both machines; it is only read.
    unsafe { syscall(libc::SYS_rt_sigprocmask, a) };
}
