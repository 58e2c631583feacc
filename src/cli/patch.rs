use std::path::PathBuf;

use clap::Args;

use super::ColorArgs;

/// Options of `patch`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own
#[command(after_help = "\
The input is never changed, and nothing is installed; docs/patch.md says what using a copy would take.
Exit codes: 0 done, or with --verify all is well; 1 with --verify something is not; 125 refused.")]
pub struct PatchArgs {
    /// The driver, such as AGXMetalG16X; with --verify the original, to compare the copy with.
    #[arg(long, value_name = "DRIVER", required_unless_present = "verify")]
    pub input: Option<PathBuf>,
    /// The copy; with --verify the one that is looked at.
    #[arg(long, value_name = "COPY", required_unless_present = "dry_run")]
    pub output: Option<PathBuf>,
    /// Look at a copy: is it patched, is its signature right, does nothing else differ?
    #[arg(long, conflicts_with_all = ["dry_run", "published", "force"])]
    pub verify: bool,
    /// Do everything but write the copy.
    #[arg(long)]
    pub dry_run: bool,
    /// Make the published nine edits, leak and all, to the published build.
    #[arg(long)]
    pub published: bool,
    /// Replace the copy where there is one.
    #[arg(long)]
    pub force: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
}
