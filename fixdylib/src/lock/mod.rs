//! Locks: the re-entrant one under which the driver's encoders are used, a condition that goes with it, a plain one for short
//! sections, what to do about long waits, and the order in which locks of a narrower scope are taken.

mod condition;
pub mod order;
mod plain;
mod reentrant;
mod tell;
pub mod watch;

pub use condition::Condition;
pub use plain::Plain;
pub use reentrant::{Acquired, Reentrant};
pub use tell::tell;
