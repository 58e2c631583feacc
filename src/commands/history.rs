//! `agxrun history`.

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use chrono::{DateTime, Local, NaiveDateTime, Utc};
use serde_json::value::RawValue;

use super::check_crashes::moment;
use super::defaults;
use crate::cli::{HistoryArgs, LineArgs};
use crate::history::{FILE_NAME, Filter, Groups, Survey, open, rows_from};
use crate::output::history::{Answer, Listed, MOST_KEYS, Runs};
use crate::output::{pager, terminal};
use crate::run::verdict::exit_code;

pub fn run(args: &HistoryArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    let now = Utc::now();
    let filter = Filter {
        since: match &args.since {
            Some(since) => Some(moment(since, now)?),
            None => None,
        },
        kinds: args.kind.clone(),
        commands: args.command.clone(),
        series: args.series.clone(),
    };
    if args.group_by.len() > MOST_KEYS {
        terminal::error(&anyhow::anyhow!(
            "--group-by takes at most {MOST_KEYS} keys (hint: --json holds whole lines for other questions)"
        ));
        return Ok(exit_code::USAGE);
    }
    let sources = sources(args)?;
    let mut found = Found::of(args);
    let mut survey = Survey::default();
    let mut failed = false;
    for source in &sources {
        let (runs, foreign) = (survey.lines(), survey.foreign);
        if let Err(error) = source.read(&filter, &mut survey, &mut found) {
            if source.is_default && error.kind() == io::ErrorKind::NotFound {
                terminal::note(&format!(
                    "no runs yet: `{}` does not exist (every `agxrun run` appends its line there)",
                    source.name
                ));
                continue;
            }
            failed = true;
            terminal::error(&anyhow::Error::new(error).context(format!(
                "cannot read the history `{}` (hint: name files of `agxrun run`, or archives)",
                source.name
            )));
            continue;
        }
        if survey.lines() == runs && survey.foreign > foreign {
            failed = true;
            survey.condense(&source.name);
            terminal::error(&anyhow::anyhow!(
                "`{}` is no history: no line of it is a run (hint: name files of `agxrun run`, or archives)",
                source.name
            ));
        }
    }
    for warning in Answer::complaints(&survey) {
        terminal::warning(&warning);
    }
    let names = sources.into_iter().map(|source| source.name).collect();
    let answer = Answer::new(names, filter.since, &survey, found.finish(args)?);
    print(&answer, args, now)?;
    Ok(if failed {
        exit_code::FAILED
    } else {
        exit_code::OK
    })
}

fn print(answer: &Answer, args: &HistoryArgs, now: DateTime<Utc>) -> Result<()> {
    if args.json {
        let mut json = serde_json::to_vec_pretty(answer)?;
        json.push(b'\n');
        // There is no style in it to be taken out, and it may be large.
        return Ok(terminal::print_bytes(&json)?);
    }
    let screen = pager::screen();
    let text = answer.text(screen.map(|screen| screen.width), now);
    if text.is_empty() {
        return Ok(());
    }
    let pager = if args.no_pager {
        None
    } else {
        pager::pager(|name| std::env::var_os(name))
    };
    Ok(pager::print(&text, screen, pager)?)
}

/// A history to read.
struct Source {
    /// `None` is stdin.
    path: Option<PathBuf>,
    name: String,
    /// Nobody named it: it need not be there.
    is_default: bool,
}

fn sources(args: &HistoryArgs) -> Result<Vec<Source>> {
    let named = |path: PathBuf, is_default| Source {
        name: path.display().to_string(),
        path: Some(path),
        is_default,
    };
    if args.files.is_empty() {
        let archive = defaults::archive(args.archive.clone())?;
        let path = match args.archive {
            Some(_) => archive.join(FILE_NAME),
            None => defaults::history(&LineArgs::default(), &archive)?.context(
                "AGXRUN_HISTORY says that there is no history (hint: name a file to read)",
            )?,
        };
        return Ok(vec![named(path, args.archive.is_none())]);
    }
    let files = args.files.iter().map(|file| {
        if file.as_path() == Path::new("-") {
            Source {
                path: None,
                name: "-".to_owned(),
                is_default: false,
            }
        } else if file.is_dir() {
            named(file.join(FILE_NAME), false)
        } else {
            named(file.clone(), false)
        }
    });
    Ok(files.collect())
}

