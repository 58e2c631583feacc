//! What the commands that make a series of runs have in common.

use std::ffi::OsString;
use std::io::Write;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use chrono::Utc;
use clap::{ArgMatches, CommandFactory};

use super::defaults;
use crate::cli::{self, Cli, RunArgs, Scope};
use crate::inject::Artifact;
use crate::inject::locate::Surroundings;
use crate::output::building::Building;
use crate::output::destination::Destination;
use crate::output::terminal;
use crate::series::{plan, platform, state};

/// Options that are the series' own business, by the names of their fields: they are not handed on to its runs.
pub const OWN: [&str; 16] = [
    "json",
    "history",
    "no_history",
    "quiet",
    "verbose",
    "color",
    "junit",
    "github",
    "retries",
    "allow_flaky",
    "line_fd",
    "series",
    "arm",
    "slot",
    "attempt",
    "end_with",
];

/// Where a series' state is, in the words of a command line.
const STATE: [&str; 2] = ["--state", "--resume"];

/// The words behind `agxrun COMMAND`, without those that say where the state is.
pub fn words() -> Vec<OsString> {
    without(&STATE, std::env::args_os().skip(2))
}

/// Words of a resumption: those of its own override those that the series was begun with. The command is the series', where none
/// is repeated.
///
/// # Errors
/// Where `path` is the state of no series of `command`.
pub fn resumed(command: &str, path: &Path, words: Vec<OsString>) -> Result<Vec<OsString>> {
    let (header, _) = state::begun(path)?;
    if header.command != command {
        return Err(anyhow!(
            "`{}` is the state of a series of `agxrun {}` (hint: resume it with that)",
            path.display(),
            header.command
        ));
    }
    if words.iter().any(|word| word == "--") {
        return Ok(words);
    }
    let mut merged = plan::read_words(&header.arguments)
        .with_context(|| format!("the state in `{}` names no command line", path.display()))?;
    let end = merged.iter().position(|word| word == "--");
    let end = end.unwrap_or(merged.len());
    merged.splice(end..end, words);
    Ok(merged)
}

/// The words that are none of these options and none of their values.
fn without(options: &[&str], words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut words = words;
    while let Some(word) = words.next() {
        if word == "--" {
            kept.push(word);
            kept.extend(words);
            break;
        }
        let bytes = word.as_bytes();
        if options.iter().any(|option| bytes == option.as_bytes()) {
            words.next();
            continue;
        }
        let with_value = |option: &&str| {
            bytes
                .strip_prefix(option.as_bytes())
                .is_some_and(|rest| rest.starts_with(b"="))
        };
        if !options.iter().any(with_value) {
            kept.push(word);
        }
    }
    kept
}

/// Reads `agxrun COMMAND WORDS...`; of an option that is given twice the last counts.
pub fn parse(command: &'static str, words: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let start = ["agxrun".into(), command.into()];
    let cli = Cli::command().mut_subcommand(command, |it| it.args_override_self(true));
    let mut matches = cli.try_get_matches_from(start.iter().chain(words))?;
    // It was named, and there is no way around naming one.
    let (_, of_command) = matches.remove_subcommand().expect("a command");
    Ok(of_command)
}

/// Why a scope cannot be had with so many runs at a time, and what to do.
pub fn scope_contradiction(matches: &ArgMatches, jobs: u16, scope: Scope) -> Option<String> {
    (jobs > 1 && cli::is_given(matches, "scope") && scope == Scope::Any).then(|| {
        format!(
            "-j {jobs} and --scope any contradict each other: every run would count the reports of the others \
             (hint: leave --scope out, or use -j 1)"
        )
    })
}

/// The options that each run is given: those of the series but its own and `also`, its archive, and a scope in which runs at the same
/// time tell their reports apart.
pub fn run_options(
    matches: &ArgMatches,
    also: &[&str],
    archive: &Path,
    jobs: usize,
    scope: Scope,
) -> Vec<OsString> {
    let without = [&OWN[..], &["archive", "scope"], also].concat();
    let mut options = cli::passed_on(matches, &without);
    // Which folder it is may depend on what is there when a run begins.
    options.extend(["--archive".into(), archive.as_os_str().to_owned()]);
    if jobs > 1 || scope == Scope::Tree {
        options.extend(["--scope".into(), "tree".into()]);
    }
    options
}

