//! The annotations of suites: one for each case that a reader must look at.

use std::path::Path;

use super::command::{Command, Level};
use super::step::Step;
use crate::output::ci::case::{Case, CaseResult, Problem, Suite};
use crate::output::terminal::visible;

/// Of one level, a step shows ten; further ones are dropped without a word
/// (docs.github.com, "Workflow commands", limits of annotations).
const SHOWN: usize = 10;

/// How many lines of a problem's text stand in an annotation.
const LINES: usize = 12;

/// The annotations, the errors first. Where there are more than GitHub shows, the last that it does counts the rest.
pub fn annotations(suites: &[Suite], step: &Step) -> Vec<Command> {
    let all: Vec<Command> = suites
        .iter()
        .flat_map(|suite| &suite.cases)
        .filter_map(|case| annotation(case, step))
        .collect();
    [Level::Error, Level::Warning]
        .into_iter()
        .flat_map(|level| {
            let of_level = all.iter().filter(|command| command.level == level);
            bounded(level, of_level.cloned().collect())
        })
        .collect()
}

fn bounded(level: Level, mut commands: Vec<Command>) -> Vec<Command> {
    if commands.len() > SHOWN {
        let rest = commands.split_off(SHOWN - 1);
        commands.push(Command {
            level,
            title: "agxrun".to_owned(),
            file: None,
            message: format!(
                "{} more: the step's summary and its log have them",
                rest.len()
            ),
        });
    }
    commands
}

fn annotation(case: &Case, step: &Step) -> Option<Command> {
    let (level, message) = match &case.result {
        CaseResult::Passed => return None,
        CaseResult::Failed(problem) | CaseResult::Errored(problem) => {
            (Level::Error, in_lines(problem))
        }
        CaseResult::Skipped { message } => (Level::Warning, visible(message)),
        CaseResult::Flaky { allowed, crashes } => {
            let level = if *allowed {
                Level::Warning
            } else {
                Level::Error
            };
            let text = crashes
                .first()
                .map_or(String::new(), |crash| crash.text.clone());
            let message = case.result.message();
            (
                level,
                in_lines(&Problem {
                    kind: String::new(),
                    message,
                    text,
                }),
            )
        }
    };
    Some(Command {
        level,
        title: format!("agxrun: {}: {}", case.result.word(), visible(&case.name)),
        file: case.attachments.first().and_then(|path| below(path, step)),
        message,
    })
}

/// A file of the checkout; GitHub can show no other.
fn below(path: &Path, step: &Step) -> Option<String> {
    let workspace = step.workspace.as_deref()?;
    Some(path.strip_prefix(workspace).ok()?.display().to_string())
}

fn in_lines(problem: &Problem) -> String {
    let message = visible(&problem.message);
    let lines = problem
        .text
        .lines()
        .map(visible)
        .filter(|line| *line != message);
    let mut shown: Vec<String> = std::iter::once(message.clone()).chain(lines).collect();
    if shown.len() > LINES {
        let rest = shown.split_off(LINES);
        shown.push(format!("({} more lines in the step's log)", rest.len()));
    }
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn failed(number: usize) -> Case {
        let mut case = Case::passed(format!("run {number}"), "agxrun", 1.0);
        case.result = CaseResult::Failed(Problem {
            kind: "crash".to_owned(),
            message: "crashed".to_owned(),
            text: "a\nb".to_owned(),
        });
        case.attachments = vec!["/w/crash_logs/a.ips".into()];
        case
    }

    fn suite(cases: Vec<Case>) -> Suite {
        Suite::new("x", DateTime::UNIX_EPOCH, cases)
    }

    #[test]
    fn no_more_than_github_shows_and_the_rest_is_counted() {
        let step = Step::default();
        let ten = annotations(&[suite((0..10).map(failed).collect())], &step);
        assert_eq!(ten.len(), 10);
        assert_eq!(ten[9].title, "agxrun: failed: run 9");
        let many = annotations(&[suite((0..25).map(failed).collect())], &step);
        assert_eq!(many.len(), 10);
        assert_eq!(
            many[9].message,
            "16 more: the step's summary and its log have them"
        );
    }

    #[test]
    fn errors_come_before_warnings_and_what_passed_is_not_told() {
        let mut known = Case::passed("known", "agxrun", 1.0);
        known.result = CaseResult::Skipped {
            message: "known: driver".to_owned(),
        };
        let cases = vec![Case::passed("fine", "agxrun", 1.0), known, failed(1)];
        let told = annotations(&[suite(cases)], &Step::default());
        let levels: Vec<Level> = told.iter().map(|command| command.level).collect();
        assert_eq!(levels, [Level::Error, Level::Warning]);
    }

    #[test]
    fn a_report_in_the_checkout_is_the_annotations_file() {
        let step = Step {
            workspace: Some("/w".into()),
            ..Step::default()
        };
        let told = annotations(&[suite(vec![failed(1)])], &step);
        assert_eq!(told[0].file.as_deref(), Some("crash_logs/a.ips"));
        let elsewhere = Step {
            workspace: Some("/other".into()),
            ..Step::default()
        };
        assert_eq!(
            annotations(&[suite(vec![failed(1)])], &elsewhere)[0].file,
            None
        );
    }
}