impl Source {
    fn read(&self, filter: &Filter, survey: &mut Survey, found: &mut Found) -> io::Result<()> {
        let mut source: Box<dyn BufRead> = match &self.path {
            Some(path) => Box::new(open(path)?),
            None => Box::new(io::stdin().lock()),
        };
        rows_from(&mut source, &mut |row| match row {
            Ok((row, text)) => {
                if survey.is_new(&row.id.0) && filter.takes(&row) {
                    found.add(&row, text);
                }
            }
            Err(line) => survey.bad(&self.name, line),
        })
    }
}

/// The runs that were asked for, as they are to be shown.
struct Found {
    runs: FoundRuns,
    /// At most so many of them, the newest; groups have all.
    newest: usize,
}

enum FoundRuns {
    /// One by one.
    List(Vec<Listed>),
    /// One by one, each with its whole line.
    Lines(Vec<(DateTime<Utc>, String)>),
    /// Together.
    Groups(Groups),
}

impl Found {
    fn of(args: &HistoryArgs) -> Self {
        let runs = if !args.group_by.is_empty() {
            FoundRuns::Groups(Groups::by(args.group_by.clone()))
        } else if args.json {
            FoundRuns::Lines(Vec::new())
        } else {
            FoundRuns::List(Vec::new())
        };
        Self {
            runs,
            newest: args.newest.unwrap_or(usize::MAX),
        }
    }

    fn add(&mut self, row: &crate::history::Row<'_>, text: &[u8]) {
        match &mut self.runs {
            FoundRuns::List(list) => {
                list.push(Listed::of(row));
                self.prune();
            }
            // What is not looked at may be no text; it is replaced.
            FoundRuns::Lines(lines) => {
                let text = std::str::from_utf8(text).map_or_else(
                    |_| String::from_utf8_lossy(text).into_owned(),
                    str::to_owned,
                );
                lines.push((row.started, text));
                self.prune();
            }
            FoundRuns::Groups(groups) => groups.add(row, &local),
        }
    }

    /// Lets go of runs that will not be shown, now and then: of a fleet's file only the newest are kept.
    fn prune(&mut self) {
        let limit = self.newest.saturating_add(SLACK);
        match &mut self.runs {
            FoundRuns::List(list) if list.len() >= limit => newest_of_list(list, self.newest),
            FoundRuns::Lines(lines) if lines.len() >= limit => newest_of_lines(lines, self.newest),
            _ => {}
        }
    }

    fn finish(self, args: &HistoryArgs) -> Result<Runs> {
        Ok(match self.runs {
            FoundRuns::List(mut list) => {
                newest_of_list(&mut list, self.newest);
                Runs::List(list)
            }
            FoundRuns::Lines(mut lines) => {
                newest_of_lines(&mut lines, self.newest);
                let lines = lines
                    .into_iter()
                    .map(|(_, line)| RawValue::from_string(line));
                Runs::Lines(lines.collect::<Result<_, _>>()?)
            }
            FoundRuns::Groups(groups) => Runs::Groups(args.group_by.clone(), groups.finish()),
        })
    }
}

/// How many runs more than are to be shown are kept before they are sorted out.
const SLACK: usize = 4096;

fn newest_of_list(list: &mut Vec<Listed>, newest: usize) {
    sort_newest(list, newest, |run| run.started);
}

fn newest_of_lines(lines: &mut Vec<(DateTime<Utc>, String)>, newest: usize) {
    sort_newest(lines, newest, |(started, _)| *started);
}

/// The newest first; runs that began at the same moment stay in the order in which they were read.
fn sort_newest<T>(runs: &mut Vec<T>, newest: usize, started: impl Fn(&T) -> DateTime<Utc>) {
    runs.sort_by_key(|run| std::cmp::Reverse(started(run)));
    runs.truncate(newest);
}

fn local(at: DateTime<Utc>) -> NaiveDateTime {
    at.with_timezone(&Local).naive_local()
}
