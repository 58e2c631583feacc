use std::path::PathBuf;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use super::values::{SinceArg, parse_hours, parse_name, parse_since};
use super::{ColorArgs, SignatureArgs, SourceArgs};

/// Options of `report`.
#[derive(Debug, Args)]
#[command(after_help = "\
The page needs no network and no script. What it says of the reports is escaped; files that could not
be read are named on it.

Exit codes: 0 the page is written; 125 it could not be, or a folder could not be read (the page says which).")]
pub struct ReportArgs {
    /// Write the page to FILE (`-` for stdout); a file that is no such page is left alone.
    #[arg(short, long, value_name = "FILE", default_value = "crashes.html")]
    pub output: PathBuf,
    /// Overwrite FILE whatever it is.
    #[arg(long)]
    pub force: bool,
    /// The page's title.
    #[arg(long, value_name = "TEXT", default_value = "Crash report")]
    pub title: String,
    /// Only crashes since then: 2h or 3d ago, 10:30, 2026-11-22, 2026-11-22T10:30:00Z, a file of `check-crashes --snapshot`, or the JSON of a run.
    #[arg(long, value_name = "TIME|FILE", value_parser = OsStringValueParser::new().try_map(parse_since), allow_hyphen_values = true, help_heading = "Which crashes")]
    pub since: Option<SinceArg>,
    /// Only crashes of the last H hours.
    #[arg(long, value_name = "H", value_parser = parse_hours, allow_negative_numbers = true, help_heading = "Which crashes")]
    pub hours: Option<f64>,
    /// Only crashes of processes with this name; `*` stands for any text (repeatable).
    #[arg(long, value_name = "NAME", value_parser = parse_name, help_heading = "Which crashes")]
    pub process: Vec<String>,
    /// Add crash rates from records that `agxrun run --json FILE` wrote, and from histories (runs.jsonl).
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub runs: Vec<PathBuf>,
    /// Where reports are.
    #[command(flatten)]
    pub sources: SourceArgs,
    /// What failures are known.
    #[command(flatten)]
    pub signatures: SignatureArgs,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
}
