//! GitHub's workflow commands and Markdown, read back by its rules.

use std::collections::BTreeMap;

use agxrun::output::ci::github::{SUMMARY_LIMIT, Step, markdown, summary};
use agxrun::output::ci::{Case, CaseResult, Problem, Suite};
use chrono::DateTime;
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::common::{Sandbox, old_report};

const CRASH: &str = "python3 -c 'import ctypes; ctypes.string_at(0)'; exit 0";

/// A workflow command as the runner takes it apart (`ActionCommand.TryParseV2`).
#[derive(Debug, PartialEq)]
struct Command {
    name: String,
    properties: BTreeMap<String, String>,
    data: String,
}

fn commands(log: &str) -> Vec<Command> {
    log.lines().filter_map(command).collect()
}

fn command(line: &str) -> Option<Command> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (head, data) = rest.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let unescaped = |text: &str| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n");
        text.replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%25", "%")
    };
    Some(Command {
        name: name.to_owned(),
        properties: properties
            .split(',')
            .filter_map(|property| property.split_once('='))
            .map(|(key, value)| (key.to_owned(), unescaped(value)))
            .collect(),
        data: data
            .replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%25", "%"),
    })
}

/// The tables of a text, each as rows of cells, the heading first; and the text of its headings and code blocks.
#[derive(Debug, Default)]
struct Rendered {
    tables: Vec<Vec<Vec<String>>>,
    headings: Vec<String>,
    code: Vec<String>,
    html: String,
}

fn render(markdown: &str) -> Rendered {
    let mut rendered = Rendered::default();
    let mut text = String::new();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Table(_)) => rendered.tables.push(Vec::new()),
            Event::Start(Tag::TableHead | Tag::TableRow) => {
                rendered
                    .tables
                    .last_mut()
                    .expect("a table")
                    .push(Vec::new());
            }
            Event::Start(Tag::TableCell | Tag::Heading { .. } | Tag::CodeBlock(_)) => text.clear(),
            Event::End(TagEnd::TableCell) => {
                let row = rendered
                    .tables
                    .last_mut()
                    .and_then(|table| table.last_mut());
                row.expect("a row").push(std::mem::take(&mut text));
            }
            Event::End(TagEnd::Heading(_)) => rendered.headings.push(std::mem::take(&mut text)),
            Event::End(TagEnd::CodeBlock) => rendered.code.push(std::mem::take(&mut text)),
            Event::Text(part) => text.push_str(&part),
            Event::Code(part) => text.extend(["`", &*part, "`"]),
            Event::Html(part) | Event::InlineHtml(part) => rendered.html.push_str(&part),
            _ => {}
        }
    }
    rendered
}

fn failed(name: &str, message: &str, text: &str) -> Case {
    let mut case = Case::passed(name, "agxrun.run", 1.5);
    case.result = CaseResult::Failed(Problem {
        kind: "crash".to_owned(),
        message: message.to_owned(),
        text: text.to_owned(),
    });
    case
}

fn told(suites: &[Suite]) -> String {
    summary(suites, None).within(usize::MAX)
}

