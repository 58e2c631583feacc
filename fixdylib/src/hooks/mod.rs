//! Hooks: which methods, how their arguments are passed on, and what happens around them.

mod around;
mod discover;
mod domains;
mod engine;
mod expected;
mod forward;
mod places;
mod published;
mod quick;
mod receiver;
mod slots;
mod sweep;
mod tally;
mod tell;

pub use discover::{
    hook_count, look_for_replaced, on_class_ready, reset_after_fork as reset_discovery_after_fork,
};
pub use domains::{ended as thread_ended, holds_nothing};
pub use published::{follow as follow_published, reset_after_fork as reset_published_after_fork};
pub use sweep::census;

use crate::config::Scope;
use crate::lock::watch::Watch;

/// What users chose for the default policy.
pub struct Settings {
    /// Which calls share a lock.
    pub scope: Scope,
    /// Told of long waits for a lock.
    pub watch: Option<&'static Watch>,
    /// The longest wait of an event for another thread's encoder.
    pub event_wait_ms: u64,
    /// Command buffers in flight at most; 0 for no bound.
    pub max_in_flight: u32,
    /// The longest wait of a commit for that.
    pub throttle_wait_ms: u64,
    /// Whether calls are tallied for a census.
    pub census: bool,
}

/// Applies what users chose. Called before the first hook is installed.
pub fn configure(settings: &Settings) {
    tally::configure(settings.census);
    domains::configure(settings.scope, settings.watch);
    around::configure_events(settings.event_wait_ms);
    around::configure_throttle(settings.max_in_flight, settings.throttle_wait_ms);
}

/// In the child of a `fork`, whose only thread is `me`. Async-signal-safe.
pub fn reset_after_fork(me: usize) {
    domains::reset_after_fork(me);
    expected::reset_after_fork();
    places::reset_after_fork();
    around::reset_after_fork();
    tally::reset_after_fork();
}
