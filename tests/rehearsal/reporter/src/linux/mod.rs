//! The crash handler: constructor, dispositions, hand-over to the writer.

mod constructor;
mod context;
mod crash;
mod dispositions;
mod freeze;
mod handover;
mod plan;
mod sys;
