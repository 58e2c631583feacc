//! Runs at the same time share the report folders: a crash counts in the run that it belongs to, and once.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::series::Series;

const RUNS: usize = 12;
const CRASHES: u64 = 4;

/// The target: one run in three, the first of its three, does `crash`; each of the three has ended when the report is there, so that all of them
/// have seen it.
fn one_in_three(series: &Series, crash: &str) -> [String; 3] {
    let reports = series.sandbox.reports();
    let script = format!(
        "n=0; until mkdir turn.$n 2>/dev/null; do n=$((n + 1)); done; \
         [ $((n % 3)) -ne 0 ] || {{ {crash}; }}; \
         until [ $(ls '{}' | grep -c 'ips$') -gt $((n / 3)) ]; do sleep 0.01; done",
        reports.display()
    );
    ["sh".to_owned(), "-c".to_owned(), script]
}

fn crashed(runs: &[Value]) -> Vec<&Value> {
    let is_crash = |line: &&Value| line["kind"] == "crash";
    runs.iter().filter(is_crash).collect()
}

fn history(series: &Series) -> Vec<Value> {
    let lines = series.lines("archive/runs.jsonl");
    let read = |line: &String| serde_json::from_str(line).expect("a line");
    lines.iter().map(read).collect()
}

/// The evidence by which the one report that a line counts is its own.
fn evidence(line: &Value) -> Option<&str> {
    let reports = line["reports"].as_array().expect("a list").iter();
    let counted: Vec<&Value> = reports.filter(|report| report["counted"] == true).collect();
    assert_eq!(counted.len(), 1, "{line}");
    counted[0]["evidence"].as_str()
}

/// What crashes, and the evidence without and with the library.
const CRASHING: [(&str, Option<&str>, Option<&str>); 3] = [
    ("kill -SEGV $$", Some("process"), Some("process")),
    (
        "sh -c 'kill -SEGV $$'; true",
        Some("parent"),
        Some("process"),
    ),
    // The process between is gone when the report is read, and nobody knew it.
    (
        "sh -c 'sh -c \"kill -SEGV \\$\\$\"; true'; true",
        None,
        Some("process"),
    ),
];

#[test]
fn a_crash_counts_in_one_of_the_runs_that_went_on_at_the_same_time() {
    for (crash, bare, injected) in CRASHING {
        for (fix, expected) in [("--no-fix", bare), ("--fix=v3", injected)] {
            let series = Series::new();
            let runs = RUNS.to_string();
            let options = ["-n", &runs, "-j", "3", fix];
            let run = series.stress(&options, &one_in_three(&series, crash));
            run.assert_code(86);
            let told = (&run.json["rate"]["crashes"], &run.json["rate"]["runs"]);
            assert_eq!(
                told,
                (&CRASHES.into(), &RUNS.into()),
                "{crash} {fix}: {}",
                run.stderr()
            );
            let lines = run.json["runs"].as_array().expect("runs");
            for line in crashed(lines) {
                assert_eq!(evidence(line), expected, "{crash} {fix}: {line}");
            }
            // The same in the history, which the whole fleet's rates come from.
            let history = history(&series);
            assert_eq!((history.len(), crashed(&history).len()), (RUNS, 4));
            let shared = run.json["shared_reports"].as_array().expect("a list");
            assert_eq!(shared.is_empty(), expected.is_some(), "{shared:?}");
        }
    }
}

#[test]
fn a_run_that_is_held_is_not_lost_in_a_kill() {
    let series = Series::new();
    let begun = series.fifo("begun");
    let script = format!(
        "n=0; until mkdir turn.$n 2>/dev/null; do n=$((n + 1)); done; \
         if [ $n -eq 0 ]; then {}; until ls '{}' | grep -q 'ips$'; do sleep 0.01; done; exit 0; fi; \
         if [ -p begun ]; then echo $n >begun; exec sleep 600; fi",
        CRASHING[2].0,
        series.sandbox.reports().display()
    );
    let options = ["-n", "4", "-j", "2", "--no-fix"];
    let agxrun = series
        .command(&options, &["sh", "-c", &script])
        .stderr(Stdio::null())
        .spawn()
        .expect("agxrun starts");
    // Two runs wait at last: the crashing one has made room for the second of them, and went on beside the first.
    let open = || std::fs::File::open(&begun).expect("its writer has come");
    let mut alive = BufReader::new(open());
    let mut words = Vec::new();
    while words.len() < 2 {
        let mut word = String::new();
        match alive.read_line(&mut word).expect("read") {
            0 => alive = BufReader::new(open()),
            _ => words.push(word),
        }
    }
    let pid = i32::try_from(agxrun.id()).expect("a pid");
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("sent");
    let output = agxrun.wait_with_output().expect("a child");
    assert_eq!(output.status.signal(), Some(9));
    let held = series.lines("state.jsonl");
    assert_eq!(held.len(), 2);
    let held: Value = serde_json::from_str(&held[1]).expect("an entry");
    assert_eq!(held["held"], true, "{held}");
    std::fs::remove_file(&begun).expect("removed");
    let run = series.resume(&[]);
    run.assert_code(86).assert_stderr("1 of 4: 25.0 %");
    assert_eq!(run.json["resumed"], 1);
    let mut history = history(&series);
    // Of those that the kill has ended as well a line may tell.
    history.retain(|line| line["kind"] != "interrupted");
    let slots = |lines: &[&Value]| -> Vec<u64> {
        let slots = lines.iter().map(|it| it["slot"].as_u64());
        slots.map(|slot| slot.expect("a number")).collect()
    };
    // Which of the first two came first is the system's choice.
    let crashing = held["slot"]["number"].as_u64().expect("a number");
    assert_eq!(slots(&crashed(&history)), [crashing], "once");
    assert_eq!(history.len(), 4);
}

#[test]
fn beside_another_agxrun_a_loaded_library_is_no_proof() {
    let series = Series::new();
    let begun = series.fifo("begun");
    let json = series.path("beside.json");
    let run = |target: &str| {
        let mut command = series.sandbox.agxrun();
        command
            .args(["run", "--settle", "0", "--scope", "tree", "--reports-dir"])
            .arg(series.sandbox.reports())
            .arg("--archive")
            .arg(series.path("archive"))
            .stderr(Stdio::null());
        (command, ["--", "sh", "-c", target].map(str::to_owned))
    };
    let (mut beside, target) = run(&format!(
        "echo x >begun; until ls '{}' | grep -q 'ips$'; do sleep 0.01; done",
        series.sandbox.reports().display()
    ));
    let beside = beside.arg("--json").arg(&json).args(target).spawn();
    let mut beside = beside.expect("agxrun starts");
    std::fs::read_to_string(begun).expect("it has begun");
    let (mut crashing, target) = run("kill -SEGV $$");
    assert!(
        !crashing
            .args(target)
            .status()
            .expect("agxrun starts")
            .success()
    );
    beside.wait().expect("a child");
    let json = std::fs::read(json).expect("written");
    let json: Value = serde_json::from_slice(&json).expect("JSON");
    let report = &json["reports"][0];
    assert_eq!(report["attribution"], "unknown", "{report}");
    assert!(report["because"]["no_ledger"].is_number(), "{report}");
}
