//! From when on crashes are asked for.

use std::path::Path;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Local, TimeDelta, Utc};
use serde::Deserialize;

use super::local_time;
use crate::cli::{CheckCrashesArgs, SinceArg};
use crate::output::crashes::Window;
use crate::reports::Snapshot;
use crate::reports::file;
use crate::reports::listing::{Since, since};
use crate::reports::snapshot::{STORED_SCHEMA, Stored};

/// How far back is looked when nothing else is said.
const USUAL_HOURS: f64 = 24.0;

/// The beginning of what is asked for.
#[derive(Debug)]
pub(super) struct Origin {
    /// Only what happened then or later.
    pub(super) since: Option<DateTime<Utc>>,
    /// Only what was not there.
    pub(super) snapshot: Option<Snapshot>,
    /// The same in words.
    pub(super) window: Window,
}

/// The moment that `--since` means; of a snapshot, when it was taken.
pub(in crate::commands) fn moment(since: &SinceArg, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    match since {
        SinceArg::Time(time) => instant(*time, now),
        SinceArg::File(path) => Ok(match read(path)? {
            Told::Snapshot(stored) => stored.taken,
            Told::Run(started) => started,
        }),
    }
}

fn instant(time: Since, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let wall = now.with_timezone(&Local).naive_local();
    time.instant(now, wall, &local_time).with_context(|| {
        format!(
            "the time of --since is out of range (expected {})",
            since::EXPECTED
        )
    })
}

/// What the options say.
pub(super) fn origin(args: &CheckCrashesArgs, now: DateTime<Utc>) -> Result<Origin> {
    let mut origin = Origin {
        since: None,
        snapshot: None,
        window: Window::default(),
    };
    match &args.which.since {
        None => {}
        Some(SinceArg::Time(time)) => {
            origin.since = Some(instant(*time, now)?);
        }
        Some(SinceArg::File(path)) => match read(path)? {
            Told::Snapshot(stored) => {
                origin.window.snapshot = Some(path.display().to_string());
                origin.window.snapshot_taken = Some(stored.taken);
                origin.snapshot = Some(stored.into_snapshot());
            }
            Told::Run(started) => {
                origin.window.run = Some(path.display().to_string());
                origin.since = Some(started);
            }
        },
    }
    let bounded = args.which.since.is_some() || args.mode.latest.is_some();
    let hours = args.which.hours.or((!bounded).then_some(USUAL_HOURS));
    if let Some(hours) = hours {
        origin.window.hours = Some(hours);
        #[allow(clippy::cast_possible_truncation)] // a cast of a float saturates
        let span = TimeDelta::try_seconds((hours * 3600.0) as i64);
        // Further back than time goes is no bound.
        let earliest = span.and_then(|span| now.checked_sub_signed(span));
        origin.since = origin.since.max(earliest);
    }
    origin.window.since = origin.since;
    Ok(origin)
}

enum Told {
    Snapshot(Stored),
    Run(DateTime<Utc>),
}

/// What of a file tells what it is.
#[derive(Deserialize)]
struct Shape {
    schema: Option<u32>,
    agxrun_snapshot: Option<String>,
    agxrun: Option<String>,
    started: Option<DateTime<Utc>>,
}

/// Reads a snapshot or a run's record.
fn read(path: &Path) -> Result<Told> {
    let shown = path.display();
    let bytes =
        file::read_bytes(path).with_context(|| format!("cannot use `{shown}` for --since"))?;
    let expected = "expected a file of `check-crashes --snapshot` or `run --json`";
    let shape: Shape = serde_json::from_slice(&bytes)
        .with_context(|| format!("`{shown}` does not say since when ({expected})"))?;
    match shape {
        Shape {
            agxrun_snapshot: Some(_),
            schema,
            ..
        } => {
            if schema != Some(STORED_SCHEMA) {
                let found = schema.map_or_else(|| "none".to_owned(), |schema| schema.to_string());
                bail!(
                    "the snapshot `{shown}` has layout {found}, and this agxrun reads {STORED_SCHEMA} \
                     (take another with --snapshot)"
                );
            }
            let stored = serde_json::from_slice(&bytes)
                .with_context(|| format!("the snapshot `{shown}` is damaged"))?;
            Ok(Told::Snapshot(stored))
        }
        Shape {
            agxrun: Some(_),
            started: Some(started),
            ..
        } => Ok(Told::Run(started)),
        _ => bail!("`{shown}` does not say since when ({expected})"),
    }
}
