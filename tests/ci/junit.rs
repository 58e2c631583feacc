//! JUnit XML, of made-up suites and of real runs.

use std::path::{Path, PathBuf};

use agxrun::output::ci::{Case, CaseResult, Problem, Suite, document, write_junit};
use chrono::DateTime;
use proptest::prelude::*;

use crate::common::{Sandbox, old_report};
use crate::readers::{read, read_valid};

const CRASH: &str = "python3 -c 'import ctypes; ctypes.string_at(0)'; exit 0";

fn problem(message: &str) -> Problem {
    Problem {
        kind: "crash".to_owned(),
        message: message.to_owned(),
        text: format!("{message}\n  0  libsystem`abort <+12> & \"more\"\n"),
    }
}

fn case(name: &str, result: CaseResult) -> Case {
    let mut case = Case::passed(name, "agxrun.run", 1.25);
    case.result = result;
    case
}

fn one_of_each() -> Vec<Case> {
    let mut crashed = case("crashed", CaseResult::Failed(problem("ended by SIGSEGV")));
    crashed.attachments = vec![
        PathBuf::from("/project/crash_logs/a b.ips"),
        PathBuf::from("/elsewhere/c.ips"),
    ];
    crashed.out = String::from("some words");
    crashed.err = String::from("a warning");
    let known = CaseResult::Skipped {
        message: "known until 2027-01-01".to_owned(),
    };
    let flaky = |allowed| CaseResult::Flaky {
        allowed,
        crashes: vec![problem("first"), problem("second")],
    };
    vec![
        Case::passed("passed", "agxrun.run", 0.5),
        crashed,
        case("refused", CaseResult::Errored(problem("not found"))),
        case("known", known),
        case("flaky", flaky(false)),
        case("accepted", flaky(true)),
    ]
}

fn written(suites: &[Suite]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("junit.xml");
    write_junit(suites, &file).expect("written");
    (folder, file)
}

#[test]
fn every_kind_of_case_is_read_back_as_it_was_meant() {
    let suite = Suite::new(
        "agxrun -- python3 \"x\" <y>",
        DateTime::UNIX_EPOCH,
        one_of_each(),
    )
    .with("fix", "v3 & none");
    let (_folder, file) = written(&[
        suite.clone(),
        Suite::new("nothing", DateTime::UNIX_EPOCH, vec![]),
    ]);
    let text = std::fs::read_to_string(&file).expect("text");
    assert!(!text.contains("\"-0"), "no time has a sign: {text}");
    let read = read_valid(&file);
    assert_eq!(read["suites"][0]["name"], "agxrun -- python3 \"x\" <y>");
    assert_eq!(read["suites"][0]["properties"]["fix"], "v3 & none");
    assert_eq!(
        read["suites"][0]["counts"],
        serde_json::json!({"tests": 6, "failures": 2, "errors": 1, "skipped": 1})
    );
    let cases = read["suites"][0]["cases"].as_array().expect("cases");
    let tags: Vec<&str> = cases
        .iter()
        .map(|case| case["results"][0]["tag"].as_str().unwrap_or("-"))
        .collect();
    assert_eq!(tags, ["-", "failure", "error", "skipped", "failure", "-"]);
    assert_eq!(cases[1]["results"][0]["message"], "ended by SIGSEGV");
    assert_eq!(
        cases[1]["attachments"],
        serde_json::json!(["/project/crash_logs/a b.ips", "/elsewhere/c.ips"])
    );
    assert_eq!(cases[1]["err"], "a warning");
    assert_eq!(
        cases[4]["results"][0]["message"],
        "crashed 2 times before it passed: first"
    );
    assert_eq!(cases[5]["flaky"], serde_json::json!(["first", "second"]));
    assert_eq!(cases[0]["seconds"], 0.5);
}

#[test]
fn gitlab_gets_attachments_by_their_path_in_the_project() {
    let suite = Suite::new("x", DateTime::UNIX_EPOCH, one_of_each());
    let text = document(&[suite], Some(Path::new("/project"))).expect("a document");
    assert!(text.contains("[[ATTACHMENT|crash_logs/a b.ips]]"), "{text}");
    assert!(text.contains("[[ATTACHMENT|/elsewhere/c.ips]]"), "{text}");
}

#[test]
fn the_validator_notices_what_no_schema_has() {
    let suite = Suite::new("x", DateTime::UNIX_EPOCH, one_of_each());
    let text = document(&[suite], None).expect("a document");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("junit.xml");
    for (from, to) in [
        (
            " errors=\"1\" skipped",
            " disabled=\"1\" errors=\"1\" skipped",
        ),
        (
            "<testcase classname=\"agxrun.run\" name=\"passed\"",
            "<testcase classname=\"agxrun.run\"",
        ),
    ] {
        let damaged = text.replacen(from, to, 1);
        assert_ne!(damaged, text);
        std::fs::write(&file, damaged).expect("written");
        if let Some(flaws) = read(&file).flaws {
            assert!(!flaws.is_empty(), "{from}");
        }
    }
}

