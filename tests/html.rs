//! `agxrun report`: the page as a file, what it is made of, and what it never overwrites.

mod common;

use std::path::Path;
use std::process::Output;

use common::{Sandbox, in_repository};

const PUBLIC: [&str; 4] = [
    "001_Python.ips",
    "008_MotoCortex.ips",
    "012_MotoCortex.ips",
    "043_MySQLWorkbench.ips",
];

/// A sandbox with some public reports.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in PUBLIC {
        let from = in_repository("tests/data/reports").join(name);
        std::fs::copy(from, sandbox.reports().join(name)).expect("copied");
    }
    sandbox
}

fn report(sandbox: &Sandbox, options: &[&str]) -> Output {
    sandbox
        .agxrun()
        .arg("report")
        .arg("--reports-dir")
        .arg(sandbox.reports())
        .arg("--archive")
        .arg(sandbox.path("archive"))
        .args(options)
        .output()
        .expect("agxrun starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn assert_code(output: &Output, code: i32) {
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{said}\n{complained}");
}

/// The page without its tags.
fn words(page: &str) -> String {
    let tag = regex_lite::Regex::new("(?s)<style>.*?</style>|<[^>]*>").expect("valid");
    let spaces = regex_lite::Regex::new(r"\s+").expect("valid");
    spaces
        .replace_all(&tag.replace_all(page, " "), " ")
        .into_owned()
}

/// Every file of a folder, by name.
fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| text(entry.expect("an entry").file_name().as_encoded_bytes()))
        .collect();
    names.sort();
    names
}

#[test]
fn the_page_is_written_and_its_result_is_said() {
    let sandbox = sandbox();
    let before = files(sandbox.root.path());
    let output = report(&sandbox, &[]);
    assert_code(&output, 0);
    let path = sandbox.path("crashes.html");
    let said = text(&output.stdout);
    assert!(said.contains("crashes.html: 4 crashes in "), "{said}");
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    let page = std::fs::read_to_string(&path).expect("a page");
    assert!(page.starts_with("<!DOCTYPE html>"));
    assert!(words(&page).contains("4 crashes in "));
    // It is replaced by the next one, and nothing else is left beside it.
    assert_code(&report(&sandbox, &["--title", "Another"]), 0);
    let page = std::fs::read_to_string(&path).expect("a page");
    assert!(page.contains("<title>Another</title>"));
    let mut expected = before;
    expected.push("crashes.html".to_owned());
    expected.sort();
    assert_eq!(files(sandbox.root.path()), expected);
}

#[test]
fn a_file_that_is_no_page_is_left_alone() {
    let sandbox = sandbox();
    let path = sandbox.path("crashes.html");
    std::fs::write(&path, "<html>my own notes</html>").expect("written");
    let output = report(&sandbox, &[]);
    assert_code(&output, 125);
    let complaint = text(&output.stderr);
    assert!(
        complaint.contains("no page that agxrun wrote") && complaint.contains("--force"),
        "{complaint}"
    );
    assert_eq!(
        std::fs::read_to_string(&path).expect("there"),
        "<html>my own notes</html>"
    );
    assert_code(&report(&sandbox, &["--force"]), 0);
    assert!(
        std::fs::read_to_string(&path)
            .expect("there")
            .contains("4 crashes")
    );
    let output = report(&sandbox, &["-o", "reports"]);
    assert_code(&output, 125);
    assert!(text(&output.stderr).contains("is a folder"));
}

#[test]
fn a_link_stays_a_link_and_its_target_is_written() {
    let sandbox = sandbox();
    assert_code(&report(&sandbox, &["-o", "page.html"]), 0);
    std::os::unix::fs::symlink("page.html", sandbox.path("link.html")).expect("linked");
    assert_code(
        &report(&sandbox, &["-o", "link.html", "--title", "Through a link"]),
        0,
    );
    assert!(sandbox.path("link.html").is_symlink());
    let page = std::fs::read_to_string(sandbox.path("page.html")).expect("a page");
    assert!(page.contains("Through a link"));
}

#[test]
fn a_page_that_cannot_be_written_costs_the_old_one_nothing() {
    let sandbox = sandbox();
    assert_code(&report(&sandbox, &[]), 0);
    let old = std::fs::read(sandbox.path("crashes.html")).expect("a page");
    let before = files(sandbox.root.path());
    let output = sandbox
        .limited_agxrun()
        .arg("report")
        .arg("--reports-dir")
        .arg(sandbox.reports())
        .output()
        .expect("it starts");
    assert_code(&output, 125);
    assert!(text(&output.stderr).contains("cannot write the page"));
    assert_eq!(
        std::fs::read(sandbox.path("crashes.html")).expect("there"),
        old
    );
    assert_eq!(files(sandbox.root.path()), before);
}

#[test]
fn a_dash_means_stdout_and_writes_no_file() {
    let sandbox = sandbox();
    let output = report(&sandbox, &["-o", "-"]);
    assert_code(&output, 0);
    let page = text(&output.stdout);
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
    assert!(!sandbox.path("crashes.html").exists());
}

#[test]
fn what_could_not_be_read_is_named_on_the_page_and_on_stderr() {
    let sandbox = sandbox();
    std::fs::write(sandbox.reports().join("Garbage.ips"), [0_u8; 100]).expect("written");
    let output = report(&sandbox, &[]);
    assert_code(&output, 0);
    assert!(text(&output.stderr).contains("Garbage.ips"));
    let page = std::fs::read_to_string(sandbox.path("crashes.html")).expect("a page");
    assert!(
        words(&page).contains("Not all could be looked at: 1 file could not be read"),
        "{}",
        words(&page)
    );
    assert!(page.contains("Garbage.ips"));
}

