//! Reading the records of runs, and histories.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::history::{Rates, Run, open, rows_from};
use crate::output::html::page::{RunRow, Runs};
use crate::output::html::text::Text;
use crate::output::terminal;

/// The largest record that is read, in bytes; one of a run with a hundred reports has a few hundred
/// thousand.
const SIZE_LIMIT: u64 = 16 * 1024 * 1024;
/// Rows that are shown.
const ROWS: usize = 100;
/// Unreadable records that are named.
const NAMED: usize = 20;

/// The runs in these files. What cannot be read is told of, on the page, too.
pub fn read(files: &[PathBuf]) -> Runs {
    let mut rates = Rates::default();
    let mut unreadable = Vec::new();
    for file in files {
        if let Err(reason) = read_file(file, &mut rates, &mut unreadable) {
            unreadable.push(format!("{reason:#}"));
        }
    }
    for reason in unreadable.iter().take(NAMED) {
        terminal::warning(reason);
    }
    let mut rows: Vec<RunRow> = rates
        .finish()
        .into_iter()
        .map(|((command, fix), counts)| RunRow {
            command: Text::path(&command),
            fix: Text::name(&fix),
            rate: counts.rate,
            undecided: counts.undecided,
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

fn read_file(path: &Path, rates: &mut Rates, unreadable: &mut Vec<String>) -> Result<()> {
    let named = || format!("`{}`", path.display());
    let mut file = open(path).with_context(named)?;
    if is_history(path, file.fill_buf().with_context(named)?) {
        return rows_from(&mut file, &mut |row| match row {
            Ok((row, _)) => rates.add(Run::of_row(&row)),
            Err(bad) => unreadable.push(format!("`{}`, {bad}", path.display())),
        })
        .with_context(named);
    }
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
    rates.add(Run::of_record(&bytes).with_context(named)?);
    Ok(())
}

/// A history by its name, or by its first line: a run's line has an id, which no record has.
fn is_history(path: &Path, beginning: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Line {
        #[serde(rename = "id")]
        _id: String,
    }
    let first = beginning
        .trim_ascii_start()
        .split(|byte| *byte == b'\n')
        .next();
    let has_id = first.is_some_and(|line| serde_json::from_slice::<Line>(line).is_ok());
    has_id
        || path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
}
