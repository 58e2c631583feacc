use std::path::PathBuf;

use clap::Args;

/// Crashes that are known and do not fail.
#[derive(Debug, Clone, Default, Args)]
pub struct BaselineArgs {
    /// Crashes listed in this file, each with a reason and an expiry date, are told and do not fail.
    #[arg(long, value_name = "FILE", help_heading = "CI")]
    pub baseline: Option<PathBuf>,
}
