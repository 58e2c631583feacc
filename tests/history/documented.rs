//! What `docs/history.md` says of the file holds.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::Command;

use agxrun::history::Kind;
use serde_json::Value;

use super::common::{Sandbox, in_repository};
use super::history;

fn documentation() -> String {
    fs::read_to_string(in_repository("docs/history.md")).expect("the documentation")
}

/// The first cells of the tables' rows, without their quotes.
fn first_cells(text: &str) -> Vec<String> {
    let cell = |line: &str| {
        let name = line.strip_prefix("| `")?.split_once('`')?.0;
        Some(name.to_owned())
    };
    text.lines().filter_map(cell).collect()
}

/// Runs of several kinds, one of which left a report.
fn some_runs(sandbox: &Sandbox) {
    sandbox.run(&[], &["true"]).assert_code(0);
    sandbox.run(&[], &["false"]).assert_code(1);
    sandbox.run(&["--no-fix"], &["sh", "-c", "kill -SEGV $$"]);
}

#[test]
fn the_documented_fields_are_those_that_there_are() {
    let sandbox = Sandbox::new();
    some_runs(&sandbox);
    let text = fs::read_to_string(history(&sandbox)).expect("lines");
    let crash: Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
    let keys = |value: &Value, before: &str| -> Vec<String> {
        let object = value.as_object().expect("an object");
        object.keys().map(|key| format!("{before}{key}")).collect()
    };
    let mut found: BTreeSet<String> = keys(&crash, "").into_iter().collect();
    found.extend(keys(&crash["reports"][0], "reports[]."));
    let documentation = documentation();
    let (fields, kinds) = documentation.split_once("## Kinds").expect("two parts");
    let fields = first_cells(fields);
    assert_eq!(fields.len(), found.len(), "each once");
    assert_eq!(fields.into_iter().collect::<BTreeSet<_>>(), found);
    let kinds: BTreeSet<_> = first_cells(kinds).into_iter().collect();
    let known: BTreeSet<_> = Kind::ALL.map(|kind| kind.name().to_owned()).into();
    assert_eq!(kinds, known);
}

#[test]
fn whether_a_kind_is_in_a_rate_is_documented_as_it_is() {
    let documentation = documentation();
    let (_, kinds) = documentation.split_once("## Kinds").expect("two parts");
    for kind in Kind::ALL {
        let row = format!("| `{}` | ", kind.name());
        let rows: Vec<_> = kinds
            .lines()
            .filter(|line| line.starts_with(&row))
            .collect();
        let says = match (kind.is_crash(), kind.is_decided()) {
            (true, _) => "| crash |",
            (false, true) => "| run |",
            (false, false) => "| no |",
        };
        assert!(
            !rows.is_empty() && rows.iter().all(|row| row.ends_with(says)),
            "{kind}"
        );
    }
}

#[test]
fn duckdb_and_pandas_read_it_as_it_is() {
    const SKIPPED: i32 = 77;
    let sandbox = Sandbox::new();
    some_runs(&sandbox);
    let mut check = Command::new(in_repository("scripts/history-check.sh"));
    // A developer's suite asks the network for nothing; `scripts/history-check.sh --install` once, and it is asked here ever after.
    if std::env::var_os("CI").is_some() {
        check.arg("--install");
    }
    let output = check
        .arg(history(&sandbox))
        .output()
        .expect("the script starts");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    if output.status.code() == Some(SKIPPED) {
        // Past the test's own output, which nobody sees of a test that passes.
        writeln!(
            std::io::stderr(),
            "duckdb_and_pandas_read_it_as_it_is: {err}"
        )
        .expect("stderr");
        return;
    }
    assert!(output.status.success(), "{out}{err}");
    assert!(out.contains("36 columns"), "{out}");
    // The answer to the first question: fix, runs, crashes, seconds.
    let answers = |fix: &str, runs: u32, crashes: u32| {
        out.contains(&format!("| {fix} | {runs} | {crashes} | 0."))
    };
    assert!(answers("none", 1, 1) && answers("v3", 2, 0), "{out}");
}
