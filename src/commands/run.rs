//! `agxrun -- CMD`, also spelled `agxrun run`.

use anyhow::Result;
use nix::sys::signal::Signal::SIGINT;

use super::defaults;
use super::lines::Lines;
use crate::cli::{LockScope as LockScopeArg, RunArgs, Scope as ScopeArg};
use crate::output::{run_json, summary, terminal};
use crate::run::execute::{RunError, execute};
use crate::run::options::{FixRequest, LockScope, RunOptions, Scope, Tuning};
use crate::run::record::RunRecord;
use crate::run::supervise::{Ending, die_like};
use crate::run::verdict::exit_code;

pub fn run(args: RunArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    let voice = summary::Voice {
        quiet: args.quiet,
        verbose: args.verbose,
    };
    let lines = Lines::open(&args.line)?;
    let json = args.json.clone();
    // Opened before the run: a verdict that cannot be written is found out now.
    let json = json.map(run_json::Destination::open).transpose()?;
    let line = args.line.clone();
    let options = options(args)?;
    let mut lines = lines.of(&line, &options)?;
    let folders = defaults::report_folders();
    // Not within the match: what moves on the terminal ends with the progress, and an error is told after that.
    let outcome = execute(options, folders, &mut summary::Progress::new(voice));
    let record = match outcome {
        Ok(mut record) => {
            lines.done(&mut record);
            record
        }
        Err(error) => {
            let why = format!("{error:#}");
            let code = failed(error);
            lines.refused(code, why);
            return Ok(code);
        }
    };
    summary::print(&record, voice);
    if let Some(destination) = json {
        destination.write(&record)?;
    }
    end_as_the_target(&record);
    Ok(record.verdict.exit_code)
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
        signatures: defaults::signatures(&args.signatures)?,
    })
}
