//! Locks: the re-entrant one under which the driver's encoders are used, a plain one for short sections, what to do about long waits, and the order in which locks of a narrower scope are taken.

pub mod order;
mod plain;
mod reentrant;
mod tell;
pub mod watch;

pub use plain::Plain;
pub use reentrant::{Acquired, Reentrant};
pub use tell::tell;

#[cfg(all(test, not(loom)))]
mod fork_tests;
