//! `agxrun compare`: several arms by turns.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chrono::{Local, Utc};
use clap::{ArgMatches, FromArgMatches};
use serde_json::json;

use super::plots::Folder;
use super::{defaults, series as common};
use crate::cli::{self, CompareArgs};
use crate::compare::analysis::{self, Comparison};
use crate::compare::arm::{self, Arm, Fix};
use crate::compare::blocks::Blocks;
use crate::compare::plan::{Detect, Plan};
use crate::output::ci::Sinks;
use crate::output::compare::progress::Progress;
use crate::output::compare::{Answer, Asked as Told};
use crate::output::plots::page;
use crate::output::terminal;
use crate::run::supervise::die_like;
use crate::run::verdict::exit_code;
use crate::series::{self, End, Metric, Series, Show, plan};

/// Runs of each arm where nothing is said of how many.
const RUNS: u64 = 20;

/// What a plan is for where nothing is said of it: a crash that comes often enough to be a nuisance, and a tenth of it.
const DETECT: Detect = Detect {
    control: 0.1,
    other: 0.01,
};

pub fn run(args: CompareArgs) -> Result<u8> {
    terminal::set_color(args.run.color.color);
    let mut words = common::words();
    if let Some(path) = &args.resume {
        words = common::resumed("compare", path, words)?;
    }
    let (resume, state) = (args.resume, args.state);
    let matches = match common::parse("compare", &words) {
        Ok(matches) => matches,
        Err(error) => error.exit(),
    };
    let args = match CompareArgs::from_arg_matches(&matches) {
        Ok(args) => args,
        Err(error) => error.exit(),
    };
    let asked = match Asked::of(args, matches, words) {
        Ok(asked) => asked,
        Err(contradiction) => {
            terminal::error(&contradiction);
            return Ok(exit_code::USAGE);
        }
    };
    if asked.args.plan {
        common::say(&asked.told().before(true));
        return Ok(exit_code::OK);
    }
    let (series, before) = asked.series(resume, state)?;
    make(&asked, &series, before)
}

/// What was asked for, as values and as the words they were read from.
struct Asked {
    args: CompareArgs,
    matches: ArgMatches,
    words: Vec<OsString>,
    arms: Vec<Arm>,
    metric: Option<Metric>,
    plan: Plan,
    seed: u64,
}

impl Asked {
    /// # Errors
    /// What cannot be had, or not together, and what to do.
    fn of(args: CompareArgs, matches: ArgMatches, mut words: Vec<OsString>) -> Result<Self> {
        for (id, option, setting) in [
            ("fix", "--fix", "fix:NAME"),
            ("no_fix", "--no-fix", "fix:none"),
            ("throttle", "--throttle", "throttle:N"),
            ("lock_scope", "--lock-scope", "lock-scope:SCOPE"),
        ] {
            if cli::is_given(&matches, id) {
                anyhow::bail!("{option} would hold for every arm (hint: --arm label={setting})");
            }
        }
        if cli::is_given(&matches, "retries") {
            anyhow::bail!(
                "--retries would hide crashes from the rates (hint: leave it out; -n says how many runs are made)"
            );
        }
        if let Some(contradiction) =
            common::scope_contradiction(&matches, args.jobs, args.run.scope)
        {
            anyhow::bail!(contradiction);
        }
        let arms = args.arms.iter().map(|text| Arm::parse(text));
        let commands = args.arm_cmd.iter().map(|text| Arm::parse_command(text));
        let arms = arm::arms(
            arms.collect::<Result<_, _>>()?,
            commands.collect::<Result<_, _>>()?,
            !args.run.command.is_empty(),
        )?;
        let metric = args.metric.as_deref().map(Metric::new).transpose();
        let metric = metric.context("--metric")?;
        let detect = args
            .detect
            .map_or(DETECT, |(control, other)| Detect { control, other });
        let mut plan = Plan::new(
            args.runs.unwrap_or(RUNS),
            arms.len(),
            detect,
            args.confidence,
        )?;
        if args.runs.is_none() && args.detect.is_some() {
            let Some(needed) = plan.needed else {
                anyhow::bail!(
                    "to tell these rates apart takes more than {} runs an arm (hint: --detect rates that differ more, or choose a number with -n)",
                    crate::stats::MOST_RUNS
                );
            };
            plan = Plan::new(needed, arms.len(), detect, args.confidence)?;
        }
        let seed = args.seed.unwrap_or_else(new_seed);
        if args.seed.is_none() {
            // A resumption goes on in the order of the beginning.
            words.splice(0..0, ["--seed".into(), seed.to_string().into()]);
        }
        Ok(Self {
            args,
            matches,
            words,
            arms,
            metric,
            plan,
            seed,
        })
    }

