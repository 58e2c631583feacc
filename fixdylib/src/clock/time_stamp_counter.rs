//! x86-64 without a cheaper clock: the time-stamp counter.

use agx_ledger::layout::clock_kind;

/// This clock in the ledger.
pub const KIND: u32 = clock_kind::TICKS;

/// The counter.
#[inline]
pub fn stamp() -> u64 {
    // SAFETY: every x86-64 processor has the instruction; user programs may execute it on macOS.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Finer than a microsecond, to be had from the header's two readings.
pub fn resolution_ns() -> u32 {
    0
}
