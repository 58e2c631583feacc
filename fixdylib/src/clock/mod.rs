//! The clock that stamps events: the cheapest that the system has, because every hooked call reads it.
//!
//! The order of a thread's events is given by their place in the ring; stamps say when, to the clock's resolution.

#[cfg(target_os = "linux")]
mod coarse;
#[cfg(all(not(target_os = "linux"), target_arch = "x86_64"))]
mod time_stamp_counter;
#[cfg(all(not(target_os = "linux"), target_arch = "aarch64"))]
mod virtual_counter;

#[cfg(target_os = "linux")]
pub use coarse::{KIND, resolution_ns, stamp};
#[cfg(all(not(target_os = "linux"), target_arch = "x86_64"))]
pub use time_stamp_counter::{KIND, resolution_ns, stamp};
#[cfg(all(not(target_os = "linux"), target_arch = "aarch64"))]
pub use virtual_counter::{KIND, resolution_ns, stamp};
