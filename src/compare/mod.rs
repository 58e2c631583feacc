//! Comparing fixes, settings or commands by runs: what is compared, in which order, and what the runs show.
//!
//! Pure: the runs themselves are made by `series`; here are the arms ([`arm`]), the order of their runs ([`blocks`]), what
//! a number of runs can tell beforehand ([`plan`]), and what they showed ([`analysis`], [`measured`]).

pub mod analysis;
pub mod arm;
pub mod blocks;
pub mod measured;
pub mod plan;
#[cfg(test)]
pub(crate) mod testing;

pub use analysis::{Comparison, Finding};
pub use arm::{Arm, ArmError};
pub use blocks::Blocks;
