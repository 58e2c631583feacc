//! 64-bit ARM without a cheaper clock: the virtual counter, one instruction.

use agx_ledger::layout::clock_kind;

/// This clock in the ledger.
pub const KIND: u32 = clock_kind::TICKS;

/// The counter.
#[inline]
pub fn stamp() -> u64 {
    let ticks: u64;
    // SAFETY: reads a register that macOS makes readable for user programs; touches neither memory nor flags.
    unsafe {
        core::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack, preserves_flags));
    };
    ticks
}

/// Finer than a microsecond, to be had from the header's two readings.
pub fn resolution_ns() -> u32 {
    0
}
