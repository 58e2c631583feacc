//! One file a command: arguments in, calls to the rooms below, exit code out.

mod audit;
mod check_crashes;
mod compare;
mod completions;
mod defaults;
mod doctor;
mod fix;
mod history;
mod inspect;
mod lines;
mod man;
mod matrix;
mod monitor;
mod patch;
mod plots;
mod rehearse;
mod report;
mod run;
mod series;
mod show;
mod snapshot;
mod stress;
pub mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::cli::{Cli, Command};
use crate::output::terminal;
use crate::run::verdict::exit_code;

/// Parses the command line, runs the command, and turns what it returned into an exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let outcome = match cli.command {
        None => run::run(cli.run),
        Some(Command::Run(args)) => run::run(args),
        Some(Command::Stress(args)) => stress::run(args),
        Some(Command::Inspect(args)) => inspect::run(&args),
        Some(Command::Audit(args)) => audit::run(&args),
        Some(Command::Compare(args)) => compare::run(args),
        Some(Command::Completions(args)) => completions::run(&args),
        Some(Command::Man(args)) => man::run(&args),
        Some(Command::CheckCrashes(args)) => check_crashes::run(&args),
        Some(Command::Snapshot(args)) => snapshot::run(&args),
        Some(Command::Report(args)) => report::run(args),
        Some(Command::Show(args)) => show::run(&args),
        Some(Command::History(args)) => history::run(&args),
        Some(Command::Rehearse(args)) if args.matrix.matrix => matrix::run(&args),
        Some(Command::Rehearse(args)) => rehearse::run(&args),
        Some(Command::Patch(args)) => patch::run(&args),
        Some(Command::Fix { action }) => fix::run(action),
        Some(Command::Doctor(args)) => doctor::run(args),
        Some(Command::Monitor { action }) => monitor::run(action),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            terminal::error(&error);
            ExitCode::from(exit_code::FAILED)
        }
    }
}

fn usage(error: &clap::Error) -> ExitCode {
    use clap::error::{ContextKind, ErrorKind};
    // A reader that has gone away (`--help | head`) is no failure.
    if let Err(failed) = error.print()
        && failed.kind() != std::io::ErrorKind::BrokenPipe
    {
        terminal::error(&anyhow::Error::new(failed).context("cannot print the usage"));
    }
    let looks_like_a_target = matches!(
        error.kind(),
        ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument
    ) && error.get(ContextKind::SuggestedSubcommand).is_none()
        && !names_a_command(std::env::args_os().nth(1));
    if looks_like_a_target {
        anstream::eprintln!("\nTo run a command, put `--` before it: agxrun -- CMD ARGS...");
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(exit_code::USAGE))
}

/// Whether the first argument is a command of ours: what is wrong after it is no target.
fn names_a_command(first: Option<std::ffi::OsString>) -> bool {
    first.is_some_and(|first| {
        Cli::command()
            .get_subcommands()
            .any(|command| *command.get_name() == *first)
    })
}
