//! `agxrun check-crashes`: what stands in the report folders and the archive.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Local, NaiveDateTime, TimeZone, Utc};

use super::defaults;
use crate::baseline::Baseline;
use crate::cli::{CheckCrashesArgs, SourceArgs};
use crate::diagnose::Signatures;
use crate::output::crashes::{Answer, Place};
use crate::output::{crashes, terminal};
use crate::reports::ReportFolder;
use crate::run::verdict::exit_code;

mod ask;
mod clean;
mod judge;
mod origin;
mod progress;
mod select;
mod snapshot;
mod sync;
mod watch;

pub(super) use origin::moment;
pub(super) use progress::Progress;

pub fn run(args: &CheckCrashesArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    if args.mode.json_schema {
        terminal::print(crashes::JSON_SCHEMA)?;
        return Ok(exit_code::OK);
    }
    let asked = Asked::of(args)?;
    match &args.mode {
        mode if mode.sync => sync::run(args, &asked),
        mode if mode.clean => clean::run(args, &asked),
        mode if mode.watch => watch::run(args, &asked),
        mode => match &mode.snapshot {
            Some(file) => snapshot::run(&asked, file, args.json),
            None => ask::run(args, &asked),
        },
    }
}

/// Writes down what reports there are.
pub(super) fn snapshot(sources: &SourceArgs, file: &Path, json: bool) -> Result<u8> {
    let asked = Asked::at(sources, Signatures::builtin_shared())?;
    snapshot::run(&asked, file, json)
}

/// What every part needs to know.
struct Asked {
    folders: Vec<ReportFolder>,
    /// Whether the user named the folders.
    named: bool,
    archive: PathBuf,
    signatures: Arc<Signatures>,
    baseline: Option<Arc<Baseline>>,
    now: DateTime<Utc>,
    threads: usize,
}

impl Asked {
    fn of(args: &CheckCrashesArgs) -> Result<Self> {
        let signatures = defaults::signatures(&args.signatures)?;
        let baseline = defaults::baseline(&args.baseline, &signatures)?;
        Ok(Self {
            baseline,
            ..Self::at(&args.sources, signatures)?
        })
    }

    fn at(sources: &SourceArgs, signatures: Arc<Signatures>) -> Result<Self> {
        let defaults::Folders { folders, named } = defaults::folders(sources)?;
        Ok(Self {
            folders,
            named,
            archive: defaults::archive(sources.archive.clone())?,
            signatures,
            baseline: None,
            now: Utc::now(),
            // One is always right; more are only faster.
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
        })
    }

    fn place(&self) -> Place {
        let shown = |folder: &ReportFolder| folder.path.display().to_string();
        Place {
            folders: self.folders.iter().map(shown).collect(),
            archive: self.archive.display().to_string(),
        }
    }

    fn answer(&self, kind: crashes::Kind) -> Answer {
        Answer::new(kind, self.now, self.place())
    }

    /// Whether too little could be looked into for "no crash" to be true: a folder that was named,
    /// or all there are, unless none has been made yet.
    fn is_blind(&self, unwatched: &[(PathBuf, String)]) -> bool {
        if unwatched.is_empty() {
            return false;
        }
        self.named || unwatched.len() >= self.folders.len() && !all_missing(&self.folders)
    }
}

/// Prints an answer as JSON.
fn print_json(answer: &Answer) -> Result<()> {
    Ok(terminal::print(&answer.json()?)?)
}

/// On a new machine no report has been written and no folder made: that is no crash.
fn all_missing(folders: &[ReportFolder]) -> bool {
    folders.iter().all(|folder| {
        std::fs::symlink_metadata(&folder.path)
            .is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    })
}

/// Names of reports carry local time. At the end of summer time an hour comes twice: the later
/// reading keeps a report inside a window that it may belong to.
fn local_time(time: NaiveDateTime) -> DateTime<Utc> {
    Local
        .from_local_datetime(&time)
        .latest()
        .map_or_else(|| time.and_utc(), |local| local.to_utc())
}
