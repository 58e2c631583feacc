//! `agxrun show`: one report, as a person reads it.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::defaults;
use crate::audit::explain::Explanation;
use crate::audit::report::{Audit, kept};
use crate::cli::{ShowArgs, ThreadChoice};
use crate::diagnose::FixFacts;
use crate::output::translate::{Document, Threads, TranslateOptions, raw, text_report, translate};
use crate::output::{explanation, pager, terminal};
use crate::reports::listing::{Query, list};
use crate::reports::{Kind, Report, file, find, read_file};
use crate::run::verdict::exit_code;

pub fn run(args: &ShowArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    let path = locate(args)?;
    if args.raw {
        let bytes = file::read_bytes(&path)?;
        if std::io::stdout().is_terminal() {
            print(&raw(&bytes), args.no_pager)?;
        } else {
            terminal::print_bytes(&bytes)?;
        }
        return Ok(exit_code::OK);
    }
    let report = read_file(&path)?;
    let fix = FixFacts::of(&report, None);
    for problem in &report.problems {
        terminal::warning(&format!("not everything was read: {problem}"));
    }
    let explanations = explanations(args, &report)?;
    if args.json {
        terminal::print(&Document::of(&path, &report, &fix, &explanations).text()?)?;
        return Ok(exit_code::OK);
    }
    for bypass in fix.bypasses() {
        terminal::warning(&format!("bypass seen: {bypass}"));
    }
    let options = TranslateOptions {
        threads: threads(args.thread, &report)?,
        demangle: !args.no_demangle,
    };
    let mut text = if is_text(&report) {
        let bytes = file::read_bytes(&path)?;
        text_report(&String::from_utf8_lossy(&bytes), &options)
    } else {
        translate(&report, &options)
    };
    let explained = explanation::text(&explanations);
    // Without a terminal the text goes out byte for byte.
    match pager::screen() {
        None => text += &anstream::adapter::strip_str(&explained).to_string(),
        Some(_) => text += &explained,
    }
    print(&text, args.no_pager)?;
    Ok(exit_code::OK)
}

/// What audits say of the crash: the one that is named, else those that are kept of the report's images.
fn explanations(args: &ShowArgs, report: &Report) -> Result<Vec<Explanation>> {
    let of = |audit: &Audit| -> Vec<Explanation> {
        let images = audit.images();
        images
            .filter_map(|(.., image)| Explanation::of(image, report))
            .collect()
    };
    if let Some(path) = &args.audit {
        let audit = Audit::read(path).map_err(|error| {
            anyhow::anyhow!("cannot explain by `{}`: it {error}", path.display())
        })?;
        let found = of(&audit);
        if found.is_empty() {
            terminal::warning(&format!(
                "`{}` explains nothing: it is of other builds than the report's images",
                path.display()
            ));
        }
        return Ok(found);
    }
    let Some(folder) = defaults::audits() else {
        return Ok(Vec::new());
    };
    let uuids = report
        .images
        .iter()
        .filter_map(|image| image.uuid.as_deref());
    let uuids: BTreeSet<String> = uuids.map(kept::plain_uuid).collect();
    let mut found = Vec::new();
    for uuid in uuids {
        match kept::find(&folder, &uuid) {
            Ok(audit) => found.extend(audit.iter().flat_map(of)),
            Err(error) => terminal::warning(&format!(
                "`{}` explains nothing: it {error}",
                kept::path(&folder, &uuid).display()
            )),
        }
    }
    Ok(found)
}

/// To a terminal through the pager; elsewhere to the last byte what Apple's own translation has.
fn print(text: &str, no_pager: bool) -> Result<()> {
    match pager::screen() {
        None => terminal::print_bytes(text.as_bytes())?,
        screen => pager::print(text, screen, pager::wanted(no_pager))?,
    }
    Ok(())
}

/// Whether a report is a text that its writer laid out; the reader does not keep all of that.
fn is_text(report: &Report) -> bool {
    matches!(report.kind, Kind::TextCrash | Kind::LegacyCrash)
}

/// Text reports number their threads themselves, and may leave some out.
fn threads(choice: ThreadChoice, report: &Report) -> Result<Threads> {
    let ThreadChoice::One(wanted) = choice else {
        return Ok(Threads::All);
    };
    let numbered = |id: Option<u64>| id.is_some_and(|id| usize::try_from(id) == Ok(wanted));
    let exists = if is_text(report) {
        report.threads.iter().any(|thread| numbered(thread.id))
    } else {
        wanted < report.threads.len()
    };
    if !exists {
        match report.threads.len() {
            0 => bail!("the report has no threads, so there is no thread {wanted}"),
            count => bail!("there is no thread {wanted}: the report has {count}, numbered from 0"),
        }
    }
    Ok(Threads::One(wanted))
}

/// The file that is meant.
fn locate(args: &ShowArgs) -> Result<PathBuf> {
    if args.report == "latest" {
        return latest(args);
    }
    let path = Path::new(&args.report);
    if std::fs::symlink_metadata(path).is_ok() {
        return Ok(path.to_owned());
    }
    let wanted = args.report.to_str().filter(|text| !text.is_empty());
    let Some(wanted) = wanted.filter(|text| !text.contains('/')) else {
        bail!("there is no file `{}`", path.display());
    };
    let folders = defaults::folders(&args.sources)?.folders;
    let archive = defaults::archive(args.sources.archive.clone())?;
    let found = find::find(wanted, &folders, Some(&archive));
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => bail!(
            "no report fits `{wanted}` (name a file, `latest`, an incident's id, or the beginning \
             of an id or of a file's name; `agxrun check-crashes` lists what is on record)"
        ),
        several => bail!("`{wanted}` fits {}: name one of them", listed(several)),
    }
}

fn listed(paths: &[PathBuf]) -> String {
    const SHOWN: usize = 5;
    let names = paths
        .iter()
        .take(SHOWN)
        .map(|path| format!("`{}`", path.display()));
    let mut text = format!("{} reports, ", paths.len());
    text += &names.collect::<Vec<_>>().join(", ");
    match paths.len().saturating_sub(SHOWN) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

fn latest(args: &ShowArgs) -> Result<PathBuf> {
    let folders = defaults::folders(&args.sources)?.folders;
    let archive = defaults::archive(args.sources.archive.clone())?;
    let query = Query {
        limit: Some(1),
        crashes_only: true,
        ..Query::default()
    };
    let listing = list(&folders, Some(&archive), &query, &defaults::local_time);
    for (path, reason) in &listing.unwatched {
        terminal::warning(&format!(
            "could not look into `{}`: {reason}",
            path.display()
        ));
    }
    for (_, error) in &listing.unreadable {
        terminal::warning(&error.to_string());
    }
    let newest = listing.reports.into_iter().next();
    newest
        .map(|listed| listed.path)
        .context("no crash is on record (name a file, or the folder of reports with --reports-dir)")
}
