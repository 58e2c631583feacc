//! Reading the records of runs.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::output::html::page::{RunRow, Runs};
use crate::output::html::text::Text;
use crate::output::terminal;
use crate::stats::runs::{Run, tally};

/// The largest record that is read, in bytes; one of a run with a hundred reports has a few hundred
/// thousand.
const SIZE_LIMIT: u64 = 16 * 1024 * 1024;
/// Rows that are shown.
const ROWS: usize = 100;
/// Unreadable records that are named.
const NAMED: usize = 20;

/// The records in these files. One that cannot be read is told of, on the page, too.
pub fn read(files: &[PathBuf]) -> Runs {
    let mut runs = Vec::new();
    let mut unreadable = Vec::new();
    for file in files {
        match record(file) {
            Ok(run) => runs.push(run),
            Err(reason) => unreadable.push(format!("{reason:#}")),
        }
    }
    for reason in unreadable.iter().take(NAMED) {
        terminal::warning(reason);
    }
    let mut rows: Vec<RunRow> = tally(runs)
        .into_iter()
        .map(|((command, fix), tally)| RunRow {
            command: Text::path(&command),
            fix: Text::name(&fix),
            rate: tally.rate,
            undecided: tally.undecided,
        })
        .collect();
    let more_rows = rows.len().saturating_sub(ROWS);
    rows.truncate(ROWS);
    Runs {
        rows,
        more_rows,
        more_unreadable: unreadable.len().saturating_sub(NAMED),
        unreadable: unreadable
            .iter()
            .take(NAMED)
            .map(|reason| Text::sentence(reason))
            .collect(),
    }
}

fn record(path: &Path) -> Result<Run> {
    let named = || format!("`{}`", path.display());
    let file = File::open(path).with_context(named)?;
    let mut bytes = Vec::new();
    file.take(SIZE_LIMIT + 1)
        .read_to_end(&mut bytes)
        .with_context(named)?;
    if bytes.len() as u64 > SIZE_LIMIT {
        bail!(
            "`{}` has more than {SIZE_LIMIT} bytes and is no record of a run",
            path.display()
        );
    }
    Run::read(&bytes).with_context(named)
}
