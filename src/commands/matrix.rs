//! `agxrun rehearse --matrix`.

use std::time::Instant;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use super::rehearse::workload;
use crate::cli::RehearseArgs;
use crate::inject::locate::Surroundings;
use crate::inject::{Artifact, check};
use crate::matrix::execute::{Tools, execute};
use crate::matrix::interrupt::Interrupt;
use crate::matrix::plan::{Plan, rows};
use crate::matrix::scenario;
use crate::matrix::tally::Tally;
use crate::output::building::Building;
use crate::output::{matrix, terminal};
use crate::run::supervise::die_like;
use crate::run::verdict::exit_code;

pub fn run(args: &RehearseArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    let begun = Instant::now();
    let workload = workload()?;
    let mut building = Building::default();
    let library =
        Surroundings::current().find_or_build(Artifact::FixLibrary, &mut |piece, stage| {
            building.show(piece, stage);
        })?;
    building.done();
    check::library(&library.path)?;
    let plan = Plan {
        rows: rows(&args.matrix.policies)?,
        scenarios: scenario::choose(scenario::list(&workload)?, &args.matrix.scenarios)?,
        threads: each_once(&args.threads),
        runs: args.matrix.runs,
    };
    let tools = Tools {
        workload: &workload,
        library: &library.path,
        patience: args.matrix.timeout,
        // A run that hangs needs no processor, and a race needs some contention.
        jobs: args.matrix.jobs.map_or_else(
            || 2 * std::thread::available_parallelism().map_or(1, usize::from),
            usize::from,
        ),
    };
    let interrupt = Interrupt::hold()?;
    let bar = progress(plan.jobs().len());
    let done = execute(&plan, &tools, &interrupt, &mut || bar.inc(1));
    bar.finish_and_clear();
    let signal = interrupt.signal();
    Interrupt::release()?;
    if let Some(signal) = signal {
        terminal::note("interrupted: the runs were ended, and nothing is shown");
        die_like(signal);
        let number = u8::try_from(signal).unwrap_or(0);
        return Ok(exit_code::SIGNAL_BASE.saturating_add(number));
    }
    let tally = Tally::of(&done?);
    let answer = matrix::Answer::of(&plan, &tally, tools.patience, begun.elapsed());
    terminal::print(&if args.json {
        serde_json::to_string_pretty(&answer)?
    } else {
        answer.text()
    })?;
    Ok(if answer.as_published() {
        exit_code::OK
    } else {
        exit_code::UNEXPECTED
    })
}

/// In the order of their first mention.
fn each_once(numbers: &[u16]) -> Vec<u16> {
    let mut once = Vec::new();
    for &number in numbers {
        if !once.contains(&number) {
            once.push(number);
        }
    }
    once
}

/// Shown on a terminal only.
fn progress(runs: usize) -> ProgressBar {
    let bar = ProgressBar::new(runs as u64);
    let style = ProgressStyle::with_template("agxrun: {pos} of {len} runs {wide_bar} {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}
