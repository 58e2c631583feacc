//! `agxrun completions`.

use anyhow::Result;
use clap::CommandFactory;

use crate::cli::{Cli, CompletionsArgs};
use crate::output::terminal;
use crate::run::verdict::exit_code;

pub fn run(args: &CompletionsArgs) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "agxrun", &mut script);
    terminal::print_bytes(&script)?;
    Ok(exit_code::OK)
}
