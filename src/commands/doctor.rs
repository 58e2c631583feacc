//! `agxrun doctor`: what of this machine matters to a run.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::Result;

use super::defaults;
use crate::cli::{DoctorArgs, SourceArgs};
use crate::doctor::subject::{self, Library};
use crate::doctor::{self, Subject, ThisHost};
use crate::inject::locate::Surroundings;
use crate::output::doctor::Answer;
use crate::output::terminal;
use crate::run::verdict::exit_code;

pub fn run(args: DoctorArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    let subject = subject(args.dylib, args.sources)?;
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

fn subject(dylib: Option<PathBuf>, sources: SourceArgs) -> Result<Subject> {
    let system = doctor::platform::SYSTEM;
    let surroundings = Surroundings::current();
    let folders = defaults::folders(&sources)?;
    Ok(Subject {
        system,
        processor: std::env::consts::ARCH,
        library: Library::look(defaults::named_library(dylib)?, &surroundings, system),
        rehearsal: subject::rehearsal(&surroundings),
        folders_named: folders.named,
        folders: folders.folders,
        archive: defaults::archive(sources.archive).map_err(|reason| format!("{reason:#}")),
        terminal: std::io::stderr().is_terminal(),
    })
}
