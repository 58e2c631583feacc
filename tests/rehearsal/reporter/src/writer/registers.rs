//! Registers: from a signal context or a stopped thread, to the unwinder and the report.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::{ARCH, CPU_TYPE, Registers, SIGNAL_RETURN};
#[cfg(target_arch = "x86_64")]
pub use x86_64::{ARCH, CPU_TYPE, Registers, SIGNAL_RETURN};

use serde_json::{Value, json};

/// A fault as the machine's registers tell it.
pub struct Fault {
    /// `si_code` of the SIGSEGV that the kernel makes of it.
    pub code: i32,
    /// The address; 0 where the machine does not say.
    pub address: u64,
}

/// `{"value": n}`, the form of one register in a report.
fn value(number: u64) -> Value {
    json!({ "value": number })
}
