use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;

use super::values::parse_hours;
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
    /// Only crashes at this time or later: 2026-11-22T10:30:00+01:00.
    #[arg(long, value_name = "TIME", value_parser = parse_since, conflicts_with = "hours")]
    pub since: Option<DateTime<Utc>>,
    /// Only crashes of the last H hours.
    #[arg(long, value_name = "H", value_parser = parse_hours, allow_negative_numbers = true)]
    pub hours: Option<f64>,
    /// Only crashes of processes with this name; `*` stands for anything.
    #[arg(long, value_name = "NAME")]
    pub process: Option<String>,
    /// Add crash rates from records that `agxrun run --json FILE` wrote.
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

/// A moment with its offset.
fn parse_since(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|_| {
            "expected a time with its offset, such as 2026-11-22T10:30:00+01:00".to_owned()
        })
}
