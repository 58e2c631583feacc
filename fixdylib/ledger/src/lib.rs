//! The ledger: the file in which a process proves what the fix library did inside it.
//!
//! The library maps the file while the process lives and writes to it with plain stores, so that everything stored
//! before a SIGSEGV or a SIGKILL is still there afterwards. The launcher reads it when the process is gone.
//! This crate holds what both sides share: the [`layout`], the [`name`] of the file, and a reader, [`Ledger::parse`].
//!
//! # Theory
//! A file starts with one [`layout::Header`] of 4096 bytes, made when the library is loaded. It names the process and
//! carries the counters. A process in which there are classes to hook is *armed*: a body is appended, with a census of
//! methods, the strings that the census refers to, and one ring of events for each thread. Everything is little-endian,
//! and the header gives the offset, stride and capacity of each part; a reader must accept a file that is longer, and
//! parts that have grown at their end.

#![forbid(unsafe_code)]

pub mod builder;
pub mod layout;
mod model;
pub mod name;
mod parse;

pub use layout::{Counter, EXTENSION};
pub use model::{
    Architecture, CensusEntry, Degraded, Event, EventPhase, ExitRoute, InFlight, Ledger, Phase,
    Platform, Reason, Ring, State, Tally,
};
pub use name::{LedgerName, file_name};
pub use parse::{Damage, ParseError};
