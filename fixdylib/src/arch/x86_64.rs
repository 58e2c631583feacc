//! x86-64.

/// This processor in the ledger.
pub const ARCHITECTURE: u32 = agx_ledger::layout::architecture::X86_64;

/// The time-stamp counter.
#[inline]
pub fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has the instruction; user programs may execute it on Linux and macOS.
    unsafe { core::arch::x86_64::_rdtsc() }
}