/// Where a series is written down, and what went before.
pub struct Place {
    /// Its id.
    pub id: String,
    /// Its state file, as an absolute path.
    pub state: PathBuf,
    /// Whether it goes on from there.
    pub is_resumed: bool,
    /// For how long it had gone on before.
    pub before: Duration,
}

/// The place of a series that goes on from the state `resume`, or of a new one, whose state is in `state` or in the archive.
pub fn place(resume: Option<PathBuf>, state: Option<PathBuf>, archive: &Path) -> Result<Place> {
    let is_resumed = resume.is_some();
    let (id, state, before) = if let Some(path) = resume {
        let (header, before) = state::begun(&path)?;
        (header.series, path, before)
    } else {
        let id = state::new_id(Utc::now());
        let default = archive.join("series").join(format!("{id}.jsonl"));
        (id, state.unwrap_or(default), Duration::ZERO)
    };
    let state =
        std::path::absolute(&state).with_context(|| format!("cannot use `{}`", state.display()))?;
    Ok(Place {
        id,
        state,
        is_resumed,
        before,
    })
}

/// The place for an answer, opened before the runs: one that cannot be written is found out then.
pub fn destination(path: Option<&PathBuf>, option: &'static str) -> Result<Option<Destination>> {
    path.map(|path| Destination::open(path.clone(), option))
        .transpose()
}

/// On stderr. One that is closed loses it, as it would lose anything else; the exit code still tells.
pub fn say(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}

/// How many runs go on at the same time: so many, or fewer where the system has a limit, which is told.
pub fn jobs(asked: u16) -> usize {
    let (jobs, told) = limited(asked, platform::MOST_JOBS, platform::MOST_JOBS_BECAUSE);
    if let Some(told) = told {
        terminal::warning(&told);
    }
    jobs
}

/// The number that is within the limit, and what is to be said where that is not what was asked for.
fn limited(asked: u16, most: Option<NonZeroUsize>, because: &str) -> (usize, Option<String>) {
    let asked = usize::from(asked);
    match most.map(NonZeroUsize::get) {
        Some(most) if asked > most => (
            most,
            Some(format!(
                "{most} runs at a time instead of {asked}: {because}"
            )),
        ),
        _ => (asked, None),
    }
}

/// The library that the runs inject, found, or built now and not by the first of them; `None` for none.
pub fn library(args: &RunArgs) -> Result<Option<PathBuf>> {
    if args.no_fix {
        return Ok(None);
    }
    if let Some(named) = defaults::named_library(args.dylib.clone())? {
        return Ok(Some(named.path));
    }
    let mut building = Building::default();
    let found =
        Surroundings::current().find_or_build(Artifact::FixLibrary, &mut |piece, stage| {
            building.show(piece, stage);
        })?;
    building.done();
    Ok(Some(found.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(words: &[&str]) -> Vec<OsString> {
        without(&STATE, words.iter().map(Into::into))
    }

    #[test]
    fn a_limit_of_the_system_is_kept_and_told() {
        let limit = NonZeroUsize::new(4);
        assert_eq!(limited(4, limit, "why"), (4, None));
        let told = "4 runs at a time instead of 9: why".to_owned();
        assert_eq!(limited(9, limit, "why"), (4, Some(told)));
        assert_eq!(limited(9, None, ""), (9, None));
    }

    #[test]
    fn the_place_of_the_state_is_left_out_before_the_dashes_and_kept_behind_them() {
        let words = [
            "-n",
            "3",
            "--state",
            "a",
            "--resume=b",
            "--",
            "x",
            "--state",
            "y",
        ];
        assert_eq!(kept(&words), ["-n", "3", "--", "x", "--state", "y"]);
        assert_eq!(kept(&["--statement", "--state"]), ["--statement"]);
        assert_eq!(kept(&[]), [""; 0]);
    }
}