#[test]
fn a_run_is_annotated_and_summarised() {
    let sandbox = Sandbox::new();
    let output = sandbox
        .agxrun()
        .args([
            "run",
            "--no-fix",
            "--github",
            "--archive",
            "crash_logs",
            "--reports-dir",
        ])
        .arg(sandbox.reports())
        .args(["--", "sh", "-c", CRASH])
        .env("GITHUB_STEP_SUMMARY", sandbox.path("summary.md"))
        .env(
            "GITHUB_WORKSPACE",
            sandbox.root.path().canonicalize().expect("a folder"),
        )
        .output()
        .expect("agxrun starts");
    assert_eq!(output.status.code(), Some(86));
    let log = String::from_utf8_lossy(&output.stderr);
    let commands = commands(&log);
    assert_eq!(commands.len(), 1, "{log}");
    assert_eq!(commands[0].name, "error");
    let title = &commands[0].properties["title"];
    assert!(
        title.starts_with("agxrun: failed: sh -c python3"),
        "{title}"
    );
    assert!(
        commands[0].properties["file"].starts_with("crash_logs/"),
        "{commands:?}"
    );
    assert!(commands[0].data.contains("SIGSEGV"), "{commands:?}");
    let markdown = std::fs::read_to_string(sandbox.path("summary.md")).expect("a summary");
    let rendered = render(&markdown);
    assert_eq!(rendered.headings, [format!("agxrun: sh -c {CRASH}")]);
    assert_eq!(rendered.tables[0][0], ["result", "case", "seconds", "what"]);
    assert_eq!(rendered.tables[0][1][0], "failed");
    assert_eq!(rendered.tables[0][1][1], format!("sh -c {CRASH}"));
    assert!(rendered.code[0].contains("SIGSEGV"), "{markdown}");
}

#[test]
fn a_run_that_passes_is_not_annotated() {
    let sandbox = Sandbox::new();
    let output = sandbox
        .agxrun()
        .args(["run", "--no-fix", "--github", "--reports-dir"])
        .arg(sandbox.reports())
        .args(["--", "true"])
        .env("GITHUB_STEP_SUMMARY", sandbox.path("summary.md"))
        .output()
        .expect("agxrun starts");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(commands(&String::from_utf8_lossy(&output.stderr)), []);
    let rendered = render(&std::fs::read_to_string(sandbox.path("summary.md")).expect("a summary"));
    assert_eq!(rendered.tables[0][1][0], "passed");
}

#[test]
fn outside_of_github_it_says_so_and_the_verdict_stands() {
    let sandbox = Sandbox::new();
    let output = sandbox
        .agxrun()
        .args(["run", "--no-fix", "--github", "--reports-dir"])
        .arg(sandbox.reports())
        .args(["--", "sh", "-c", "exit 3"])
        .env_remove("GITHUB_STEP_SUMMARY")
        .output()
        .expect("agxrun starts");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("GITHUB_STEP_SUMMARY is not set"));
}

#[test]
fn crashes_that_are_found_are_annotated() {
    let sandbox = Sandbox::new();
    std::fs::copy(old_report(), sandbox.reports().join("Python-old.ips")).expect("copied");
    let output = sandbox
        .agxrun()
        .args(["check-crashes", "--latest", "--github", "--reports-dir"])
        .arg(sandbox.reports())
        .env("GITHUB_STEP_SUMMARY", sandbox.path("summary.md"))
        .output()
        .expect("agxrun starts");
    let commands = commands(&String::from_utf8_lossy(&output.stderr));
    assert_eq!(commands.len(), 1);
    let rendered = render(&std::fs::read_to_string(sandbox.path("summary.md")).expect("a summary"));
    assert!(
        rendered.tables[0][1][1].contains("(Python-old.ips)"),
        "{rendered:?}"
    );
}

#[test]
fn what_a_target_is_called_is_not_obeyed() {
    let name = "<script>x</script> | `a` **b** [c](http://d) \\| ::error::e\n### f";
    let text = "```\n</details>\n````\n| a |\n";
    let suite = Suite::new(name, DateTime::UNIX_EPOCH, vec![failed(name, name, text)]);
    let rendered = render(&told(&[suite]));
    assert_eq!(
        rendered.headings,
        [format!("agxrun: {}", name.replace('\n', " "))]
    );
    let on_one_line = name.replace('\n', "\\n");
    assert_eq!(
        rendered.tables,
        [[
            vec!["result", "case", "seconds", "what"],
            vec!["failed", &on_one_line, "1.50", &on_one_line],
        ]]
    );
    assert_eq!(rendered.code, [text]);
    assert!(!rendered.html.contains("<script"), "{}", rendered.html);
    assert_eq!(
        rendered.html.matches("</details>").count(),
        1,
        "{}",
        rendered.html
    );
}

