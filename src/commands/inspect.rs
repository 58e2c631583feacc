//! `agxrun inspect`: what a command will really run, and whether the library gets into it.

use std::path::Path;

use anyhow::Result;

use super::defaults;
use crate::cli::InspectArgs;
use crate::inject::build::Stage;
use crate::inject::{Artifact, check, locate};
use crate::output::building::Building;
use crate::output::inspect::Answer;
use crate::output::{inspect_json, terminal};
use crate::run::plan::{PlanError, Target};
use crate::run::verdict::exit_code;
use crate::target::image::{Contents, Image};
use crate::target::remedy::advice;
use crate::target::rules::{Host, System};
use crate::target::verdict::Verdict;
use crate::target::{FixLibrary, Surroundings, inspect, inspect_file};

pub fn run(args: &InspectArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    match &args.file {
        Some(file) => one_file(args, file),
        None => command(args),
    }
}

fn command(args: &InspectArgs) -> Result<u8> {
    let target = match Target::find(&args.command) {
        Ok(target) => target,
        Err(error) => {
            let code = match &error {
                PlanError::NotFound { .. } => exit_code::NOT_FOUND,
                PlanError::NotExecutable { .. } => exit_code::NOT_EXECUTABLE,
                _ => exit_code::FAILED,
            };
            terminal::error(&error.into());
            return Ok(code);
        }
    };
    let library = library(args)?;
    let variables = std::env::vars_os().chain(args.env.iter().cloned());
    let surroundings = Surroundings::current(variables);
    let inspection = inspect(
        &args.command,
        Some(&target.program),
        &library,
        &surroundings,
    );
    let advice = advice(&inspection, &args.command, &library, &surroundings);
    let answer = Answer {
        inspection: Some(&inspection),
        file: None,
        verdict: &inspection.verdict,
        library: &library.path,
        advice,
    };
    print(args, &answer)
}

/// A file of any system: a Mach-O file is judged as on a Mac, an ELF file as on Linux, each as far as
/// possible by the library that is here.
fn one_file(args: &InspectArgs, file: &Path) -> Result<u8> {
    let image = Image::read(file);
    let here = Surroundings::current([]).host;
    let system = match image.as_ref().map(|image| &image.contents) {
        Ok(Contents::MachO(_)) => System::MacOs,
        Ok(Contents::Elf(_)) => System::Linux,
        _ => here.system,
    };
    let (library, host) = if system == here.system {
        (library(args)?, here)
    } else {
        let host = foreign_host(&image, system);
        (foreign_library(args, &host)?, host)
    };
    let path = std::path::absolute(file)?;
    let path = path.canonicalize().unwrap_or(path); // what cannot be resolved is unreadable, too
    let verdict: Verdict = inspect_file(&path, &image, &library, &host);
    let answer = Answer {
        inspection: None,
        file: image.as_ref().ok(),
        verdict: &verdict,
        library: &library.path,
        advice: vec![],
    };
    print(args, &answer)
}

fn foreign_host(image: &Result<Image, crate::target::image::Unreadable>, system: System) -> Host {
    match (system, image.as_ref().map(|image| &image.contents)) {
        // A machine that executes it.
        (System::Linux, Ok(Contents::Elf(elf))) => Host {
            system,
            processor: elf.processor,
            sip: false,
            user: 1000,
            group: 1000,
        },
        _ => Surroundings::mac(),
    }
}

/// The library that is named, else what is made for the other system.
fn foreign_library(args: &InspectArgs, host: &Host) -> Result<FixLibrary> {
    match defaults::named_library(args.dylib.clone())? {
        Some(named) => Ok(FixLibrary::read(&named.path)),
        None => Ok(FixLibrary::as_built_for(host.system, host.processor)),
    }
}

/// The library that a run would inject.
fn library(args: &InspectArgs) -> Result<FixLibrary> {
    let located = if let Some(named) = defaults::named_library(args.dylib.clone())? {
        named
    } else {
        let mut building = Building::default();
        let mut show = |artifact: Artifact, stage: Stage<'_>| building.show(artifact, stage);
        let found = locate::Surroundings::current().find_or_build(Artifact::FixLibrary, &mut show);
        building.done();
        found?
    };
    check::library(&located.path)?;
    Ok(FixLibrary::read(&located.path))
}

fn print(args: &InspectArgs, answer: &Answer<'_>) -> Result<u8> {
    if args.json {
        terminal::print(&inspect_json::text(answer)?)?;
    } else {
        terminal::print(&answer.text())?;
    }
    Ok(if answer.verdict.arrives() {
        exit_code::OK
    } else {
        exit_code::NOT_LOADED
    })
}
