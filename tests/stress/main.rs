//! `agxrun stress` end to end: what runs amount to, when there are enough, and that none is lost.

#[path = "../common/mod.rs"]
mod common;

mod endurance;
mod kinds;
mod options;
mod overlap;
mod resuming;
mod series;
mod stopping;
