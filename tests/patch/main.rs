//! `agxrun patch`: drivers made here, patched, and read again by code that knows nothing of the patcher.

#[path = "../common/mod.rs"]
mod common;

mod command;
mod damaged;
mod images;
mod refused;
mod signatures;
mod signing;
mod tails;
mod written;
