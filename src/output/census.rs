//! The census of a run, for people.

use super::terminal::visible;
use crate::evidence::{Calls, Census, Found, SharedBy};

/// How many methods are named before the rest is counted.
const SHOWN: usize = 4;

/// A line for each thing that was looked at.
pub fn lines(census: &Census) -> Vec<String> {
    let mut lines = vec![hooks(census), encoders(census)];
    if census.encoders.seen_late > 0 {
        lines.push(format!(
            "{} encoder(s) were first seen in the middle of their life: nobody was seen to make them",
            census.encoders.seen_late
        ));
    }
    lines.extend(census.calls.iter().map(calls));
    lines.iter().map(|line| visible(line)).collect()
}

fn hooks(census: &Census) -> String {
    if census.processes == census.missing.len() {
        return "no process took it to its end: nobody looked whether the hooks still stood"
            .to_owned();
    }
    let looked = format!(
        "{} hooked methods, {} classes with them and below",
        census.methods, census.classes
    );
    let mut found = Vec::new();
    if !census.replaced.is_empty() {
        found.push(format!(
            "{} replaced: {}",
            census.replaced.len(),
            named(&census.replaced)
        ));
    }
    if !census.late.is_empty() {
        found.push(format!(
            "{} never hooked: {}",
            census.late.len(),
            named(&census.late)
        ));
    }
    if !census.overrides.is_empty() {
        found.push(format!(
            "{} overridden out of the version's reach: {}",
            census.overrides.len(),
            named(&census.overrides)
        ));
    }
    if found.is_empty() {
        return format!("{looked}: every hook still stands");
    }
    format!("{looked}: {}", found.join("; "))
}

/// Methods with the files that have their code.
pub fn named(found: &[Found]) -> String {
    let names = found.iter().map(|it| match &it.image {
        Some(image) => format!("{} by {image}", it.method),
        None => it.method.clone(),
    });
    some_of(names)
}

fn some_of(mut names: impl Iterator<Item = String>) -> String {
    let shown: Vec<_> = names.by_ref().take(SHOWN).collect();
    match names.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn encoders(census: &Census) -> String {
    let encoders = census.encoders;
    let mut parts = vec![format!(
        "encoders shared by threads: {} of {}",
        encoders.shared(),
        encoders.all()
    )];
    if encoders.shared() > 0 {
        let most = match encoders.most_threads {
            0..=8 => format!("at most {} threads", encoders.most_threads),
            _ => "one by more than 8 threads".to_owned(),
        };
        parts.push(format!(
            " ({} by two, {} by three, {} by more; {most}), {} of them at the same time",
            encoders.two_threads,
            encoders.three_threads,
            encoders.many_threads,
            encoders.overlapped
        ));
    }
    let by = census.shared_by.iter().filter(|it| it.encoders > 0);
    let by = some_of(by.map(
        |SharedBy {
             method, encoders, ..
         }| format!("{method} ({encoders})"),
    ));
    if !by.is_empty() {
        parts.push(format!("; first in {by}"));
    }
    if encoders.unfollowed_calls > 0 {
        parts.push(format!(
            "; {} calls on encoders that could not be followed",
            encoders.unfollowed_calls
        ));
    }
    parts.concat()
}

fn calls(calls: &Calls) -> String {
    let counts = [
        (calls.seen, "seen"),
        (calls.returned, "returned"),
        (calls.threw, "left by an exception"),
        (calls.skipped, "not made"),
        (calls.unfinished, "not over at the end"),
    ];
    let told: Vec<_> = counts
        .iter()
        .enumerate()
        // What is seen and what returned is always said.
        .filter(|(place, (count, _))| *place < 2 || *count > 0)
        .map(|(_, (count, what))| format!("{count} {what}"))
        .collect();
    format!("{}: {}", calls.work.phrase(), told.join(", "))
}
