//! `agxrun stress`: one command many times.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chrono::{Local, Utc};
use clap::{ArgMatches, FromArgMatches};
use serde_json::{Value, json};

use super::plots::Folder;
use super::{defaults, series as common};
use crate::cli::StressArgs;
use crate::output::ci::Sinks;
use crate::output::plots::page;
use crate::output::stress::percent::{Round, confidence, percent};
use crate::output::stress::progress::{Goal, Progress};
use crate::output::stress::{Answer, Course, Question, words};
use crate::output::terminal;
use crate::run::supervise::die_like;
use crate::run::verdict::exit_code;
use crate::series::stop::{Rules, Stop};
use crate::series::tally::Tally;
use crate::series::{self, Arm, End, Series, Show, plan};
use crate::stats::{Sequential, Unreachable};

/// Runs where nothing is said of how many: the fewest that, all without a crash, show a rate below 5 % with 95 % confidence
/// (0.95^59 < 0.05).
const RUNS: u64 = 59;

pub fn run(args: StressArgs) -> Result<u8> {
    terminal::set_color(args.run.color.color);
    let mut words = common::words();
    if let Some(path) = &args.resume {
        words = common::resumed("stress", path, words)?;
    }
    let resume = args.resume;
    let state = args.state;
    let matches = match common::parse("stress", &words) {
        Ok(matches) => matches,
        Err(error) => error.exit(),
    };
    let args = match StressArgs::from_arg_matches(&matches) {
        Ok(args) => args,
        Err(error) => error.exit(),
    };
    let asked = Asked {
        args,
        matches,
        words,
    };
    if let Some(contradiction) = asked.contradiction() {
        return Ok(usage(&contradiction));
    }
    let test = match asked.test() {
        Ok(test) => test,
        Err(unreachable) => return Ok(usage(&unreachable)),
    };
    let (series, before) = asked.series(resume, state)?;
    make(&asked, &series, test.as_ref(), before)
}

fn usage(what: &str) -> u8 {
    terminal::error(&anyhow::anyhow!("{what}"));
    exit_code::USAGE
}

/// Why there is no such test, with the time that it would take.
fn out_of_reach(why: &Unreachable) -> String {
    match why {
        Unreachable::TooManyRuns { needed, .. } => {
            let time = words::time(Duration::from_secs(*needed));
            format!("{why}; at a second a run that is {time}")
        }
        Unreachable::OutOfRange { .. } => why.to_string(),
    }
}

/// What was asked for, as values and as the words they were read from.
struct Asked {
    args: StressArgs,
    matches: ArgMatches,
    words: Vec<OsString>,
}

impl Asked {
    /// What cannot be had together, and what to do.
    fn contradiction(&self) -> Option<String> {
        if self.args.run.retries > 0 {
            return Some(
                "--retries is for a single run: here every run counts (hint: leave it out)"
                    .to_owned(),
            );
        }
        common::scope_contradiction(&self.matches, self.args.jobs, self.args.run.scope)
    }

    /// The test of `--max-rate`, where the runs that are allowed can give it an answer.
    fn test(&self) -> Result<Option<Sequential>, String> {
        let Some(limit) = self.args.max_rate else {
            return Ok(None);
        };
        let test = Sequential::new(limit, self.args.confidence).map_err(|it| out_of_reach(&it))?;
        match self.args.runs {
            Some(runs) if runs < test.fewest() => Err(format!(
                "-n {runs} cannot show a rate below {} with {} confidence: that takes {} runs without a crash (hint: -n {} or more, \
                 a higher --max-rate, or none)",
                percent(limit, Round::Nearest),
                confidence(self.args.confidence),
                test.fewest(),
                test.fewest()
            )),
            _ => Ok(Some(test)),
        }
    }

    fn runs(&self) -> Option<u64> {
        let StressArgs {
            runs,
            duration,
            max_rate,
            until_crash,
            ..
        } = &self.args;
        let ends_otherwise = duration.is_some() || max_rate.is_some() || *until_crash;
        runs.or((!ends_otherwise).then_some(RUNS))
    }