    fn told(&self) -> Told<'_> {
        Told {
            arms: &self.arms,
            control: arm::control(&self.arms),
            plan: &self.plan,
            confidence: self.args.confidence,
            seed: self.seed,
            jobs: usize::from(self.args.jobs),
            metric: self.metric.as_ref().map(Metric::pattern),
        }
    }

    fn series_arms(&self, archive: &Path, jobs: usize) -> Vec<series::Arm> {
        let run = &self.args.run;
        let given =
            |also: &[&str]| common::run_options(&self.matches, also, archive, jobs, run.scope);
        // No library is to be proven, or asked, where none is to be loaded.
        let (injected, bare) = (given(&[]), given(&["require_fix", "census"]));
        self.arms
            .iter()
            .map(|arm| {
                let mut options = match arm.fix {
                    Fix::None => bare.clone(),
                    Fix::Policy(_) | Fix::Library(_) => injected.clone(),
                };
                options.extend(arm.options());
                series::Arm {
                    name: arm.name.clone(),
                    options,
                    command: arm.command.clone().unwrap_or_else(|| run.command.clone()),
                }
            })
            .collect()
    }

    /// The libraries that the arms inject, by what tells one build from another.
    fn libraries(&self) -> Result<Vec<String>> {
        let mut paths: Vec<PathBuf> = Vec::new();
        if self
            .arms
            .iter()
            .any(|arm| matches!(arm.fix, Fix::Policy(_)))
        {
            paths.extend(common::library(&self.args.run)?);
        }
        paths.extend(self.arms.iter().filter_map(|arm| match &arm.fix {
            Fix::Library(path) => Some(path.clone()),
            Fix::None | Fix::Policy(_) => None,
        }));
        paths
            .iter()
            .map(|path| {
                plan::fingerprint(path).with_context(|| {
                    format!(
                        "cannot read the library `{}` (hint: check the arms)",
                        path.display()
                    )
                })
            })
            .collect()
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
        let arms = self.series_arms(&archive, jobs);
        let libraries = self.libraries()?.join(" ");
        let directory = std::env::current_dir().context("cannot tell the working folder")?;
        let mut plan = plan::surroundings(
            &arms,
            directory.as_os_str(),
            (!libraries.is_empty()).then_some(libraries.as_str()),
            std::env::vars_os(),
        );
        let rules = json!({ "runs": self.plan.runs, "seed": self.seed, "metric": args.metric });
        plan.insert("rules".to_owned(), rules);
        let place = common::place(resume, state, &archive)?;
        let series = Series {
            id: place.id,
            command: "compare",
            arms,
            jobs,
            state: place.state,
            resume: place.is_resumed,
            plan: plan.into(),
            arguments: self.words.clone(),
            archive,
            history,
            metric: self.metric.clone(),
            output: if args.show_output {
                Show::PassOn
            } else {
                Show::Keep
            },
        };
        Ok((series, place.before))
    }
}

/// A number for a comparison of its own, short enough to be typed.
fn new_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    // Each has keys of its own, by chance.
    RandomState::new().hash_one(()) & 0xffff_ffff
}

/// Makes the runs and says what they show.
fn make(asked: &Asked, series: &Series, before: Duration) -> Result<u8> {
    let args = &asked.args;
    let json = common::destination(args.run.json.as_ref(), "--json")?;
    let html = common::destination(args.html.as_ref(), "--html")?;
    let plots = args.svg.as_deref().map(Folder::open).transpose()?;
    let sinks = Sinks::open(&args.run.ci)?;
    let told = asked.told();
    if !args.run.quiet {
        common::say(&told.before(false));
    }
    let begun = Instant::now();
    let mut blocks = Blocks::new(asked.arms.len(), asked.plan.runs, asked.seed);
    let mut progress = Progress::new(&told, blocks.runs(), args.run.quiet);
    let finished = series::run(series, &mut blocks, &mut progress);
    progress.finish();
    let finished = finished?;
    let elapsed = before + begun.elapsed();
    let names: Vec<String> = asked.arms.iter().map(|arm| arm.name.clone()).collect();
    let question = analysis::Question {
        arms: &names,
        control: told.control,
        confidence: args.confidence,
        metric: asked.metric.is_some(),
        seed: asked.seed,
    };
    let mut lines: Vec<_> = finished.lines.iter().collect();
    lines.sort_by_key(|(slot, _)| slot.number);
    let runs: Vec<_> = lines.iter().map(|(slot, line)| (slot.arm, line)).collect();
    let comparison = Comparison::of(&question, &runs);
    let answer = Answer::of(
        &told,
        series,
        &finished,
        &comparison,
        blocks.vain(),
        elapsed,
    );
    common::say(&answer.text(args.run.quiet, width()));
    if let Some(json) = json {
        let text = serde_json::to_string_pretty(&answer).context("cannot form the JSON")?;
        json.write(&format!("{text}\n"))?;
    }
    if let Some(html) = html {
        let made = Utc::now();
        let zone = *made.with_timezone(&Local).offset();
        html.write(&page(&answer.page(&told, made, zone)))?;
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

/// How wide what is read on stderr may be, in cells.
fn width() -> usize {
    /// Where nobody says: a log.
    const ELSEWHERE: usize = 120;
    let size = terminal_size::terminal_size_of(std::io::stderr());
    size.map_or(ELSEWHERE, |(width, _)| width.0.into())
}
