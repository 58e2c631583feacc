//! Options of a run that are handed on to other runs.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command};

use super::RunArgs;

/// Options of `agxrun run` that stand on the command line that `matches` was read from, as a run takes them, in the order of their
/// definition. Not those named in `without`, by the names of their fields, nor the command. What comes from the environment comes
/// to the runs by itself.
pub fn passed_on(matches: &ArgMatches, without: &[&str]) -> Vec<OsString> {
    let run = RunArgs::augment_args(Command::new("run"));
    let given = run.get_arguments().filter(|arg| {
        let id = arg.get_id().as_str();
        !without.contains(&id) && matches.value_source(id) == Some(ValueSource::CommandLine)
    });
    given.flat_map(|arg| words(arg, matches)).collect()
}

/// Whether an option stands on the command line.
pub fn is_given(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}

fn words(arg: &Arg, matches: &ArgMatches) -> Vec<OsString> {
    // The command has no name.
    let Some(name) = arg.get_long() else {
        return Vec::new();
    };
    let option = OsString::from(format!("--{name}"));
    if !matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) {
        return vec![option];
    }
    let values = matches.get_raw(arg.get_id().as_str()).into_iter().flatten();
    let mut words = Vec::new();
    for value in values {
        let mut word = option.clone();
        word.push("=");
        word.push(value);
        // What a resumption repeats is said once.
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}
