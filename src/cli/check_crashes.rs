use clap::Args;

use super::values::parse_hours;
use super::{ColorArgs, SourceArgs};

/// Options of `check-crashes`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own
pub struct CheckCrashesArgs {
    /// Show the newest crash in full, whenever it was.
    #[arg(long)]
    pub latest: bool,
    /// Only crashes of the last H hours.
    #[arg(long, value_name = "H", default_value_t = 24.0, value_parser = parse_hours, allow_negative_numbers = true)]
    pub hours: f64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Print only how many there are.
    #[arg(long)]
    pub count: bool,
    /// Exit 86 when there are any.
    #[arg(long)]
    pub fail: bool,
    /// Where reports are.
    #[command(flatten)]
    pub sources: SourceArgs,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
}
