//! The scripts by their published names: every option and variable of the published ones, and what they do with it.

#[path = "../common/mod.rs"]
mod common;

mod checks;
mod rates;
mod runs;
mod scripts;
