//! Crash rates and what they prove.

mod rate;
pub mod runs;

pub use rate::Rate;
