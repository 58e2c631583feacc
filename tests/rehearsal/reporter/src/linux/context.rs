//! Registers out of a signal context.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::{registers, stack_pointer};
#[cfg(target_arch = "x86_64")]
pub use x86_64::{registers, stack_pointer};
