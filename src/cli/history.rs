use std::path::PathBuf;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use super::ColorArgs;
use super::values::{SinceArg, parse_name, parse_since};
use crate::history::{Key, Kind};

/// Options of `history`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every `agxrun run` appends a line to runs.jsonl in its archive; docs/history.md describes it.
Without --group-by, runs are listed, the newest first. Piped, a run is one line of columns two or
more blanks apart: time, kind, exit code, seconds, fix, host, id, what crashed, command; `-` stands
for what is not known.

Keys: command, program, directory, fix, throttle, lock_scope, host, os, hardware, agxrun, library,
series, arm, kind, crash, signal, verdict, day, month.

Exit codes: 0, also when lines could not be read, which is told; 125 when a file that was named
could not be, or is no history.")]
pub struct HistoryArgs {
    /// Histories, or archives that have one; `-` is stdin. Runs that stand in several are taken once
    /// [default: AGXRUN_HISTORY, else runs.jsonl in the archive].
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Look into this archive [default: crash_logs/ when it exists, else the state folder].
    #[arg(long, value_name = "DIR", conflicts_with = "files")]
    pub archive: Option<PathBuf>,

    /// Only runs that began since then: 2h or 3d ago, 10:30, yesterday, 2026-11-22, 2026-11-22T10:30:00Z, a snapshot, or the JSON of a run.
    #[arg(long, value_name = "TIME|FILE", value_parser = OsStringValueParser::new().try_map(parse_since), allow_hyphen_values = true, help_heading = "Which runs")]
    pub since: Option<SinceArg>,
    /// Only runs of these kinds: crash, assertion, gpu_error, hang, lost_work, failure, not_injected, interrupted, refused, clean.
    #[arg(
        long,
        value_name = "KIND",
        value_delimiter = ',',
        help_heading = "Which runs"
    )]
    pub kind: Vec<Kind>,
    /// Only runs of commands of this form; `*` stands for any text (repeatable).
    #[arg(long, value_name = "GLOB", value_parser = parse_name, help_heading = "Which runs")]
    pub command: Vec<String>,
    /// Only runs of the series whose id begins so.
    #[arg(long, value_name = "ID", value_parser = parse_name, help_heading = "Which runs")]
    pub series: Option<String>,
    /// Only the N newest of them.
    #[arg(
        short = 'n',
        long,
        value_name = "N",
        conflicts_with = "group_by",
        help_heading = "Which runs"
    )]
    pub newest: Option<usize>,

    /// Show groups of runs with their crash rates: by up to four keys, separated by commas.
    #[arg(
        long,
        value_name = "KEYS",
        value_delimiter = ',',
        help_heading = "Output"
    )]
    pub group_by: Vec<Key>,
    /// Print JSON.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Do not send long output through a pager [env: AGXRUN_PAGER, PAGER; without them less -FRX].
    #[arg(long, help_heading = "Output")]
    pub no_pager: bool,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
}

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
