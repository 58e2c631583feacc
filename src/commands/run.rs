//! `agxrun -- CMD`, also spelled `agxrun run`.

use anyhow::{Context, Result};
use nix::sys::signal::Signal::SIGINT;

use super::defaults;
use super::lines::{LineOf, Lines};
use crate::cli::{LockScope as LockScopeArg, RunArgs, Scope as ScopeArg};
use crate::output::ci::{Sinks, of_run};
use crate::output::destination::Destination;
use crate::output::{attempts as told, run_json, summary, terminal};
use crate::run::attempts::{Attempts, Retries};
use crate::run::execute::{RunError, execute};
use crate::run::options::{FixRequest, LockScope, RunOptions, Scope, Tuning};
use crate::run::record::RunRecord;
use crate::run::supervise::{Ending, die_like};
use crate::run::verdict::exit_code;
use crate::series::orphan;

pub fn run(args: RunArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    let voice = summary::Voice {
        quiet: args.quiet,
        verbose: args.verbose,
    };
    let lines = Lines::open(&args.line)?;
    if let Some(parent) = args.end_with {
        orphan::end_with(parent).context("cannot be told of the end of the series")?;
    }
    let json = args.json.clone();
    // Opened before the run: a verdict that cannot be written is found out now.
    let json = json
        .map(|path| Destination::open(path, "--json"))
        .transpose()?;
    let sinks = Sinks::open(&args.ci)?;
    let line = args.line.clone();
    let retries = Retries {
        limit: args.retries,
        allow_flaky: args.allow_flaky,
    };
    let options = options(args)?;
    let lines = lines.of(&line, &options)?;
    let attempts = match attempts(&options, retries, voice, lines) {
        Ok(attempts) => attempts,
        Err(NotLaunched { code, why }) => {
            if sinks.are_wanted() {
                sinks.publish(&[of_run::refused(&options, why)], None)?;
            }
            return Ok(code);
        }
    };
    told::print(&attempts, voice);
    if sinks.are_wanted() {
        sinks.publish(&[of_run::suite(&attempts)], None)?;
    }
    if let Some(destination) = json {
        destination.write(&run_json::text(&attempts)?)?;
    }
    let record = attempts.deciding();
    end_as_the_target(record);
    Ok(record.verdict.exit_code)
}

/// There is no record: what was exited with, and what the user was told.
struct NotLaunched {
    code: u8,
    why: String,
}

/// Makes the run, and makes it again as long as that is asked for.
fn attempts(
    options: &RunOptions,
    retries: Retries,
    voice: summary::Voice,
    mut line: LineOf,
) -> Result<Attempts, NotLaunched> {
    let first = attempt(options, voice, &mut line)?;
    let mut attempts = Attempts::new(first, retries);
    while attempts.want_another() {
        told::again(&attempts, voice);
        line.again();
        match attempt(options, voice, &mut line) {
            Ok(record) => attempts.push(record),
            // Told already. The crash before it stands.
            Err(NotLaunched { .. }) => break,
        }
    }
    Ok(attempts)
}

fn attempt(
    options: &RunOptions,
    voice: summary::Voice,
    line: &mut LineOf,
) -> Result<RunRecord, NotLaunched> {
    let folders = defaults::report_folders();
    // Not within the match: what moves on the terminal ends with the progress, and an error is told after that.
    let outcome = execute(options.clone(), folders, &mut summary::Progress::new(voice));
    match outcome {
        Ok(mut record) => {
            line.done(&mut record);
            summary::print(&record, voice);
            Ok(record)
        }
        Err(error) => {
            let why = format!("{error:#}");
            let code = failed(error);
            line.refused(code, why.clone());
            Err(NotLaunched { code, why })
        }
    }
}

/// After Ctrl-C a shell goes on with its script unless the command died of SIGINT as well; our
/// exit code alone would not stop it.
fn end_as_the_target(record: &RunRecord) {
    let interrupted =
        matches!(record.outcome.ending, Ending::Signaled { signal, .. } if signal == SIGINT as i32);
    if interrupted && record.verdict.exit_code == exit_code::SIGNAL_BASE + SIGINT as u8 {
        die_like(SIGINT as i32);
    }
}

/// Nothing was launched: 127 and 126 say so as a shell does, everything else is our failure.
fn failed(error: RunError) -> u8 {
    use crate::run::plan::PlanError;
    let code = match &error {
        RunError::Plan(PlanError::NotFound { .. }) => exit_code::NOT_FOUND,
        RunError::Plan(PlanError::NotExecutable { .. }) => exit_code::NOT_EXECUTABLE,
        RunError::Plan(PlanError::NotWithPolicy { .. }) => exit_code::USAGE,
        RunError::Launch(launch) => launch.exit_code(),
        RunError::Plan(_)
        | RunError::Refused(_)
        | RunError::Workspace(_)
        | RunError::Prepare(_) => exit_code::FAILED,
    };
    terminal::error(&anyhow::Error::new(error));
    code
}

fn options(args: RunArgs) -> Result<RunOptions> {
    let signatures = defaults::signatures(&args.signatures)?;
    let fix = if args.no_fix {
        FixRequest::None
    } else {
        FixRequest::Inject {
            policy: args.fix,
            library: defaults::named_library(args.dylib)?,
            tuning: Tuning {
                throttle: args.throttle,
                lock_scope: args.lock_scope.map(|scope| match scope {
                    LockScopeArg::Global => LockScope::Global,
                    LockScopeArg::Queue => LockScope::Queue,
                    LockScopeArg::Buffer => LockScope::Buffer,
                }),
                census: args.census,
            },
        }
    };
    Ok(RunOptions {
        command: args.command,
        fix,
        require_fix: args.require_fix,
        allow_uninjected: args.allow_uninjected,
        env: args.env,
        timeout: args.timeout.filter(|limit| !limit.is_zero()),
        grace: args.grace,
        reports_dirs: defaults::named_folders(args.reports_dir)?,
        archive: defaults::archive(args.archive)?,
        scope: match args.scope {
            ScopeArg::Any => Scope::Any,
            ScopeArg::Tree => Scope::Tree,
        },
        settle: args.settle,
        report_wait: args.report_wait,
        baseline: defaults::baseline(&args.baseline, &signatures)?,
        signatures,
    })
}
