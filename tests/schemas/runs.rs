//! What runs print, and what the history says of them.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::common::{Sandbox, old_report, workload};
use super::schema::Printed;
use super::{in_file, printed};

/// A shell's script as a target.
fn sh(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}

/// Makes a run: its record, where it wrote one.
fn record(sandbox: &Sandbox, options: &[&str], target: &[String]) -> Option<Printed> {
    let run = sandbox.run(options, target);
    let what = format!("{options:?} {target:?}");
    let record = (!run.json.is_null()).then(|| Printed::new(&what, run.json));
    // The next run may not write one.
    match std::fs::remove_file(sandbox.path("verdict.json")) {
        Err(error) if record.is_some() => panic!("{error}"),
        _ => record,
    }
}

/// The rehearsal's workload with these options.
fn rehearsed(options: &[&str]) -> Vec<String> {
    let program = workload().to_string_lossy().into_owned();
    let options = options.iter().map(|option| (*option).to_owned());
    [program, "--quiet".to_owned()]
        .into_iter()
        .chain(options)
        .collect()
}

const SOON: [&str; 5] = ["--no-fix", "--settle", "100ms", "--report-wait", "200ms"];

/// Runs of every sort in one sandbox: their records.
fn made(sandbox: &Sandbox) -> Vec<Printed> {
    let foreign = format!(
        "cp '{}' '{}/Python-copied.ips'; echo junk > '{}/Junk.ips'",
        old_report().display(),
        sandbox.reports().display(),
        sandbox.reports().display()
    );
    let flaky = "test -e again && exit 0; touch again; kill -SEGV $$";
    let baseline = sandbox.path("baseline.toml");
    let known =
        "[[crash]]\nsignature = \"double_commit\"\nreason = \"known\"\nexpires = 2999-01-01\n";
    std::fs::write(&baseline, known).expect("written");
    let tuned = ["--throttle", "2", "--lock-scope", "queue"];
    let runs: Vec<(&[&str], Vec<String>)> = vec![
        (&[], sh("true")),
        (&tuned, sh("echo words >&2; exit 3")),
        (&SOON, sh("kill -SEGV $$")),
        (
            &SOON,
            vec![
                "env".into(),
                "-i".into(),
                "sh".into(),
                "-c".into(),
                "kill -BUS $$".into(),
            ],
        ),
        (
            &["--timeout", "100ms", "--grace", "100ms"],
            sh("exec sleep 60"),
        ),
        (
            &["--timeout", "100ms", "--grace", "100ms"],
            sh("trap '' TERM; while :; do sleep 0.01; done"),
        ),
        (&["--retries", "1"], sh(flaky)),
        (&["--scope", "tree"], sh(&foreign)),
        (
            &["--no-fix", "--settle", "100ms"],
            sh("(sleep 0.3; kill -SEGV $(sh -c 'echo $PPID')) & exit 0"),
        ),
        (&[], rehearsed(&["--threads", "2"])),
        (
            &["--no-fix"],
            rehearsed(&["--threads", "4", "--fault", "impl"]),
        ),
        (
            &["--no-fix", "--baseline", "baseline.toml"],
            rehearsed(&["--threads", "4", "--fault", "double-commit"]),
        ),
        (&[], rehearsed(&["--threads", "2", "--fault", "page-fault"])),
        (
            &["--fix", "v2.9"],
            rehearsed(&["--threads", "4", "--scenario", "unseen"]),
        ),
        (&["--census"], rehearsed(&["--scenario", "parallel"])),
        (
            &["--census", "--fix", "v2.9"],
            rehearsed(&["--scenario", "unseen"]),
        ),
    ];
    let count = runs.len();
    let records: Vec<Printed> = runs
        .into_iter()
        .filter_map(|(options, target)| record(sandbox, options, &target))
        .collect();
    assert_eq!(records.len(), count, "each was launched");
    // What is not launched has no record, and so nothing to be described.
    for (options, target) in [
        (&[][..], "no-such-command"),
        (&["--dylib", "missing.so"], "true"),
    ] {
        assert!(record(sandbox, options, &[target.to_owned()]).is_none());
    }
    records
}

pub fn records() -> Vec<Printed> {
    made(&Sandbox::new())
}

/// The line of a run that `--line-fd` asked for, launched or not.
fn handed(sandbox: &Sandbox, target: &str) -> Printed {
    let agxrun = env!("CARGO_BIN_EXE_agxrun");
    let script = r#"exec 9>line; "$@"; exit 0"#;
    let mut command = Command::new("sh");
    command.args([
        "-c",
        script,
        "sh",
        agxrun,
        "--line-fd",
        "9",
        "--no-history",
        "--series",
        "0123",
        "--arm",
        "v3",
        "--slot",
        "0",
    ]);
    command.args([
        "--reports-dir",
        "reports",
        "--archive",
        "archive",
        "--",
        target,
    ]);
    let made = sandbox.agxrun();
    command.current_dir(sandbox.root.path());
    for (name, value) in made.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    assert!(command.output().expect("sh starts").status.success());
    in_file(target, &sandbox.path("line"))
}

/// Each line of a history.
fn lines_of(path: &Path) -> Vec<Printed> {
    let text = std::fs::read_to_string(path).expect("lines");
    let line = |line: &str| Printed::new(line, serde_json::from_str(line).expect("JSON"));
    text.lines().map(line).collect()
}

pub fn lines() -> Vec<Printed> {
    let sandbox = Sandbox::new();
    let runs = made(&sandbox).len();
    let mut lines = lines_of(&sandbox.path("archive/runs.jsonl"));
    // One of them was made twice.
    assert_eq!(lines.len(), runs + 1);
    lines.push(handed(&sandbox, "true"));
    lines.push(handed(&sandbox, "no-such-command"));
    lines
}

pub fn histories() -> Vec<Printed> {
    let sandbox = Sandbox::new();
    let ask = |options: &[&str]| {
        let mut agxrun = sandbox.agxrun();
        agxrun.args(["history", "--json"]).args(options);
        printed(
            &format!("{options:?}"),
            &agxrun.output().expect("agxrun starts"),
        )
    };
    let none = ask(&[]);
    made(&sandbox);
    let path = sandbox.path("archive/runs.jsonl");
    let mut text = std::fs::read_to_string(&path).expect("lines");
    text.push_str(&json!({"schema": 2}).to_string());
    text.push_str("\nno line\n{\"schema\":1,");
    std::fs::write(&path, text).expect("written");
    let archive = ["--archive", "archive"];
    vec![
        none,
        ask(&archive),
        ask(&["archive", "archive/runs.jsonl", "--since", "1h", "-n", "3"]),
        ask(&["archive", "--kind", "refused"]),
        ask(&["archive", "--group-by", "fix,signal,kind,day"]),
        ask(&["archive", "--group-by", "arm", "--since", "1h"]),
    ]
}
