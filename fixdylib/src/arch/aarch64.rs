//! 64-bit ARM.

/// This processor in the ledger.
pub const ARCHITECTURE: u32 = agx_ledger::layout::architecture::AARCH64;

/// The virtual counter.
#[inline]
pub fn ticks() -> u64 {
    let ticks: u64;
    // SAFETY: reads a register that Linux and macOS make readable for user programs; touches neither memory nor flags.
    unsafe {
        core::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack, preserves_flags))
    };
    ticks
}
