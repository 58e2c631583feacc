//! The library's `os/`, with Linux's lock and event count over a modelled kernel.

#[path = "../../src/os/bounded.rs"]
pub mod bounded;
#[path = "../../src/os/futex.rs"]
mod futex;
#[path = "park.rs"]
pub mod park;

pub use futex::{EventCount, RawLock};
pub use park::monotonic_ns;

/// The deadline of a wait that has none.
pub const NEVER: u64 = u64::MAX;

/// Diagnostics are not modelled.
pub fn thread_id() -> u64 {
    1
}
