//! The fix library's locks, throttle, lifecycle and table of shared encoders over [`loom`]: the same source files as in the library, with atomics, cells and the
//! kernel's part replaced, so that a test runs through every order in which its threads can meet.
//!
//! Time stands still until a test lets it end ([`os::park::expire`]), which is a step like any other.

#![allow(clippy::cast_possible_truncation)] // as in the library, whose words and addresses are 64 bits wide

pub mod condition;
#[path = "../../src/lifecycle.rs"]
pub mod lifecycle;
pub mod lock;
pub mod os;
pub mod sync;

#[path = "../../src/hooks/tally/sharing.rs"]
pub mod sharing;
#[path = "../../src/throttle/mod.rs"]
pub mod throttle;

/// Runs a test through its orders. More than three threads are switched against their will at most so often.
pub fn model(switches: usize, run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(switches);
    builder.check(run);
}
