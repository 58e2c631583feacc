//! `agxrun report`: the crashes as one HTML page.

mod destination;
mod reading;
mod runs;

use anyhow::Result;
use chrono::{DateTime, Local, TimeDelta, Utc};

use super::check_crashes::moment;
use super::defaults;
use crate::cli::ReportArgs;
use crate::doctor::{self, ThisHost};
use crate::output::html::page::{Asked, FolderState, Looked, Page};
use crate::output::html::text::Text;
use crate::output::{html, terminal};
use crate::run::verdict::exit_code;
use destination::Destination;

pub fn run(args: ReportArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    let destination = Destination::open(args.output, args.force)?;
    let signatures = defaults::signatures(&args.signatures)?;
    let defaults::Folders { folders, named } = defaults::folders(&args.sources)?;
    let archive = defaults::archive(args.sources.archive)?;
    let made = Utc::now();
    let since = match &args.since {
        Some(since) => Some(moment(since, made)?),
        None => None,
    };
    let since = since.max(args.hours.and_then(|hours| ago(made, hours)));
    let question = reading::Question {
        folders: &folders,
        archive: &archive,
        since,
        named,
        processes: &args.process,
        signatures: &signatures,
    };
    let reading::Answer { gathering, looked } = reading::read(&question);
    for folder in &looked.folders {
        if let Some(reason) = folder.unread() {
            terminal::warning(&format!(
                "could not look into `{}`: {reason}",
                folder.path.as_str()
            ));
        }
    }
    for reason in &looked.unreadable {
        terminal::warning(reason.as_str());
    }
    let blind = is_blind(&looked, named);
    let (groups, systems) = gathering.finish();
    let page = Page {
        title: Text::name(&args.title),
        made,
        zone: *made.with_timezone(&Local).offset(),
        machine: doctor::machine(&ThisHost::current())
            .iter()
            .map(|sentence| Text::sentence(sentence))
            .collect(),
        systems,
        asked: Asked {
            since,
            processes: args.process.iter().map(|name| Text::name(name)).collect(),
        },
        looked,
        groups,
        runs: (!args.runs.is_empty()).then(|| runs::read(&args.runs)),
    };
    let written = destination.write(&html::render(&page))?;
    if let Some(path) = written {
        terminal::print(&format!(
            "{}: {}",
            terminal::visible(&path.to_string_lossy()),
            page.in_words()
        ))?;
    }
    Ok(if blind {
        exit_code::FAILED
    } else {
        exit_code::OK
    })
}

/// Whether what was looked at is too little for an answer: a folder that was named could not be, or
/// none that is there.
fn is_blind(looked: &Looked, named: bool) -> bool {
    let missed = looked
        .folders
        .iter()
        .any(|folder| folder.unread().is_some());
    let seen = looked
        .folders
        .iter()
        .any(|folder| folder.state == FolderState::Looked);
    missed && (named || !seen)
}

/// So many hours before a moment; `None` before all time.
fn ago(moment: DateTime<Utc>, hours: f64) -> Option<DateTime<Utc>> {
    #[allow(clippy::cast_possible_truncation)] // an `as` from a float stays within the type
    let span = TimeDelta::try_seconds((hours * 3600.0) as i64)?;
    moment.checked_sub_signed(span)
}
