//! What GitHub Actions reads: workflow commands that annotate, and Markdown for the step's summary.

mod annotations;
mod command;
pub mod markdown;
mod step;
mod summary;

pub use annotations::annotations;
pub use command::{Command, Level};
pub use step::{SUMMARY_LIMIT, Step, SummaryError};
pub use summary::summary;
