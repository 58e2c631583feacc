//! Hooks: which methods, how their arguments are passed on, and what happens around them.

mod around;
mod discover;
mod engine;
mod forward;
mod published;
mod receiver;
mod slots;

pub use discover::{
    hook_count, look_for_replaced, on_class_ready, reset_after_fork as reset_discovery_after_fork,
};
pub use engine::reset_after_fork;
pub use published::{follow as follow_published, reset_after_fork as reset_published_after_fork};
