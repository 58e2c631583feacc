//! `agxrun fix path|build|list`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::defaults;
use crate::cli::FixAction;
use crate::inject::locate::{Located, Surroundings};
use crate::inject::{Artifact, build, check};
use crate::output::building::Building;
use crate::output::{policies, terminal};
use crate::run::verdict::exit_code;

pub fn run(action: FixAction) -> Result<u8> {
    match action {
        FixAction::Path { dylib, verbose } => path(dylib, verbose),
        FixAction::Build {
            all: Some(folder), ..
        } => build_all(&folder),
        FixAction::Build { out, all: None } => build(out),
        FixAction::List { json, verbose } => list(json, verbose),
    }
}

fn path(dylib: Option<PathBuf>, verbose: bool) -> Result<u8> {
    let located = match defaults::named_library(dylib)? {
        Some(located) => located,
        None => found_or_built()?,
    };
    check::library(&located.path)?;
    terminal::print_path(&located.path)?;
    if verbose {
        terminal::note(located.origin.phrase());
    }
    Ok(exit_code::OK)
}

fn build(out: Option<PathBuf>) -> Result<u8> {
    let folder = match out {
        Some(folder) => std::path::absolute(&folder)
            .with_context(|| format!("cannot use `{}`", folder.display()))?,
        None => Surroundings::current()
            .cache
            .context("neither HOME nor a cache folder is set (hint: name a folder with --out)")?,
    };
    let mut building = Building::default();
    let path = build::build_into(&folder, Artifact::FixLibrary, &mut |piece, stage| {
        building.show(piece, stage);
    })?;
    building.done();
    check::library(&path)?;
    terminal::print_path(&path)?;
    Ok(exit_code::OK)
}

/// The policy goes by the file's name, so that one binary under all of them is all of them.
fn build_all(folder: &Path) -> Result<u8> {
    let folder = std::path::absolute(folder)
        .with_context(|| format!("cannot use `{}`", folder.display()))?;
    let library = found_or_built()?;
    check::library(&library.path)?;
    let names = std::iter::once(Artifact::FixLibrary.file_name())
        .chain(agx_policy::POLICIES.iter().map(policies::file_name));
    for name in names {
        let path = folder.join(name);
        build::install(&library.path, &path)?;
        terminal::print_path(&path)?;
    }
    Ok(exit_code::OK)
}

/// The library that a run would inject where the user names none.
fn found_or_built() -> Result<Located> {
    let mut building = Building::default();
    let located =
        Surroundings::current().find_or_build(Artifact::FixLibrary, &mut |piece, stage| {
            building.show(piece, stage);
        })?;
    Ok(located)
}

fn list(json: bool, verbose: bool) -> Result<u8> {
    terminal::print(&if json {
        policies::as_json()?
    } else {
        policies::as_text(verbose)?
    })?;
    Ok(exit_code::OK)
}
