//! What CI systems read: JUnit XML, and GitHub's annotations and step summary.
//!
//! Both are made of [`Suite`]s, which a command fills with one [`Case`] a run, an arm, or a crash.

mod case;
pub mod github;
mod junit;
pub mod of_crash;
mod of_end;
mod of_line;
pub mod of_run;
mod sinks;

pub use case::{Case, CaseResult, Problem, Suite};
pub use junit::{document, write_junit};
pub use sinks::Sinks;
