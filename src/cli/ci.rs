use std::path::PathBuf;

use clap::Args;

/// What a CI system is told.
#[derive(Debug, Clone, Default, Args)]
pub struct CiArgs {
    /// Write what happened as JUnit XML to FILE, reports as attachments.
    #[arg(long, value_name = "FILE", help_heading = "CI")]
    pub junit: Option<PathBuf>,
    /// Tell GitHub: annotations on stderr, a summary of the step in `$GITHUB_STEP_SUMMARY`.
    #[arg(long, help_heading = "CI")]
    pub github: bool,
}