    fn rules(&self) -> Value {
        let StressArgs {
            duration,
            max_rate,
            confidence,
            until_crash,
            ..
        } = &self.args;
        json!({
            "runs": self.runs(),
            "duration": duration.map(|it| it.as_secs_f64()),
            "max_rate": max_rate,
            "confidence": confidence,
            "until_crash": until_crash,
        })
    }

    fn arm(&self, archive: &Path, jobs: usize) -> Arm {
        let run = &self.args.run;
        let mut options = common::run_options(&self.matches, &[], archive, jobs, run.scope);
        options.push(if run.verbose { "--verbose" } else { "--quiet" }.into());
        Arm {
            name: "stress".to_owned(),
            options,
            command: run.command.clone(),
        }
    }

    /// The series, and for how long it had gone on before.
    fn series(
        &self,
        resume: Option<PathBuf>,
        state: Option<PathBuf>,
    ) -> Result<(Series, Duration)> {
        let args = &self.args;
        let archive = defaults::archive(args.run.archive.clone())?;
        let history = defaults::history(&args.run.line, &archive)?;
        let jobs = common::jobs(args.jobs);
        let arms = vec![self.arm(&archive, jobs)];
        let library = common::library(&args.run)?
            .map(|path| {
                plan::fingerprint(&path)
                    .with_context(|| format!("cannot read `{}`", path.display()))
            })
            .transpose()?;
        let directory = std::env::current_dir().context("cannot tell the working folder")?;
        let mut plan = plan::surroundings(
            &arms,
            directory.as_os_str(),
            library.as_deref(),
            std::env::vars_os(),
        );
        plan.insert("rules".to_owned(), self.rules());
        let place = common::place(resume, state, &archive)?;
        let series = Series {
            id: place.id,
            command: "stress",
            arms,
            jobs,
            state: place.state,
            resume: place.is_resumed,
            plan: plan.into(),
            arguments: self.words.clone(),
            archive,
            history,
            metric: None,
            output: if args.show_output {
                Show::PassOn
            } else {
                Show::Keep
            },
        };
        Ok((series, place.before))
    }
}

/// Makes the runs and says what they amount to.
fn make(asked: &Asked, series: &Series, test: Option<&Sequential>, before: Duration) -> Result<u8> {
    let args = &asked.args;
    let json = common::destination(args.run.json.as_ref(), "--json")?;
    let html = common::destination(args.html.as_ref(), "--html")?;
    let plots = args.svg.as_deref().map(Folder::open).transpose()?;
    let sinks = Sinks::open(&args.run.ci)?;
    let begun = Instant::now();
    let elapsed = move || before + begun.elapsed();
    let runs = asked.runs();
    let rules = Rules {
        runs,
        duration: args.duration,
        until_crash: args.until_crash,
        test,
    };
    let goal = Goal {
        runs,
        duration: args.duration,
        test,
        confidence: args.confidence,
        jobs: series.jobs,
    };
    let mut stop = Stop::new(rules, elapsed);
    let mut progress = Progress::new(goal, args.run.quiet, before);
    let finished = series::run(series, &mut stop, &mut progress);
    progress.finish();
    let finished = finished?;
    let lines = finished.lines.iter();
    let tally = Tally::of(lines.map(|(slot, line)| (slot.number, line)));
    let question = Question {
        confidence: args.confidence,
        max_rate: args.max_rate,
        require_fix: args.run.require_fix,
    };
    let course = Course {
        stopped: stop.stopped(),
        decision: stop.decision(),
        bound: stop.bound(),
        left: stop.left(),
        elapsed: elapsed(),
    };
    let answer = Answer::of(series, &finished, &tally, question, course);
    common::say(&answer.text(args.run.quiet));
    if let Some(json) = json {
        json.write(&answer.json()?)?;
    }
    if let Some(html) = html {
        let made = Utc::now();
        let zone = *made.with_timezone(&Local).offset();
        html.write(&page(&answer.page(made, zone)))?;
    }
    if let Some(plots) = plots {
        plots.write(&answer.plots())?;
    }
    if sinks.are_wanted() {
        sinks.publish(&[answer.suite()], Some(&answer.markdown()))?;
    }
    if let End::Interrupted { signal } = finished.end {
        die_like(signal);
    }
    Ok(answer.exit_code())
}
