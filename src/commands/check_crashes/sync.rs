//! `check-crashes --sync`: the archive's summary, made anew from its files.

use anyhow::Result;

use super::progress::Progress;
use super::{Asked, print_json};
use crate::cli::CheckCrashesArgs;
use crate::output::crashes::{Kind, SyncView, plural};
use crate::output::terminal::{self, visible};
use crate::reports::archive::{SUMMARY_NAME, sync};
use crate::run::verdict::exit_code;

pub(super) fn run(args: &CheckCrashesArgs, asked: &Asked) -> Result<u8> {
    let mut answer = asked.answer(Kind::Sync);
    let summary = asked.archive.join(SUMMARY_NAME);
    let shown = visible(&asked.archive.display().to_string());
    if !asked.archive.is_dir() {
        answer.sync = Some(SyncView::default());
        if args.json {
            print_json(&answer)?;
        } else {
            terminal::print(&format!("no archive at {shown}: there is nothing to list"))?;
        }
        return Ok(exit_code::OK);
    }
    let mut progress = None;
    let synced = sync(
        &asked.archive,
        asked.threads,
        asked.now.with_timezone(&chrono::Local).fixed_offset(),
        &mut |done, all| {
            progress
                .get_or_insert_with(|| Progress::over(all))
                .set(done);
        },
    )?;
    drop(progress);
    for (_, error) in &synced.unreadable {
        terminal::warning(&error.to_string());
    }
    if let Some(aside) = &synced.set_aside {
        terminal::warning(&format!(
            "the old summary is damaged and was set aside as `{}`",
            aside.display()
        ));
    }
    answer.total_files = synced.files;
    answer.set_gaps(&synced.unreadable, &[]);
    answer.sync = Some(SyncView {
        file: Some(summary.display().to_string()),
        listed: synced.listed,
        duplicates: synced.duplicates,
        gone: synced.gone,
        set_aside: synced.set_aside.map(|path| path.display().to_string()),
    });
    if args.json {
        print_json(&answer)?;
    } else {
        let mut parts = vec![format!(
            "{} of {} in {}",
            plural(synced.listed, "entry", "entries"),
            plural(synced.files, "report file", "report files"),
            visible(&summary.display().to_string()),
        )];
        if synced.duplicates > 0 {
            let repetitions = plural(synced.duplicates, "repetition", "repetitions");
            parts.push(format!("{repetitions} dropped"));
        }
        if synced.gone > 0 {
            parts.push(format!("of {} the file has gone", synced.gone));
        }
        terminal::print(&parts.join("; "))?;
    }
    Ok(exit_code::OK)
}
