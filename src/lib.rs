//! `agxrun` runs a command with the AGX Metal driver fix injected and fails the run when new crash
//! reports appear, whatever the command itself returned.
//!
//! The rooms, and the one direction in which they may call each other: `commands` calls `run`,
//! `inject`, `target`, `reports`, `diagnose`, `evidence` and `output`; none of those calls `commands`.
//! `reports`, `diagnose`, `stats` and `evidence` know nothing of processes; `run` knows nothing of
//! formatting.
#![deny(unsafe_code)]

pub mod audit;
pub mod baseline;
pub mod cli;
pub mod commands;
pub mod compare;
pub mod diagnose;
pub mod doctor;
pub mod evidence;
pub mod history;
pub mod inject;
pub mod matrix;
pub mod monitor;
pub mod output;
pub mod patch;
pub mod reports;
pub mod run;
pub mod series;
pub mod stats;
pub mod target;