#[test]
fn a_summary_that_is_too_long_is_cut_between_its_parts_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("summary.md");
    let step = Step {
        summary: Some(path.clone()),
        workspace: None,
    };
    let text = "x".repeat(20_000);
    let suites: Vec<Suite> = (0..60)
        .map(|number| {
            let cases = (0..110)
                .map(|case| failed(&format!("run {case} {}", "y".repeat(200)), "crashed", &text));
            Suite::new(
                format!("suite {number}"),
                DateTime::UNIX_EPOCH,
                cases.collect(),
            )
        })
        .collect();
    let long = summary(&suites, Some("own words"));
    step.append_summary(&long).expect("appended");
    let written = std::fs::read_to_string(&path).expect("a summary");
    assert!(written.len() as u64 <= SUMMARY_LIMIT, "{}", written.len());
    assert!(
        written.ends_with(
            "parts of this summary are left out: a step's summary has room for 1 MiB.\n"
        )
    );
    assert_eq!(render(&written).headings[0], "agxrun: suite 0");
    // There is no room left, and the limit stands.
    step.append_summary(&long).expect("appended");
    assert!(std::fs::metadata(&path).expect("a file").len() <= SUMMARY_LIMIT);
}

#[test]
fn what_a_command_says_itself_stands_behind_the_heading() {
    let own = markdown::table(
        &[
            ("arm", markdown::Align::Left),
            ("crashes", markdown::Align::Right),
        ],
        &[vec!["v3".to_owned(), "0".to_owned()]],
    );
    let suite = Suite::new("x", DateTime::UNIX_EPOCH, vec![failed("a", "b", "c")]);
    let rendered = render(&summary(&[suite], Some(&own)).within(usize::MAX));
    assert_eq!(rendered.tables[0], [["arm", "crashes"], ["v3", "0"]]);
    assert_eq!(rendered.tables[1].len(), 2);
}

#[test]
fn many_that_passed_are_counted_and_not_listed() {
    let mut cases: Vec<Case> = (0..500)
        .map(|run| Case::passed(format!("run {run}"), "a", 0.1))
        .collect();
    cases[250] = failed("run 250", "crashed", "");
    let rendered = render(&told(&[Suite::new("x", DateTime::UNIX_EPOCH, cases)]));
    assert_eq!(rendered.tables[0].len(), 2);
    assert_eq!(rendered.tables[0][1][1], "run 250");
}

proptest! {
    /// A cell holds what was put into it, whatever that is.
    #[test]
    fn any_text_is_one_cell(text in "(\\PC|[|\\\\`*_<>&:#~$!\\[\\](){}]){1,40}") {
        let text = text.trim().to_owned();
        prop_assume!(!text.is_empty() && !text.contains(agxrun::output::terminal::is_hidden));
        let table = markdown::table(&[("a", markdown::Align::Left), ("b", markdown::Align::Left)], &[vec![text.clone(), "end".to_owned()]]);
        let rendered = render(&table);
        prop_assert_eq!(rendered.tables.len(), 1, "{}", table);
        // Blanks at the ends of a cell are not its own, whichever kind they are.
        prop_assert_eq!(&rendered.tables[0][1], &vec![text, "end".to_owned()], "{}", table);
    }

    /// A command is one line, and says what was to be said.
    #[test]
    fn any_text_is_one_command(title in "(\\PC|[,:%\r\n]){0,30}", message in "(\\PC|[,:%\r\n]){0,60}") {
        let told = agxrun::output::ci::github::Command {
            level: agxrun::output::ci::github::Level::Warning,
            title: title.clone(),
            file: None,
            message: message.clone(),
        }
        .to_string();
        prop_assert!(!told.contains(['\r', '\n']));
        let read = command(&told).expect("a command");
        prop_assert_eq!(&read.properties["title"], &title);
        prop_assert_eq!(&read.data, &message);
    }
}
