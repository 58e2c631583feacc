//! Hooks: which methods, how their arguments are passed on, and what happens around them.

pub mod abi;
mod around;
mod discover;
pub mod encoding;
mod engine;
mod forward;
pub mod rules;
mod slots;

pub use discover::{hook_count, on_class_ready, reset_after_fork as reset_discovery_after_fork};
pub use engine::reset_after_fork;
