//! arm64.

use libc::c_long;

/// One raw system call: the kernel's return value, negative for `-errno`.
///
/// # Safety
/// The arguments must be what the call named by `number` asks for; memory it writes must be the caller's to write.
pub unsafe fn syscall(number: c_long, a: [usize; 6]) -> isize {
    let result;
    // SAFETY: the caller vouches for the arguments; the kernel preserves every register but x0.
    unsafe {
        core::arch::asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a[0] => result,
            in("x1") a[1], in("x2") a[2], in("x3") a[3], in("x4") a[4], in("x5") a[5],
            options(nostack),
        );
    }
    result
}
