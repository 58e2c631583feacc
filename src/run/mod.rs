//! One run, in the order it happens: plan, preflight, launch, supervise, settle, collect, verdict.

pub mod launch;
pub mod supervise;
mod sys;
