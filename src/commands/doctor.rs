//! `agxrun doctor`: what of this machine matters to a run.

use std::io::IsTerminal;

use anyhow::Result;

use super::defaults;
use crate::cli::DoctorArgs;
use crate::doctor::subject::{self, Library};
use crate::doctor::{self, Subject, ThisHost};
use crate::inject::locate::Surroundings;
use crate::output::doctor::Answer;
use crate::output::terminal;
use crate::reports::ReportFolder;
use crate::run::verdict::exit_code;

pub fn run(args: DoctorArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    let subject = subject(args.dylib, args.reports_dir, args.archive)?;
    let findings = doctor::examine(&ThisHost::current(), &subject);
    let answer = Answer::of(&findings);
    if args.json {
        terminal::print(&serde_json::to_string_pretty(&answer)?)?;
    } else {
        terminal::print(&answer.text())?;
    }
    Ok(if answer.errors == 0 {
        exit_code::OK
    } else {
        exit_code::UNWELL
    })
}

fn subject(
    dylib: Option<std::path::PathBuf>,
    reports_dir: Vec<std::path::PathBuf>,
    archive: Option<std::path::PathBuf>,
) -> Result<Subject> {
    let system = doctor::platform::SYSTEM;
    let surroundings = Surroundings::current();
    let named = defaults::named_folders(reports_dir)?;
    Ok(Subject {
        system,
        processor: std::env::consts::ARCH,
        library: Library::look(defaults::named_library(dylib)?, &surroundings, system),
        rehearsal: subject::rehearsal(&surroundings),
        folders_named: !named.is_empty(),
        folders: if named.is_empty() {
            defaults::report_folders()
        } else {
            named.into_iter().map(ReportFolder::new).collect()
        },
        archive: defaults::archive(archive).map_err(|reason| format!("{reason:#}")),
        terminal: std::io::stderr().is_terminal(),
    })
}
