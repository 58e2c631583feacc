//! A question: which crashes there are, in a list, in full, in groups, or only how many.

use std::cmp::Reverse;

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};

use super::judge::Judge;
use super::origin::{Origin, origin};
use super::select::{Filter, Match, Seen, count, matching};
use super::{Asked, local_time, print_json};
use crate::cli::CheckCrashesArgs;
use crate::diagnose::{Groups, Signatures};
use crate::output::ci::Sinks;
use crate::output::crash::CrashView;
use crate::output::crashes::{Answer, GroupView, Kind, Question, Row, Rows};
use crate::output::{crashes, pager, terminal};
use crate::reports::listing::{Candidate, Scope, Walk, walk};
use crate::run::verdict::exit_code;

pub(super) fn run(args: &CheckCrashesArgs, asked: &Asked) -> Result<u8> {
    check_signatures(&args.which.signature, &asked.signatures)?;
    let origin = origin(args, asked.now)?;
    let files = files(asked, &origin);
    tell_gaps(&files);
    let sinks = Sinks::open(&args.ci)?;
    let mut judge = Judge::new(asked.baseline.as_deref(), asked.now, sinks.are_wanted());
    let filter = Filter {
        since: origin.since,
        processes: &args.which.process,
        signatures: &args.which.signature,
        fingerprints: &args.which.fingerprint,
        table: &asked.signatures,
    };
    let mut answer = asked.answer(Kind::of(&args.mode));
    answer.question = Some(question(args, &origin));
    answer.total_files = files.total;
    let (seen, people) = if args.mode.group {
        groups(&files, &filter, asked, &mut answer, &mut judge)
    } else if args.mode.count {
        (counted(&files, &filter, asked, &mut judge), People::Count)
    } else if args.mode.latest.is_some() || args.json {
        in_full(&files, &filter, args, asked, &mut answer, &mut judge)
    } else {
        rows(&files, &filter, asked, &mut judge)
    };
    for (_, error) in &seen.unreadable {
        terminal::warning(&terminal::visible(&error.to_string()));
    }
    answer.count.get_or_insert(seen.matched);
    answer.looked_at.read = Some(seen.read);
    answer.set_gaps(&seen.unreadable, &files.unwatched);
    answer.baseline = judge.view(filter.is_about_time_alone() && args.mode.latest.is_none());
    if args.json {
        print_json(&answer)?;
    } else {
        print(args, &answer, people, asked.now)?;
    }
    if let Some(view) = &answer.baseline {
        judge.tell(view);
    }
    // A folder that could not be read, and a file that may hold a crash, are never "no crash".
    let is_blind = asked.is_blind(&files.unwatched);
    let blind = if is_blind { &files.unwatched[..] } else { &[] };
    let failing = answer.count.unwrap_or(0).saturating_sub(judge.known());
    judge.publish(sinks, &origin.window, &seen.unreadable, blind, asked.now)?;
    if is_blind {
        return Ok(exit_code::FAILED);
    }
    let found = failing > 0 || !seen.unreadable.is_empty();
    Ok(if args.fail && found {
        exit_code::CRASH_GATE
    } else {
        exit_code::OK
    })
}

/// An id that no signature has would match nothing, for ever.
pub(super) fn check_signatures(asked: &[String], table: &Signatures) -> Result<()> {
    for id in asked {
        if id != "none" && table.get(id).is_none() {
            let ids: Vec<&str> = table.iter().map(|signature| &*signature.id).collect();
            bail!(
                "no signature is called `{id}` (there are none, {})",
                ids.join(", ")
            );
        }
    }
    Ok(())
}

fn files(asked: &Asked, origin: &Origin) -> Walk {
    let scope = match (&origin.snapshot, origin.since) {
        (Some(snapshot), _) => Scope::Changed(snapshot),
        (None, Some(since)) => Scope::Since(since),
        (None, None) => Scope::All,
    };
    walk(&asked.folders, Some(&asked.archive), scope, &local_time)
}

fn tell_gaps(files: &Walk) {
    for (path, reason) in &files.unwatched {
        terminal::warning(&format!(
            "could not look into `{}`: {reason}",
            path.display()
        ));
    }
    for path in &files.unknown {
        terminal::warning(&format!(
            "the snapshot knows nothing of `{}`: every report there counts as new",
            path.display()
        ));
    }
}

