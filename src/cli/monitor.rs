use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::parse_limit;
use super::{ColorArgs, SourceArgs};

/// What to do with the monitor.
#[derive(Debug, Subcommand)]
pub enum MonitorAction {
    /// Start it in the background; where it runs already, say so.
    Start(MonitorStartArgs),
    /// End it and wait until it has ended.
    Stop(MonitorStopArgs),
    /// Say whether it runs, since when, and what it has done.
    Status(MonitorStatusArgs),
    /// Serve in the foreground until INT, TERM or HUP: what both kinds of start run.
    Run(MonitorRunArgs),
}

/// Options of `monitor start`.
#[derive(Debug, Args)]
pub struct MonitorStartArgs {
    /// As a launchd agent, which starts again at each log-in (macOS).
    #[arg(long)]
    pub launchd: bool,
    /// Where reports are.
    #[command(flatten)]
    pub sources: SourceArgs,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
}

/// Options of `monitor stop`.
#[derive(Debug, Args)]
pub struct MonitorStopArgs {
    /// Also remove the launchd agent (macOS).
    #[arg(long)]
    pub launchd: bool,
    /// How long to wait for its end.
    #[arg(long, value_name = "DUR", value_parser = parse_limit, allow_negative_numbers = true, default_value = "30s")]
    pub timeout: Duration,
    /// Where reports are.
    #[command(flatten)]
    pub sources: SourceArgs,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
}

/// Options of `monitor status`.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 it runs; 3 it does not; 125 that cannot be told.")]
pub struct MonitorStatusArgs {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Where reports are.
    #[command(flatten)]
    pub sources: SourceArgs,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
}

/// Options of `monitor run`.
#[derive(Debug, Args)]
pub struct MonitorRunArgs {
    /// Leave the session, and say on stdout as JSON when the archive is ours.
    #[arg(long, hide = true)]
    pub detached: bool,
    /// Where reports are.
    #[command(flatten)]
    pub sources: SourceArgs,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
}
