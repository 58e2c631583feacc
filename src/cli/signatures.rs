use std::path::PathBuf;

use clap::Args;

/// What failures are known, for commands that name them.
#[derive(Debug, Clone, Default, Args)]
pub struct SignatureArgs {
    /// Know the failures that FILE describes as well: a TOML file, its entries before the built-in ones.
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub signatures: Option<PathBuf>,
}
