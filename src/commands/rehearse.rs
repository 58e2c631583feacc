//! `agxrun rehearse`: the rehearsal's workload twice through a run, without and with the fix.

use std::path::PathBuf;

use anyhow::{Context, Result};
use chrono::Local;

use super::defaults;
use crate::cli::RehearseArgs;
use crate::diagnose::Signatures;
use crate::inject::Artifact;
use crate::inject::build::{self, Stage};
use crate::inject::locate::Surroundings;
use crate::inject::platform::{REPORTS_ARE_REHEARSED, state_folder};
use crate::output::building::Building;
use crate::output::{rehearsal, summary, terminal};
use crate::run::execute::execute;
use crate::run::options::{FixRequest, RunOptions, Scope, Tuning};
use crate::run::record::RunRecord;
use crate::run::supervise::Ending;
use crate::run::verdict::exit_code;

pub fn run(args: &RehearseArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    let [threads] = args.threads[..] else {
        terminal::error(&anyhow::anyhow!(
            "--threads takes one number here (hint: several are for --matrix)"
        ));
        return Ok(exit_code::USAGE);
    };
    let place = Place::prepare()?;
    let workload = workload()?;
    let mut command: Vec<std::ffi::OsString> = vec![
        workload.into(),
        "--quiet".into(),
        "--threads".into(),
        threads.to_string().into(),
    ];
    if let Some(fault) = &args.fault {
        command.extend(["--fault".into(), fault.into()]);
    }
    let control = place.options(command.clone(), FixRequest::None);
    let fixed = place.options(
        command,
        FixRequest::Inject {
            policy: None,
            library: None,
            tuning: Tuning::default(),
        },
    );
    let without = one(control, args.verbose)?;
    if without.outcome.ending == Ending::Exited(exit_code::USAGE.into()) {
        // The workload has said what it does not know.
        return Ok(exit_code::USAGE);
    }
    let with = one(fixed, args.verbose)?;
    let answer = rehearsal::Answer::of(&without, &with, threads);
    terminal::print(&if args.json {
        serde_json::to_string_pretty(&answer)?
    } else {
        answer.text()
    })?;
    Ok(answer.exit_code())
}

fn one(options: RunOptions, verbose: bool) -> Result<RunRecord> {
    let voice = summary::Voice {
        quiet: !verbose,
        verbose,
    };
    let record = execute(
        options,
        defaults::report_folders(),
        &mut summary::Progress::new(voice),
    )?;
    if verbose {
        summary::print(&record, voice);
    }
    Ok(record)
}

/// The workload, with the driver beside it, found or built.
pub(super) fn workload() -> Result<PathBuf> {
    let surroundings = Surroundings::current();
    let mut building = Building::default();
    let mut show = |piece: Artifact, stage: Stage<'_>| building.show(piece, stage);
    let workload = surroundings.find_or_build(Artifact::RehearsalWorkload, &mut show)?;
    surroundings.find_or_build(Artifact::RehearsalDriver, &mut show)?;
    if REPORTS_ARE_REHEARSED {
        let writer = surroundings.find_or_build(Artifact::ReportWriter, &mut show);
        building.done();
        match writer {
            Ok(_) => {}
            Err(error @ build::BuildError::Compiler { .. }) => return Err(error.into()),
            // The run itself says that there is no report writer.
            Err(error) => terminal::warning(&error.to_string()),
        }
    }
    Ok(workload.path)
}

/// Where the rehearsal keeps its reports: apart from those of real crashes where that is possible.
struct Place {
    reports: Vec<PathBuf>,
    archive: PathBuf,
}

impl Place {
    fn prepare() -> Result<Self> {
        let base = state_folder(defaults::variable)
            .context(
                "no HOME to keep the rehearsal's reports in (hint: set HOME or XDG_STATE_HOME)",
            )?
            .join("rehearsal");
        let reports = base.join("DiagnosticReports");
        let archive = base.join(Local::now().format("%Y%m%d_%H%M%S").to_string());
        for folder in [&reports, &archive] {
            std::fs::create_dir_all(folder).with_context(|| {
                format!(
                    "cannot create `{}` (hint: check HOME and the free space)",
                    folder.display()
                )
            })?;
        }
        // On a Mac the system writes the reports, and into its own folders.
        let reports = if REPORTS_ARE_REHEARSED {
            vec![reports]
        } else {
            vec![]
        };
        Ok(Self { reports, archive })
    }

    fn options(&self, command: Vec<std::ffi::OsString>, fix: FixRequest) -> RunOptions {
        const SECOND: std::time::Duration = std::time::Duration::from_secs(1);
        RunOptions {
            command,
            require_fix: matches!(fix, FixRequest::Inject { .. }),
            allow_uninjected: false,
            fix,
            env: vec![],
            timeout: Some(60 * SECOND),
            grace: 5 * SECOND,
            reports_dirs: self.reports.clone(),
            archive: self.archive.clone(),
            scope: Scope::Tree,
            settle: SECOND,
            report_wait: 30 * SECOND,
            signatures: Signatures::builtin_shared(),
            baseline: None,
        }
    }
}
