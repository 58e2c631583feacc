//! `agxrun check-crashes` end to end: what it finds, shows, counts and says.

#[path = "../common/mod.rs"]
mod common;

mod bad_values;
mod live;
mod made;
mod questions;
mod upkeep;
