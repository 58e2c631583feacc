use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Options of `completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
bash: agxrun completions bash > ~/.local/share/bash-completion/completions/agxrun
zsh:  agxrun completions zsh > DIR/_agxrun, with DIR in fpath before compinit
fish: agxrun completions fish > ~/.config/fish/completions/agxrun.fish")]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// Options of `man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Read one: agxrun man | man -l -
For `man agxrun-show` and the like: agxrun man ~/.local/share/man/man1")]
pub struct ManArgs {
    /// Write a page for each command here; the folder is made where there is none.
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}
