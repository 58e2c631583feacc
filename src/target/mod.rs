//! What a command will really run, and whether the library can be inserted into it.
//!
//! `chain` follows a command from file to file, `image` reads one of them and says what stands in
//! it; `rules` decide what that means for an inserted library; `verdict` is what they decide, and
//! [`inspect`] puts it together. `remedy` says what would help on this machine. Nothing here starts a
//! process.
//!
//! A file that cannot be read, or that contradicts itself, is never said to let the library in: its
//! verdict is *unknown*, with the reason.

pub mod chain;
pub mod image;
mod inspection;
#[cfg(target_os = "linux")]
#[path = "linux.rs"]
pub mod platform;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
pub mod platform;
pub mod remedy;
pub mod rules;
pub mod slice;
pub mod surroundings;
pub mod verdict;

pub use inspection::{Direct, FixLibrary, Inspection, JudgedStep, UNSEEN, inspect, inspect_file};
pub use surroundings::Surroundings;
