//! `check-crashes --clean`: copies removed from the archive, after saying which.

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, Result, bail};
use chrono::{Local, TimeDelta};

use super::{Asked, print_json};
use crate::cli::CheckCrashesArgs;
use crate::commands::defaults;
use crate::output::crashes::{CleanView, Kind, bytes, plural};
use crate::output::terminal::{self, visible};
use crate::reports::archive::{Cleaned, Plan, note_gone, plan, remove};
use crate::run::verdict::exit_code;

pub(super) fn run(args: &CheckCrashesArgs, asked: &Asked) -> Result<u8> {
    let shown = visible(&asked.archive.display().to_string());
    let planned = if asked.archive.exists() {
        plan_of(args, asked)?
    } else {
        Plan::default()
    };
    let say = |text: &str| -> Result<()> {
        if args.json {
            terminal::note(text);
        } else {
            terminal::print(text)?;
        }
        Ok(())
    };
    say(&told(&planned, &shown, args.mode.dry_run))?;
    let mut cleaned = Cleaned::default();
    if !planned.files.is_empty() && !args.mode.dry_run {
        if !(args.mode.yes || confirmed()?) {
            say("nothing was removed")?;
            return finish(args, asked, &planned, &cleaned);
        }
        cleaned = remove(&planned);
        note_gone(
            &asked.archive,
            asked.now.with_timezone(&Local).fixed_offset(),
        )?;
        let removed = plural(cleaned.removed, "copy", "copies");
        say(&format!("removed {removed}, {}", bytes(cleaned.bytes)))?;
    }
    finish(args, asked, &planned, &cleaned)
}

fn plan_of(args: &CheckCrashesArgs, asked: &Asked) -> Result<Plan> {
    let before = match args.mode.older_than {
        None => None,
        Some(age) => {
            let age = TimeDelta::from_std(age).ok();
            let wall = asked.now.with_timezone(&Local).naive_local();
            let before = age.and_then(|age| wall.checked_sub_signed(age));
            Some(before.context("the time of --older-than is out of range (try 30d)")?)
        }
    };
    // Those that the user named, and the system's whether named or not.
    let mut system = defaults::report_folders();
    system.extend(asked.folders.iter().cloned());
    Ok(plan(&asked.archive, before, &system)?)
}

fn told(plan: &Plan, archive: &str, dry_run: bool) -> String {
    let mut parts = vec![match (plan.files.first(), plan.files.last()) {
        (Some(first), Some(last)) => {
            let will = if dry_run {
                "would remove"
            } else {
                "to remove:"
            };
            let copies = plural(plan.files.len(), "copy", "copies");
            format!(
                "{will} {copies} of reports, {}, from {archive}, made {} to {}",
                bytes(plan.bytes()),
                first.archived.format("%Y-%m-%d"),
                last.archived.format("%Y-%m-%d"),
            )
        }
        _ => format!("nothing to remove from {archive}"),
    }];
    if plan.newer > 0 {
        let newer = plural(plan.newer, "copy is", "copies are");
        parts.push(format!("{newer} newer"));
    }
    if plan.foreign > 0 {
        let files = plural(plan.foreign, "report file is", "report files are");
        parts.push(format!("{files} no copy of agxrun's and will stay"));
    }
    parts.join("; ")
}

/// Asks whoever sits there. Nobody does where stdin is no terminal, and then silence is no consent.
fn confirmed() -> Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("nobody can be asked whether to remove these (hint: --yes removes without asking)");
    }
    let mut stderr = anstream::stderr();
    write!(stderr, "agxrun: remove them? [y/N] ")?;
    stderr.flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(matches!(
        line.trim().to_ascii_lowercase().as_str(),
        "y" | "yes"
    ))
}

fn finish(args: &CheckCrashesArgs, asked: &Asked, plan: &Plan, cleaned: &Cleaned) -> Result<u8> {
    for (path, error) in &cleaned.failed {
        terminal::warning(&format!("cannot remove `{}`: {error}", path.display()));
    }
    if args.json {
        let mut answer = asked.answer(Kind::Clean);
        answer.clean = Some(CleanView {
            dry_run: args.mode.dry_run,
            files: plan
                .files
                .iter()
                .map(|file| file.path.display().to_string())
                .collect(),
            bytes: plan.bytes(),
            newer: plan.newer,
            foreign: plan.foreign,
            removed: cleaned.removed,
            removed_bytes: cleaned.bytes,
            failed: cleaned.failed.len(),
        });
        print_json(&answer)?;
    }
    Ok(if cleaned.failed.is_empty() {
        exit_code::OK
    } else {
        exit_code::FAILED
    })
}
