//! A step's summary in Markdown.

use super::markdown::{Align, escape, fenced, table};
use crate::output::ci::case::{Case, CaseResult, Suite};

/// How many cases stand in one table; those that failed come first.
const ROWS: usize = 100;

/// How many cases are told in full.
const IN_FULL: usize = 20;

/// How much of a case is told in full, in bytes.
const TEXT_LIMIT: usize = 16 * 1024;

/// A summary, in blocks that are told whole or not at all: the most important first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    blocks: Vec<String>,
}

impl Summary {
    /// As much as fits into `room` bytes; what is left out is counted.
    pub fn within(&self, room: usize) -> String {
        let whole: usize = self.blocks.iter().map(String::len).sum();
        if whole <= room {
            return self.blocks.concat();
        }
        let left_out = |blocks: usize| {
            format!(
                "\n{blocks} parts of this summary are left out: a step's summary has room for 1 MiB.\n"
            )
        };
        // The number has no more digits than that of all blocks.
        let reserved = left_out(self.blocks.len()).len();
        let mut text = String::new();
        let mut told = 0;
        for block in &self.blocks {
            if text.len() + block.len() + reserved > room {
                break;
            }
            text.push_str(block);
            told += 1;
        }
        let rest = left_out(self.blocks.len() - told);
        // A sentence that is cut off would say nothing, and too much of it would lose the whole summary.
        if text.len() + rest.len() <= room {
            text.push_str(&rest);
        }
        text
    }
}

/// The summary of suites; `markdown`, what the command has to say itself, comes behind the first heading.
pub fn summary(suites: &[Suite], markdown: Option<&str>) -> Summary {
    let mut summary = Summary::default();
    let mut own = markdown;
    for suite in suites {
        summary.blocks.push(heading(suite));
        summary
            .blocks
            .extend(own.take().map(|text| format!("{}\n\n", text.trim_end())));
        summary.blocks.extend(cases(suite));
    }
    summary.blocks.extend(own.map(str::to_owned));
    let told = suites.iter().flat_map(|suite| &suite.cases);
    let in_full: Vec<String> = told.filter_map(in_full).collect();
    let rest = in_full.len().saturating_sub(IN_FULL);
    summary.blocks.extend(in_full.into_iter().take(IN_FULL));
    if rest > 0 {
        summary
            .blocks
            .push(format!("{rest} more in the step's log.\n\n"));
    }
    summary
}

fn heading(suite: &Suite) -> String {
    let counts = [
        (suite.count(CaseResult::is_failure), "failed"),
        (suite.count(CaseResult::is_error), "could not be judged"),
        (suite.count(CaseResult::is_skipped), "not counted"),
        (suite.count(CaseResult::is_passed), "passed"),
    ];
    let told: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let told = if told.is_empty() {
        "nothing was run".to_owned()
    } else {
        told.join(", ")
    };
    let facts: Vec<String> = suite
        .properties
        .iter()
        .map(|(name, value)| format!("{} {}", escape(name), escape(value)))
        .collect();
    let facts = if facts.is_empty() {
        String::new()
    } else {
        format!("{}\n\n", facts.join(", "))
    };
    format!(
        "### agxrun: {}\n\n**{told}**\n\n{facts}",
        escape(&suite.name)
    )
}

/// The table of cases: all but those that passed, and these, too, where there are few.
fn cases(suite: &Suite) -> Option<String> {
    let passed = suite.count(CaseResult::is_passed);
    let all = suite.cases.len() <= IN_FULL;
    let mut shown: Vec<&Case> = suite
        .cases
        .iter()
        .filter(|case| all || !matches!(case.result, CaseResult::Passed))
        .collect();
    shown.sort_by_key(|case| rank(&case.result));
    let rows: Vec<Vec<String>> = shown.iter().take(ROWS).map(|case| row(case)).collect();
    if rows.is_empty() {
        return None;
    }
    let columns = [
        ("result", Align::Left),
        ("case", Align::Left),
        ("seconds", Align::Right),
        ("what", Align::Left),
    ];
    let mut parts = vec![table(&columns, &rows)];
    let unshown = shown.len() - rows.len();
    if unshown > 0 {
        parts.push(format!("{unshown} more such cases.\n"));
    }
    if !all && passed > 0 {
        parts.push(format!("Those that passed are not listed ({passed}).\n"));
    }
    Some(parts.join("\n") + "\n")
}

fn rank(result: &CaseResult) -> u8 {
    match result {
        CaseResult::Failed(_) => 0,
        CaseResult::Errored(_) => 1,
        CaseResult::Flaky { .. } => 2,
        CaseResult::Skipped { .. } => 3,
        CaseResult::Passed => 4,
    }
}

fn row(case: &Case) -> Vec<String> {
    vec![
        case.result.word().to_owned(),
        case.name.clone(),
        format!("{:.2}", case.seconds),
        case.result.message(),
    ]
}

/// A case that did not pass, folded, in full.
fn in_full(case: &Case) -> Option<String> {
    let text = match &case.result {
        CaseResult::Passed | CaseResult::Skipped { .. } => return None,
        CaseResult::Failed(problem) | CaseResult::Errored(problem) => problem.text.clone(),
        CaseResult::Flaky { crashes, .. } => {
            let texts: Vec<&str> = crashes.iter().map(|crash| &*crash.text).collect();
            texts.join("\n")
        }
    };
    if text.trim().is_empty() {
        return None;
    }
    let end = text.floor_char_boundary(TEXT_LIMIT.min(text.len()));
    // A blank line ends the HTML block, and what follows is Markdown again (CommonMark 0.31, 4.6).
    Some(format!(
        "<details><summary>{}</summary>\n\n{}\n</details>\n\n",
        html(&format!("{}: {}", case.name, case.result.message())),
        fenced(&text[..end])
    ))
}

/// Text within an HTML element on one line.
fn html(text: &str) -> String {
    crate::output::terminal::visible(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