#[test]
fn a_very_long_text_keeps_its_beginning_and_its_end() {
    let mut case = case("long", CaseResult::Failed(problem("x")));
    case.out = format!("first{}last", "é".repeat(200_000));
    case.attachments = vec!["/a.ips".into()];
    let (_folder, file) = written(&[Suite::new("x", DateTime::UNIX_EPOCH, vec![case])]);
    assert!(std::fs::metadata(&file).expect("a file").len() < 100_000);
    let text = std::fs::read_to_string(&file).expect("text");
    assert!(text.contains("first") && text.contains("last") && text.contains("bytes are left out"));
    assert_eq!(
        read_valid(&file)["suites"][0]["cases"][0]["attachments"][0],
        "/a.ips"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever a target or a report says, the document is one: a reader of XML finds as many cases as there are.
    #[test]
    fn any_text_makes_a_document(
        texts in prop::collection::vec("(\\PC|[\u{0}-\u{1f}\u{7f}-\u{9f}\u{fffe}\u{ffff}]|\\]\\]>|<!--|&amp;|\u{1b}\\[31m){0,60}", 6),
        seconds in prop::num::f64::ANY,
    ) {
        let mut case = Case::passed(&texts[0], &texts[1], seconds);
        case.result = CaseResult::Failed(Problem {
            kind: texts[2].clone(),
            message: texts[3].clone(),
            text: texts[4].clone(),
        });
        case.out.clone_from(&texts[5]);
        case.err.clone_from(&texts[4]);
        let suite = Suite::new(&texts[3], DateTime::UNIX_EPOCH, vec![case]).with(&texts[2], &texts[5]);
        let text = document(&[suite], None).expect("a document");
        let mut reader = quick_xml::Reader::from_str(&text);
        let mut cases = 0;
        loop {
            match reader.read_event() {
                Ok(quick_xml::events::Event::Eof) => break,
                Ok(quick_xml::events::Event::Start(start)) => {
                    cases += usize::from(start.name().as_ref() == "testcase");
                    for attribute in start.attributes() {
                        attribute.expect("a whole attribute");
                    }
                }
                Ok(_) => {}
                Err(error) => prop_assert!(false, "{error}: {text}"),
            }
        }
        prop_assert_eq!(cases, 1);
        let is_allowed = |c: char| c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}') || matches!(c, '\t' | '\n' | '\r');
        prop_assert!(text.chars().all(is_allowed));
    }
}

#[test]
fn a_run_that_crashes_is_a_failed_case_with_its_report() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["--no-fix", "--junit", "junit.xml"], &["sh", "-c", CRASH]);
    run.assert_code(86);
    let read = read_valid(&sandbox.path("junit.xml"));
    let case = &read["suites"][0]["cases"][0];
    assert_eq!(case["results"][0]["type"], "new_reports");
    let message = case["results"][0]["message"].as_str().expect("a message");
    assert!(message.ends_with("(exit 86)"), "{message}");
    assert_eq!(case["attachments"][0], run.reports()[0]["archived"]);
    assert_eq!(read["suites"][0]["properties"]["fix"], "none");
    assert_eq!(read["suites"][0]["properties"]["exit code"], "86");
}

#[test]
fn runs_that_pass_and_fail_and_are_refused() {
    for (target, code, tag) in [
        (&["true"][..], 0, None),
        (&["sh", "-c", "exit 3"], 3, Some("failure")),
        (&["no-such-command-anywhere"], 127, Some("error")),
    ] {
        let sandbox = Sandbox::new();
        sandbox
            .run(&["--no-fix", "--junit", "junit.xml"], target)
            .assert_code(code);
        let read = read_valid(&sandbox.path("junit.xml"));
        let results = &read["suites"][0]["cases"][0]["results"];
        assert_eq!(results[0]["tag"].as_str(), tag, "{target:?}");
    }
}

#[test]
fn a_file_that_cannot_be_written_costs_no_run() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["--junit", "no/such/folder/junit.xml"], &["touch", "ran"]);
    run.assert_code(125)
        .assert_stderr("no/such/folder/junit.xml")
        .assert_stderr("--junit");
    assert!(!sandbox.path("ran").exists());
}

#[test]
fn old_reports_are_read_back_from_check_crashes() {
    let sandbox = Sandbox::new();
    std::fs::copy(old_report(), sandbox.reports().join("Python-old.ips")).expect("copied");
    let output = sandbox
        .agxrun()
        .args([
            "check-crashes",
            "--latest",
            "3",
            "--fail",
            "--junit",
            "junit.xml",
        ])
        .arg("--reports-dir")
        .arg(sandbox.reports())
        .output()
        .expect("agxrun starts");
    assert_eq!(output.status.code(), Some(86));
    let read = read_valid(&sandbox.path("junit.xml"));
    let cases = read["suites"][0]["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0]["results"][0]["tag"], "failure");
    assert_eq!(
        cases[0]["attachments"][0],
        sandbox
            .reports()
            .join("Python-old.ips")
            .display()
            .to_string()
    );
}
