//! What the injected processes proved about themselves: a run's ledgers, read and put together.
//!
//! This room knows files, not processes: who still lives, and how a process ended where that is
//! known, are told to it.

mod census;
mod folder;
mod tree;

pub use census::{Calls, Census, Encoders, Found, SharedBy, Work};
pub use folder::{LedgerFile, Unreadable, read_folder};
pub use tree::{DROPPED, End, ProcessEvidence, TreeEvidence};
