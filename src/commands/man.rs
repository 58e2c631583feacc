//! `agxrun man`.

use std::fs;

use anyhow::{Context, Result};
use clap::CommandFactory;

use crate::cli::{Cli, ManArgs};
use crate::output::terminal;
use crate::run::verdict::exit_code;

pub fn run(args: &ManArgs) -> Result<u8> {
    let command = Cli::command();
    if let Some(folder) = &args.folder {
        let shown = folder.display();
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{shown}`"))?;
        // `agxrun.1`, and `agxrun-NAME.1` for each command and each command of that.
        clap_mangen::generate_to(command, folder)
            .with_context(|| format!("cannot write manual pages into `{shown}`"))?;
    } else {
        let mut page = Vec::new();
        // As the page in a folder is made.
        let mut command = command.disable_help_subcommand(true);
        command.build();
        clap_mangen::Man::new(command).render(&mut page)?;
        terminal::print_bytes(&page)?;
    }
    Ok(exit_code::OK)
}
