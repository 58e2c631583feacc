//! What is printed: for people on a terminal, and as JSON.

pub mod crash;
pub mod policies;
pub mod terminal;
