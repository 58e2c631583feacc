//! What depends on the processor: the tick counter.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::{ARCHITECTURE, ticks};
#[cfg(target_arch = "x86_64")]
pub use x86_64::{ARCHITECTURE, ticks};