#[test]
fn a_named_folder_that_is_not_there_is_125_and_the_page_tells() {
    let sandbox = sandbox();
    let missing = sandbox.path("missing");
    let output = report(&sandbox, &["--reports-dir", &missing.to_string_lossy()]);
    assert_code(&output, 125);
    assert!(text(&output.stderr).contains("missing"));
    let page = std::fs::read_to_string(sandbox.path("crashes.html")).expect("a page");
    let words = words(&page);
    assert!(words.contains("1 folder could not be read"), "{words}");
    assert!(words.contains("does not exist"), "{words}");
    // On a new machine nothing is there, and that is no crash.
    let output = sandbox
        .agxrun()
        .args(["report", "-o", "-"])
        .output()
        .expect("it starts");
    assert_code(&output, 0);
    assert!(text(&output.stdout).contains("No crash"));
}

#[test]
fn the_question_narrows_what_is_shown_and_the_rest_is_counted() {
    let sandbox = sandbox();
    let asked = |options: &[&str]| {
        let output = report(&sandbox, &[&["-o", "-"], options].concat());
        assert_code(&output, 0);
        words(&text(&output.stdout))
    };
    let motor = asked(&["--process", "Moto*"]);
    assert!(motor.contains("2 crashes in "), "{motor}");
    assert!(
        motor.contains("2 of processes that were not asked for"),
        "{motor}"
    );
    let late = asked(&["--since", "2026-01-01T00:00:00Z"]);
    assert!(
        late.contains("2 crashes in ") && late.contains("2 older than what was asked for"),
        "{late}"
    );
    // The reports were copied just now, and tell of long ago.
    let none = asked(&["--hours", "0.001"]);
    assert!(
        none.contains("No crash") && none.contains("4 report files looked at"),
        "{none}"
    );
    let output = report(&sandbox, &["--since", "soon"]);
    assert_code(&output, 2);
}

#[test]
fn an_incident_with_two_files_is_one_crash() {
    let sandbox = sandbox();
    let name = "001_Python.ips";
    std::fs::copy(
        sandbox.reports().join(name),
        sandbox.path("archive").join(name),
    )
    .expect("copied");
    let output = report(&sandbox, &["-o", "-"]);
    let words = words(&text(&output.stdout));
    assert!(words.contains("4 crashes in "), "{words}");
    assert!(
        words.contains("1 copies of a report that was read elsewhere"),
        "{words}"
    );
}

#[test]
fn the_crash_rate_comes_from_records_of_runs() {
    let sandbox = sandbox();
    let mut records = Vec::new();
    for number in 0..3 {
        let run = sandbox.run(&["--no-fix"], &["true"]);
        run.assert_code(0);
        let kept = sandbox.path(&format!("run-{number}.json"));
        std::fs::rename(sandbox.path("verdict.json"), &kept).expect("kept");
        records.push(kept);
    }
    let junk = sandbox.path("junk.json");
    std::fs::write(&junk, "{}").expect("written");
    records.push(junk);
    let records: Vec<_> = records
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    let mut options = vec!["-o", "-", "--runs"];
    options.extend(records.iter().map(String::as_str));
    let output = report(&sandbox, &options);
    assert_code(&output, 0);
    let words = words(&text(&output.stdout));
    assert!(
        words.contains("true none 0 of 3 0.0 % 0.0 % to 70.8 %"),
        "{words}"
    );
    assert!(words.contains("1 record could not be read"), "{words}");
    assert!(text(&output.stderr).contains("junk.json"));
}

#[test]
fn the_history_tells_of_the_same_runs_as_their_records() {
    let sandbox = sandbox();
    for target in ["true", "false"] {
        sandbox.run(&["--no-fix"], &[target]);
    }
    let lines = sandbox.path("archive/runs.jsonl");
    let mut text_of_lines = std::fs::read_to_string(&lines).expect("lines");
    text_of_lines.push_str("{\"schema\":1,\"id\":");
    std::fs::write(&lines, text_of_lines).expect("written");
    // The record is that of the last run.
    let output = report(
        &sandbox,
        &["-o", "-", "--runs", "archive/runs.jsonl", "verdict.json"],
    );
    assert_code(&output, 0);
    let words = words(&text(&output.stdout));
    for row in ["true none 0 of 1", "false none 0 of 1"] {
        assert!(words.contains(row), "{words}");
    }
    let stderr = text(&output.stderr);
    assert!(stderr.contains("runs.jsonl`, line 3: cut off"), "{stderr}");
}

#[test]
fn names_of_processes_and_files_are_text() {
    let sandbox = Sandbox::new();
    let hostile = "<img src=x onerror=alert(1)>";
    let report_text =
        std::fs::read_to_string(in_repository("tests/data/reports/001_Python.ips")).expect("text");
    let spoiled = report_text
        .replace("python3.12", hostile)
        .replace("\"Python\"", &format!("\"{hostile}\""));
    assert!(
        spoiled.contains(hostile),
        "the report names its process otherwise"
    );
    std::fs::write(sandbox.reports().join("<b>\u{1b}[31m.ips"), spoiled).expect("written");
    let output = report(
        &sandbox,
        &["-o", "-", "--title", "</title><script>alert(1)</script>"],
    );
    assert_code(&output, 0);
    let page = text(&output.stdout);
    for raw in ["<img", "<script", "<b>\\u", "\u{1b}"] {
        assert!(!page.contains(raw), "{raw}");
    }
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
}
