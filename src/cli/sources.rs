use std::path::PathBuf;

use clap::Args;

/// Where reports are, for commands that look at what there is.
#[derive(Debug, Clone, Args)]
pub struct SourceArgs {
    /// Look at this folder instead of the system's (repeatable) [env: AGXRUN_REPORTS_DIR, separated by `:`].
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    pub reports_dir: Vec<PathBuf>,
    /// Look at this archive [default: crash_logs/ when it exists, else the state folder].
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    pub archive: Option<PathBuf>,
}
