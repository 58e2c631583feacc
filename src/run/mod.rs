//! One run, in the order it happens: plan, preflight, launch, supervise, settle, collect, verdict.
//!
//! [`execute`] calls the steps; each has a file or folder of its own. Nothing here prints: what
//! happens is told to an [`execute::Watcher`], and what was seen is a [`record::RunRecord`].

pub mod arrival;
pub mod attempts;
pub mod background;
pub mod collect;
pub mod execute;
mod expectation;
mod insertion;
pub mod interrupts;
pub mod known;
pub mod launch;
mod notes;
pub mod options;
pub mod plan;
pub mod policy;
pub mod preflight;
pub mod record;
pub mod settle;
pub mod supervise;
mod sys;
pub mod verdict;
pub mod workspace;

pub use sys::handed::handed_down;
pub use sys::machine::Machine;
