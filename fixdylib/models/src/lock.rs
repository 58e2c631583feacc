//! The locks that take no part of the rest of the library.

#[path = "../../src/lock/plain.rs"]
pub mod plain;
#[path = "../../src/lock/reentrant.rs"]
pub mod reentrant;
#[path = "../../src/lock/watch.rs"]
pub mod watch;

pub use plain::Plain;
pub use reentrant::{Acquired, Reentrant};
