//! The runs, several at a time.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use super::interrupt::Interrupt;
use super::outcome::Outcome;
use super::plan::{Job, Plan, Row};
use super::process::{self, Ended};
use crate::diagnose::match_line;
use crate::evidence::read_folder;
use crate::inject::environment::{FIX_VERSION, Injection, LEDGER_DIR, compose};
use crate::run::workspace::Workspace;

/// A run that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Which.
    pub job: Job,
    /// How it ended.
    pub outcome: Outcome,
    /// Signatures of the known lines on its stderr.
    pub signs: Vec<&'static str>,
}

/// With what the runs are made.
#[derive(Debug)]
pub struct Tools<'a> {
    /// The workload.
    pub workload: &'a Path,
    /// The fix library.
    pub library: &'a Path,
    /// A run that takes longer hangs.
    pub patience: Duration,
    /// Runs at the same time.
    pub jobs: usize,
}

/// For how long the workload's own watchdog may be late before it is killed.
const LATENESS: Duration = Duration::from_secs(5);

/// Makes all runs of the plan, or those until `interrupt`. `progress` is told of each run that was made, by one thread at a time.
///
/// # Errors
/// The first run that shows nothing: it could not be made, or the library was not in it as planned.
pub fn execute(
    plan: &Plan,
    tools: &Tools<'_>,
    interrupt: &Interrupt,
    progress: &mut (dyn FnMut() + Send),
) -> Result<Vec<Done>> {
    let workspace = Workspace::temporary()?;
    let library = workspace.alias(tools.library)?;
    let queue = Mutex::new(VecDeque::from(plan.jobs()));
    let progress = Mutex::new(progress);
    let worker = || -> Result<Vec<Done>> {
        let mut done = Vec::new();
        loop {
            let next = lock(&queue).pop_front();
            let Some(job) = next else { return Ok(done) };
            let ledgers = workspace.ledgers().join(folder_name(job));
            match one(plan, job, tools, &library, &ledgers, interrupt) {
                Ok(Some(run)) => done.push(run),
                Ok(None) => lock(&queue).clear(),
                Err(error) => {
                    lock(&queue).clear();
                    return Err(error);
                }
            }
            lock(&progress)();
        }
    };
    let outcomes: Vec<Result<Vec<Done>>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..tools.jobs.max(1))
            .map(|_| scope.spawn(worker))
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_| Err(anyhow!("a worker of the matrix panicked")))
            })
            .collect()
    });
    let done: Vec<Vec<Done>> = outcomes.into_iter().collect::<Result<_>>()?;
    Ok(done.concat())
}

/// A panic of another worker is told by its join.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn folder_name(job: Job) -> String {
    format!("{}-{}-{}-{}", job.threads, job.row, job.scenario, job.seed)
}

/// One run; `None` where it was interrupted.
fn one(
    plan: &Plan,
    job: Job,
    tools: &Tools<'_>,
    library: &Path,
    ledgers: &Path,
    interrupt: &Interrupt,
) -> Result<Option<Done>> {
    let row = plan.rows[job.row];
    let scenario = &plan.scenarios[job.scenario].name;
    let what = || format!("{} in `{scenario}`, seed {}", row.name(), job.seed);
    std::fs::create_dir(ledgers).with_context(what)?;
    let mut command = Command::new(tools.workload);
    command
        .args(plan.arguments(job, tools.patience.as_secs_f64()))
        .env_clear()
        .envs(environment(row, library, ledgers));
    let limit = tools.patience + LATENESS;
    let (outcome, stderr) = match process::run(&mut command, limit, interrupt.as_fd()) {
        Ok(Ended::Interrupted) => return Ok(None),
        Ok(Ended::AtTheLimit) => (Outcome::Hang, Vec::new()),
        Ok(Ended::ByItself { status, stderr }) => {
            let outcome = Outcome::of_status(status)
                .map_err(|why| anyhow!("{}: {why}: {}", what(), last_line(&stderr)))?;
            (outcome, stderr)
        }
        Err(error) => return Err(error).with_context(what),
    };
    let (read, unreadable) = read_folder(ledgers);
    if let Some(unreadable) = unreadable.first() {
        return Err(anyhow!(
            "{}: its ledger cannot be read: {}",
            what(),
            unreadable.reason
        ));
    }
    let outcome = outcome
        .with_ledgers(row, &read)
        .map_err(|why| anyhow!("{}: {why}: {}", what(), last_line(&stderr)))?;
    std::fs::remove_dir_all(ledgers).with_context(what)?;
    Ok(Some(Done {
        job,
        outcome,
        signs: signs(&stderr),
    }))
}

/// The environment of a run: ours without anything that steers a fix library, and what the row injects.
fn environment(row: Row, library: &Path, ledgers: &Path) -> Vec<(OsString, OsString)> {
    let inherited =
        std::env::vars_os().filter(|(name, _)| !name.as_encoded_bytes().starts_with(b"AGX_"));
    let mut injection = Injection::default();
    if let Some(policy) = row.policy {
        injection.libraries.push(PathBuf::from(library));
        injection.fixed.push((LEDGER_DIR, ledgers.into()));
        injection.fixed.push((FIX_VERSION, policy.name.into()));
        injection.tune(row.throttle, None, false);
    }
    compose(inherited, &[], &injection)
}

fn signs(stderr: &[u8]) -> Vec<&'static str> {
    let signs: BTreeSet<&'static str> = String::from_utf8_lossy(stderr)
        .lines()
        .filter_map(|line| Some(match_line(line)?.id.as_str()))
        .collect();
    signs.into_iter().collect()
}

fn last_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    text.lines().last().unwrap_or("it said nothing").to_owned()
}
