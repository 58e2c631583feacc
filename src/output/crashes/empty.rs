//! What is said when nothing matched: what was asked for, where was looked, and what to try.

use super::{Answer, Question, Window, plural};
use crate::output::terminal::visible;

/// The sentence for an answer without crashes.
pub fn empty(answer: &Answer) -> String {
    let question = answer.question.as_ref();
    let what = question.map_or_else(String::new, conditions);
    let when = question.map_or_else(String::new, |question| {
        format!(" {}", since(&question.window))
    });
    let read = answer.looked_at.read.unwrap_or(0);
    let mut text = format!(
        "no crash{what}{when}: read {read} of {} in {}",
        plural(answer.total_files, "report file", "report files"),
        places(answer),
    );
    if let Some(hint) = question.and_then(|question| hint(question, answer.total_files)) {
        text.push('\n');
        text.push_str(hint);
    }
    text
}

/// The folders and the archive.
fn places(answer: &Answer) -> String {
    let folders: Vec<String> = answer
        .looked_at
        .folders
        .iter()
        .map(|path| visible(path))
        .collect();
    let archive = visible(&answer.looked_at.archive);
    if folders.is_empty() {
        return format!("the archive {archive}");
    }
    format!("{} and the archive {archive}", folders.join(", "))
}

/// ` of process a or b with signature c`.
fn conditions(question: &Question) -> String {
    let of = |label: &str, values: &[String]| match values {
        [] => String::new(),
        values => format!(" {label} {}", visible(&values.join(" or "))),
    };
    of("of process", &question.processes)
        + &of("with signature", &question.signatures)
        + &of("with fingerprint", &question.fingerprints)
}

/// `in the last 24 h`, `since ...`.
pub fn since(window: &Window) -> String {
    if let (Some(name), Some(taken)) = (&window.snapshot, window.snapshot_taken) {
        let taken = taken.format("%Y-%m-%d %H:%M:%S UTC");
        return format!("since the snapshot {} of {taken}", visible(name));
    }
    if let Some(run) = &window.run {
        return format!("since the run of {} began", visible(run));
    }
    match (window.hours, window.since) {
        (Some(hours), _) => format!("in the last {hours} h"),
        (None, Some(since)) => format!("since {}", since.format("%Y-%m-%d %H:%M:%S UTC")),
        (None, None) => "on record".to_owned(),
    }
}

fn hint(question: &Question, files: usize) -> Option<&'static str> {
    let bounded = question.window.hours.is_some() || question.window.since.is_some();
    (bounded && files > 0).then_some("--hours and --since look further back, --latest at any time")
}
