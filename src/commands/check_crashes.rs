//! `agxrun check-crashes`: what stands in the report folders and the archive.

use anyhow::Result;
use chrono::{DateTime, Local, NaiveDateTime, TimeDelta, TimeZone, Utc};

use super::defaults;
use crate::cli::CheckCrashesArgs;
use crate::output::{crashes, terminal};
use crate::reports::ReportFolder;
use crate::reports::listing::{Query, list};
use crate::run::verdict::exit_code;

pub fn run(args: &CheckCrashesArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    let defaults::Folders { folders, named } = defaults::folders(&args.sources)?;
    let archive = defaults::archive(args.sources.archive.clone())?;
    let now = Utc::now();
    #[allow(clippy::cast_possible_truncation)] // an hour's seconds, far below the limit
    let span = TimeDelta::try_seconds((args.hours * 3600.0) as i64);
    let query = Query {
        // The newest is asked for, whenever it was.
        since: if args.latest {
            None
        } else {
            span.and_then(|span| now.checked_sub_signed(span))
        },
        limit: args.latest.then_some(1),
        crashes_only: true,
    };
    let listing = list(&folders, Some(&archive), &query, &local_time);
    for (path, reason) in &listing.unwatched {
        terminal::warning(&format!(
            "could not look into `{}`: {reason}",
            path.display()
        ));
    }
    for (_, error) in &listing.unreadable {
        terminal::warning(&terminal::visible(&error.to_string()));
    }
    let answer = crashes::Answer::of(&listing, args.latest, args.hours, now);
    if args.count {
        terminal::print(&answer.crashes.len().to_string())?;
    } else if args.json {
        terminal::print(&serde_json::to_string_pretty(&answer)?)?;
    } else {
        terminal::print(&answer.text(now))?;
    }
    // A folder that could not be read, and a file that may hold a crash, are never "no crash".
    let missing_named = named && !listing.unwatched.is_empty();
    let blind = listing.unwatched.len() >= folders.len() && !listing.unwatched.is_empty();
    if missing_named || blind && !all_missing(&folders) {
        return Ok(exit_code::FAILED);
    }
    let found = !answer.crashes.is_empty() || !listing.unreadable.is_empty();
    Ok(if args.fail && found {
        exit_code::CRASH_GATE
    } else {
        exit_code::OK
    })
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
