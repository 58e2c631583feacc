//! `agxrun audit`: what a driver's file says about what a fix reaches of it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::defaults;
use crate::audit::drivers;
use crate::audit::report::{
    Audit, Comparison, FileAudit, Parts, Progress, Unseen, UnseenKind, kept,
};
use crate::cli::AuditArgs;
use crate::doctor::{Host, ThisHost};
use crate::output::audit::{Shown, Waiting};
use crate::output::destination::{Destination, Replacement};
use crate::output::{pager, terminal};
use crate::run::verdict::exit_code;

/// Where a driver's bundles may be named for a system that has none.
const HINT: &str = "name files or bundles, such as a copy of a Mac's \
     /System/Library/Extensions/AGXMetalG16X.bundle";

pub fn run(args: &AuditArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    let policy = match &args.fix {
        None => agx_policy::default_policy(),
        Some(name) => match agx_policy::find(name) {
            Ok(policy) => policy,
            Err(refusal) => bail!(
                "there is no policy `{}` (hint: `agxrun fix list` shows them)",
                refusal.0
            ),
        },
    };
    // A file that cannot be written costs no audit.
    let output = args.output.clone();
    let output = output
        .map(|path| Destination::open(path, "--output"))
        .transpose()?;
    let parts = parts(args.arch.as_deref());
    let mut waiting = Waiting::default();
    let before = args
        .against
        .as_deref()
        .map(|path| against(path, &parts, policy.name, &mut waiting))
        .transpose()?;
    let files = files(args)?;
    let files: Vec<FileAudit> = files
        .iter()
        .map(|path| file(path, &parts, policy.name, &mut waiting))
        .collect();
    waiting.done();
    let comparison = before.map(|(path, before)| Comparison::of(&before, &path, &files));
    let audit = Audit::of(policy.name, files, comparison);
    complain(&audit);
    if let Some(output) = output {
        output.write(&format!("{}\n", audit.to_json()?))?;
    }
    let kept = if args.no_keep {
        Vec::new()
    } else {
        keep(&audit)
    };
    print(args, &audit, policy.name, &kept)?;
    Ok(code(args, &audit))
}

fn code(args: &AuditArgs, audit: &Audit) -> u8 {
    if audit.verdict.failed > 0 || audit.verdict.looked_at.images == 0 {
        exit_code::FAILED
    } else if args.fail && audit.weakens() {
        exit_code::CRASH_GATE
    } else if args.fail && in_part(audit) {
        exit_code::FAILED
    } else {
        exit_code::OK
    }
}

/// Whether an image could be read in part only; says so of each. What is not seen must not pass a check.
fn in_part(audit: &Audit) -> bool {
    let mut found = false;
    for (file, part, image) in audit.images() {
        let is_hidden =
            |it: &Unseen| matches!(it.kind, UnseenKind::Damaged | UnseenKind::Encrypted);
        if image.unseen.iter().any(is_hidden) {
            found = true;
            terminal::error(&anyhow::anyhow!(
                "`{}` ({}) could be read in part only (hint: without --fail that is told and no failure)",
                file.path,
                part.arch
            ));
        }
    }
    found
}

fn parts(arch: Option<&str>) -> Parts {
    match arch {
        None => Parts::Silicon,
        Some("all") => Parts::All,
        Some(name) => Parts::Of(name.to_owned()),
    }
}

/// A file, or a bundle's executable.
fn file(path: &Path, parts: &Parts, policy: &str, progress: &mut dyn Progress) -> FileAudit {
    match drivers::executable(path) {
        Ok(file) => FileAudit::of(&file, parts, policy, progress),
        Err(error) => FileAudit::unread(path, error.to_string()),
    }
}

/// The files that are named, else the driver's of this machine.
fn files(args: &AuditArgs) -> Result<Vec<PathBuf>> {
    if !args.files.is_empty() {
        return Ok(args.files.clone());
    }
    let Some(folder) = args.extensions.as_deref().or(drivers::extensions()) else {
        bail!("this system has no AGX driver to look at (hint: {HINT})");
    };
    let bundles = drivers::bundles(folder, &plugins())
        .with_context(|| format!("cannot look for drivers in `{}`", folder.display()))?;
    if bundles.is_empty() {
        bail!(
            "there is no AGX driver in `{}` (hint: {HINT})",
            folder.display()
        );
    }
    Ok(bundles)
}

/// The drivers that this machine's GPUs name. Without an answer, as on another system, all that are
/// there are looked at.
fn plugins() -> Vec<String> {
    let (program, arguments) = drivers::ASK_FOR_PLUGINS;
    let answer = ThisHost::current().ask(program, arguments);
    answer
        .output()
        .map_or_else(|_| Vec::new(), drivers::plugins)
}

/// The audit that is compared with: a saved one, else that of a file or bundle.
fn against(
    path: &Path,
    parts: &Parts,
    policy: &str,
    progress: &mut dyn Progress,
) -> Result<(String, Audit)> {
    let name = path.display().to_string();
    let other = file(path, parts, policy, progress);
    let Some(error) = &other.error else {
        let failed = other.parts.iter().find_map(|part| part.error.as_ref());
        return match failed {
            Some(error) if other.parts.iter().all(|part| part.image.is_none()) => {
                bail!("cannot compare with `{name}`: {error}")
            }
            _ => Ok((name, Audit::of(policy, vec![other], None))),
        };
    };
    match Audit::read(path) {
        Ok(audit) => Ok((name, audit)),
        Err(saved) => bail!(
            "cannot compare with `{name}`: it is no file to be looked at ({error}), and it {saved}"
        ),
    }
}

/// Says what could not be read; the audit has it, too.
fn complain(audit: &Audit) {
    for file in &audit.files {
        if let Some(error) = &file.error {
            terminal::error(&anyhow::anyhow!("`{}`: {error}", file.path));
        }
        for part in &file.parts {
            if let Some(error) = &part.error {
                terminal::error(&anyhow::anyhow!("`{}` ({}): {error}", file.path, part.arch));
            }
        }
    }
}

/// Keeps what was found in drivers where `agxrun show` looks, and says where. That it cannot is told
/// and costs nothing else.
fn keep(audit: &Audit) -> Vec<PathBuf> {
    let drivers = audit.of_drivers();
    let Some(folder) = defaults::audits().filter(|_| !drivers.is_empty()) else {
        return Vec::new();
    };
    let write = |(uuid, audit): &(String, Audit)| -> Result<PathBuf> {
        kept::prepare(&folder)?;
        let path = kept::path(&folder, uuid);
        Replacement::of(&path)?.write(&format!("{}\n", audit.to_json()?))?;
        Ok(path)
    };
    let mut written = Vec::new();
    for driver in &drivers {
        match write(driver) {
            Ok(path) => written.push(path),
            Err(error) => {
                terminal::warning(&format!(
                    "what was found is not kept for `agxrun show` in `{}`: {error:#}",
                    folder.display()
                ));
            }
        }
    }
    written
}

fn print(args: &AuditArgs, audit: &Audit, policy: &'static str, kept: &[PathBuf]) -> Result<()> {
    if args.json {
        // It may be large, and there is no style in it to be taken out.
        return Ok(terminal::print_bytes(
            format!("{}\n", audit.to_json()?).as_bytes(),
        )?);
    }
    let screen = pager::screen();
    let shown = Shown {
        audit,
        policy,
        verbose: args.verbose,
        width: screen.map(|screen| screen.width),
        kept,
    };
    Ok(pager::print(
        &shown.text(),
        screen,
        pager::wanted(args.no_pager),
    )?)
}
