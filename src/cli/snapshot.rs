use std::path::PathBuf;

use clap::Args;

use super::{ColorArgs, SourceArgs};

/// Options of `snapshot`.
#[derive(Debug, Args)]
#[command(after_help = "\
For a step of CI that cannot be wrapped:
  agxrun snapshot -o before.json
  ...
  agxrun check-crashes --since before.json --fail

Exit codes: 0; 125 when the file could not be written, or a folder that was named could not be read.")]
pub struct SnapshotArgs {
    /// The file to be written.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Print JSON (`check-crashes --json-schema` describes it).
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
    /// Where reports are.
    #[command(flatten)]
    pub sources: SourceArgs,
}
