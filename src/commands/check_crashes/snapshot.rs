//! `snapshot` and `check-crashes --snapshot`: what reports there are, for `--since FILE` later.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Asked, print_json};
use crate::output::crashes::{Kind, SnapshotView, plural};
use crate::output::destination::Replacement;
use crate::output::terminal;
use crate::reports::listing::look;
use crate::reports::snapshot::Stored;
use crate::run::verdict::exit_code;

pub(super) fn run(asked: &Asked, file: &Path, json: bool) -> Result<u8> {
    let snapshot = look(&asked.folders, Some(&asked.archive));
    let unwatched: Vec<_> = snapshot
        .unwatched()
        .into_iter()
        .filter(|(path, _)| std::fs::symlink_metadata(path).is_ok())
        .collect();
    for (path, reason) in &unwatched {
        terminal::warning(&format!(
            "could not look into `{}`: {reason}",
            path.display()
        ));
    }
    write(file, &Stored::of(&snapshot, asked.now))
        .with_context(|| format!("cannot write the snapshot `{}`", file.display()))?;
    let mut answer = asked.answer(Kind::Snapshot);
    answer.total_files = snapshot.file_count();
    answer.set_gaps(&[], &unwatched);
    answer.snapshot = Some(SnapshotView {
        file: file.display().to_string(),
    });
    if json {
        print_json(&answer)?;
    } else {
        let shown = terminal::visible(&file.display().to_string());
        terminal::print(&format!(
            "{} known; `agxrun check-crashes --since {shown}` shows what comes after",
            plural(answer.total_files, "report file is", "report files are"),
        ))?;
    }
    Ok(if asked.is_blind(&unwatched) {
        exit_code::FAILED
    } else {
        exit_code::OK
    })
}

/// Whole or not at all: what is half a snapshot would make old reports new.
fn write(path: &Path, stored: &Stored) -> Result<()> {
    let mut text = serde_json::to_string(stored)?;
    text.push('\n');
    // A pipe or device is no file to be replaced.
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Ok(std::fs::write(path, text)?);
    }
    Ok(Replacement::of(path)?.write(&text)?)
}
