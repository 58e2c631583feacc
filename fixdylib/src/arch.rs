//! The processor, as the ledger names it.

use agx_ledger::layout::architecture;

/// This processor in the ledger.
#[cfg(target_arch = "aarch64")]
pub const ARCHITECTURE: u32 = architecture::AARCH64;
/// This processor in the ledger.
#[cfg(target_arch = "x86_64")]
pub const ARCHITECTURE: u32 = architecture::X86_64;
