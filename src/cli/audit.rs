use std::path::PathBuf;

use clap::Args;

use super::ColorArgs;

/// Options of `audit`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own
#[command(after_help = "\
Files are read and never executed or changed. A bundle or framework stands for its executable.
What is found in a driver is kept in agxrun's own folder, where `agxrun show` finds it by the driver's UUID.

Exit codes: 0 looked at; 86 with --fail when something was found by which the policy's protection has a hole;
125 a file could not be read, or nothing was there to look at.")]
pub struct AuditArgs {
    /// Mach-O files and bundles [default: on a Mac, the bundle of this machine's AGX driver].
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Say what is new against a saved audit, or against another build's file or bundle.
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Judge by this policy of the fix library [default: v3].
    #[arg(long, value_name = "VERSION")]
    pub fix: Option<String>,
    /// Look at the part for this processor, or `all` [default: arm64 and arm64e where a file has them].
    #[arg(long, value_name = "ARCH")]
    pub arch: Option<String>,
    /// Exit 86 when something was found by which the policy's protection has a hole.
    #[arg(long, help_heading = "Output")]
    pub fail: bool,
    /// Write the audit to FILE as JSON, for `--against` and for `agxrun show --audit`.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Do not keep what is found in a driver for `agxrun show`.
    #[arg(long, help_heading = "Output")]
    pub no_keep: bool,
    /// Print JSON.
    #[arg(long, conflicts_with = "verbose", help_heading = "Output")]
    pub json: bool,
    /// Also print every method with its address, its types and who hooks it.
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
    /// Do not send long output through a pager [env: AGXRUN_PAGER, PAGER; without them less -FRX].
    #[arg(long, help_heading = "Output")]
    pub no_pager: bool,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
    /// Look for driver bundles here.
    #[arg(long, value_name = "DIR", hide = true)]
    pub extensions: Option<PathBuf>,
}
