//! `agxrun`: parse, dispatch, exit.

use std::process::ExitCode;

use agxrun::commands;

fn main() -> ExitCode {
    commands::main()
}
