//! The line of a run: into the history, and to whoever asked for it.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Local};

use super::defaults;
use crate::cli::LineArgs;
use crate::history::{Appended, Basics, Context, RunLine, append};
use crate::output::{notices, terminal};
use crate::run::handed_down;
use crate::run::options::RunOptions;
use crate::run::record::{Notice, RunRecord};

/// What was handed down, before anything else is opened.
pub struct Lines {
    handed: Option<File>,
}

/// Where the line of one run goes.
pub struct LineOf {
    handed: Option<File>,
    history: Option<PathBuf>,
    context: Context,
    options: RunOptions,
    started: DateTime<Local>,
    begun: Instant,
}

impl Lines {
    /// Takes the descriptor of `--line-fd`. To be called first: a number that is not open must not come to mean a file of ours.
    pub fn open(args: &LineArgs) -> Result<Self> {
        let handed = args.line_fd.map(|number| {
            handed_down(number).with_context(|| {
                format!("cannot write to descriptor {number} (hint: --line-fd takes the number of an open one above 2)")
            })
        });
        Ok(Self {
            handed: handed.transpose()?,
        })
    }

    /// For a run that is about to begin.
    pub fn of(self, args: &LineArgs, options: &RunOptions) -> Result<LineOf> {
        Ok(LineOf {
            handed: self.handed,
            history: defaults::history(args, &options.archive)?,
            context: Context {
                series: args.series.clone(),
                arm: args.arm.clone(),
                slot: args.slot,
                attempt: args.attempt.unwrap_or(1),
            },
            options: options.clone(),
            started: Local::now(),
            begun: Instant::now(),
        })
    }
}

impl LineOf {
    /// Writes the line of a run. What goes wrong becomes a notice: the verdict is not about that.
    pub fn done(&mut self, record: &mut RunRecord) {
        let line = RunLine::of(record, &self.context, notices::warnings(record));
        let problems = self.write(&line).into_iter();
        let notices = problems.map(|reason| Notice::History { reason });
        record.notices.extend(notices);
    }

    /// Another attempt at the same run is about to begin.
    pub fn again(&mut self) {
        self.context.attempt = self.context.attempt.saturating_add(1);
        self.started = Local::now();
        self.begun = Instant::now();
    }

    /// Writes the line of a run that was not launched, or could not be watched, where it was asked for: nobody else learns
    /// that it is missing. `verdict` is what we exit with, `why` what the user was told.
    pub fn refused(&mut self, verdict: u8, why: String) {
        if self.handed.is_none() {
            return;
        }
        let basics = Basics {
            started: self.started,
            total: self.begun.elapsed(),
            verdict,
        };
        let line = RunLine::refused(&self.options, &self.context, basics, why);
        for problem in self.write(&line) {
            terminal::warning(&problem);
        }
    }

    /// What went wrong, a sentence each.
    fn write(&mut self, line: &RunLine) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(path) = &self.history {
            match append(path, line) {
                Ok(Appended { was_torn: false }) => {}
                Ok(Appended { was_torn: true }) => problems.push(format!(
                    "`{}` ended in the middle of a line, which is left there: `agxrun history` counts it as bad",
                    path.display()
                )),
                Err(error) => problems.push(error.to_string()),
            }
        }
        if let Some(handed) = &mut self.handed
            && let Err(error) = hand_over(handed, line)
        {
            problems.push(format!("cannot hand the run's line over: {error}"));
        }
        problems
    }
}

fn hand_over(to: &mut File, line: &RunLine) -> io::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    to.write_all(text.as_bytes())
}
