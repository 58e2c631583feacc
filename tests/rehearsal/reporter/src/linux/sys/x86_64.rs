//! x86-64.

use libc::c_long;

/// One raw system call: the kernel's return value, negative for `-errno`.
///
/// # Safety
/// The arguments must be what the call named by `number` asks for; memory it writes must be the caller's to write.
pub unsafe fn syscall(number: c_long, a: [usize; 6]) -> isize {
    let result;
    // SAFETY: the caller vouches for the arguments; the clobbers are those of the x86-64 system call convention.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a[0], in("rsi") a[1], in("rdx") a[2], in("r10") a[3], in("r8") a[4], in("r9") a[5],
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
}
