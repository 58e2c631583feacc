use std::path::PathBuf;

use clap::Args;

/// Where a run's line goes, and what it is a part of.
#[derive(Debug, Clone, Default, Args)]
pub struct LineArgs {
    /// Append the run's line to FILE instead of runs.jsonl in the archive [env: AGXRUN_HISTORY; `off` for none].
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "no_history",
        help_heading = "Output"
    )]
    pub history: Option<PathBuf>,
    /// Leave no line in the history.
    #[arg(long, help_heading = "Output")]
    pub no_history: bool,
    /// Also write the line to this open descriptor.
    #[arg(long, value_name = "N", hide = true)]
    pub line_fd: Option<i32>,
    /// The series that the run is a part of.
    #[arg(long, value_name = "ID", hide = true)]
    pub series: Option<String>,
    /// The arm of a comparison that it is a run of.
    #[arg(long, value_name = "NAME", hide = true)]
    pub arm: Option<String>,
    /// Its place in the series, from 0.
    #[arg(long, value_name = "N", hide = true)]
    pub slot: Option<u64>,
    /// Which attempt at it this is, from 1.
    #[arg(long, value_name = "N", hide = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub attempt: Option<u32>,
}