fn question(args: &CheckCrashesArgs, origin: &Origin) -> Question {
    Question {
        window: origin.window.clone(),
        latest: args.mode.latest,
        processes: args.which.process.clone(),
        signatures: args.which.signature.clone(),
        fingerprints: args.which.fingerprint.clone(),
    }
}

/// What is told to people; JSON is the answer itself.
enum People {
    InFull,
    Rows(Rows),
    Groups,
    Count,
}

/// Reports are put into their groups one by one and dropped: memory is bounded by the groups.
fn groups(
    files: &Walk,
    filter: &Filter<'_>,
    asked: &Asked,
    answer: &mut Answer,
    judge: &mut Judge<'_>,
) -> (Seen, People) {
    let mut groups = Groups::new();
    let seen = matching(files, filter, None, asked.threads, |file, found| {
        if judge.is_needed() {
            judge.take(&view(file, &found, judge), asked.now);
        }
        groups.add(&file.path, &found.report, found.diagnosis.as_ref());
    });
    answer.groups = Some(groups.finish().iter().map(GroupView::of).collect());
    (seen, People::Groups)
}

/// How many there are. Where more than their time matters, they are read whole.
fn counted(files: &Walk, filter: &Filter<'_>, asked: &Asked, judge: &mut Judge<'_>) -> Seen {
    if !judge.is_needed() {
        return count(files, filter, asked.threads);
    }
    matching(files, filter, None, asked.threads, |file, found| {
        judge.take(&view(file, &found, judge), asked.now);
    })
}

fn in_full(
    files: &Walk,
    filter: &Filter<'_>,
    args: &CheckCrashesArgs,
    asked: &Asked,
    answer: &mut Answer,
    judge: &mut Judge<'_>,
) -> (Seen, People) {
    let limit = args.mode.latest.map(|limit| limit as usize);
    let mut newest = Newest::new(limit);
    let mut seen = matching(files, filter, limit, asked.threads, |file, found| {
        newest.add(&found, view(file, &found, judge));
    });
    let views = newest.finish();
    for view in &views {
        judge.take(view, asked.now);
    }
    seen.matched = views.len();
    answer.crashes = Some(views);
    (seen, People::InFull)
}

fn rows(files: &Walk, filter: &Filter<'_>, asked: &Asked, judge: &mut Judge<'_>) -> (Seen, People) {
    let mut newest = Newest::new(None);
    let seen = matching(files, filter, None, asked.threads, |file, found| {
        let view = view(file, &found, judge);
        if judge.is_needed() {
            judge.take(&view, asked.now);
        }
        newest.add(&found, Row::of(&view));
    });
    (seen, People::Rows(Rows(newest.finish())))
}

fn view(file: &Candidate, found: &Match, judge: &Judge<'_>) -> CrashView {
    let listed = judge.look_up(&found.report, found.diagnosis.as_ref());
    CrashView::of(&file.path, &found.report, found.diagnosis.clone()).with_baseline(listed)
}

/// Puts crashes in order by their own time, the newest first.
struct Newest<T> {
    limit: usize,
    /// Reports without a time of their own keep the place of their file.
    all: Vec<(Option<DateTime<Utc>>, T)>,
}

impl<T> Newest<T> {
    fn new(limit: Option<usize>) -> Self {
        Self {
            limit: limit.unwrap_or(usize::MAX),
            all: Vec::new(),
        }
    }

    fn add(&mut self, found: &Match, told: T) {
        let time = found.report.time().map(|time| time.to_utc());
        self.all.push((time, told));
    }

    fn finish(mut self) -> Vec<T> {
        self.all.sort_by_key(|(time, ..)| Reverse(*time));
        self.all.truncate(self.limit);
        self.all.into_iter().map(|(_, told)| told).collect()
    }
}

fn print(
    args: &CheckCrashesArgs,
    answer: &Answer,
    people: People,
    now: DateTime<Utc>,
) -> Result<()> {
    if matches!(people, People::Count) {
        return Ok(terminal::print(&answer.count.unwrap_or(0).to_string())?);
    }
    let screen = pager::screen();
    if answer.count == Some(0) {
        return Ok(terminal::print(&crashes::empty(answer))?);
    }
    let width = screen.map(|screen| screen.width);
    let text = match people {
        People::Rows(rows) => rows.text(answer, width, now),
        People::Groups => crashes::groups_text(answer, width, now),
        People::InFull | People::Count => answer.in_full(now),
    };
    Ok(pager::print(&text, screen, pager::wanted(args.no_pager))?)
}
