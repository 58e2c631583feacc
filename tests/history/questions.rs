//! `agxrun history`: what it says of what was written.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use serde_json::Value;

use super::common::Sandbox;

/// A sandbox with a history of made runs: these fields over those of a real one.
struct Made {
    sandbox: Sandbox,
    like: Value,
    count: u32,
}

impl Made {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.run(&[], &["true"]).assert_code(0);
        let path = sandbox.path("archive/runs.jsonl");
        let like = fs::read_to_string(&path).expect("a line");
        fs::remove_file(path).expect("removed");
        Self {
            sandbox,
            like: serde_json::from_str(&like).expect("JSON"),
            count: 0,
        }
    }

    /// A run's line.
    fn run(&mut self, fields: Value) -> String {
        let mut line = self.like.clone();
        self.count += 1;
        line["id"] = format!("{:032x}", self.count).into();
        line["started"] = format!("2026-01-02T03:{:02}:00.000000Z", self.count).into();
        let Value::Object(fields) = fields else {
            panic!("an object")
        };
        for (name, value) in fields {
            assert!(line.get(&name).is_some(), "{name} is no field");
            line[name] = value;
        }
        format!("{line}\n")
    }

    fn write(&self, name: &str, lines: &[String]) -> PathBuf {
        let path = self.sandbox.path(name);
        fs::write(&path, lines.concat()).expect("written");
        path
    }

    fn ask(&self, options: &[&str]) -> Output {
        let history = self.sandbox.agxrun().arg("history").args(options).output();
        history.expect("agxrun starts")
    }

    /// What it prints, a line and its columns each.
    fn rows(&self, options: &[&str]) -> Vec<Vec<String>> {
        let output = self.ask(options);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let lines = text(&output.stdout);
        let columns = |line: &str| line.split("  ").map(str::to_owned).collect();
        lines.lines().map(columns).collect()
    }

    fn json(&self, options: &[&str]) -> Value {
        let output = self.ask(&[options, &["--json"]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs of two fixes on two machines.
fn fleet(made: &mut Made) -> Vec<String> {
    let mut lines = Vec::new();
    for (fix, host, kind, wall, times) in [
        ("none", "mac1", "crash", 1.0, 3),
        ("none", "mac2", "clean", 2.0, 1),
        ("v3", "mac1", "clean", 3.0, 4),
        ("v3", "mac2", "not_injected", 900.0, 2),
        ("v3", "mac2", "failure", 5.0, 1),
    ] {
        for _ in 0..times {
            lines.push(made.run(serde_json::json!({
                "fix": fix, "host": host, "kind": kind, "wall": wall,
                "crash": (kind == "crash").then_some("agx_null_pipeline"),
                "command": ["pytest", "-k", host], "series": (fix == "v3").then_some("abc123"),
            })));
        }
    }
    lines
}

#[test]
fn runs_are_listed_the_newest_first() {
    let mut made = Made::new();
    let lines = fleet(&mut made);
    made.write("archive/runs.jsonl", &lines);
    let rows = made.rows(&["archive"]);
    assert_eq!(rows.len(), 11);
    assert!(
        rows[0][0].starts_with("2026-01-02T03:11:00"),
        "{:?}",
        rows[0]
    );
    assert_eq!(rows[0][1..5], ["failure", "0", "5.000", "v3"]);
    assert_eq!(
        rows[10][5..],
        [
            "mac1",
            "00000000000000000000000000000001",
            "agx_null_pipeline",
            "pytest -k mac1"
        ]
    );
    assert_eq!(made.rows(&["archive", "-n", "2"]), rows[..2]);
}

#[test]
fn groups_have_rates_of_what_is_decided() {
    let mut made = Made::new();
    let lines = fleet(&mut made);
    made.write("runs.jsonl", &lines);
    let json = made.json(&["runs.jsonl", "--group-by", "fix"]);
    let groups = json["groups"].as_array().expect("a list");
    assert_eq!(groups.len(), 2);
    let (none, v3) = (&groups[0], &groups[1]);
    assert_eq!(none["values"], serde_json::json!({"fix": "none"}));
    assert_eq!(
        (&none["runs"], &none["decided"], &none["crashes"]),
        (&4.into(), &4.into(), &3.into())
    );
    assert_eq!(
        (&none["rate"], &none["median_wall"]),
        (&0.75.into(), &1.0.into())
    );
    // Clopper and Pearson's of 3 in 4.
    let at = |name: &str| none[name].as_f64().expect("a number");
    assert!(
        (at("low") - 0.1941).abs() < 1e-4 && (at("high") - 0.9937).abs() < 1e-4,
        "{none}"
    );
    assert_eq!(
        (&v3["runs"], &v3["decided"], &v3["crashes"]),
        (&7.into(), &5.into(), &0.into())
    );
    assert_eq!(v3["kinds"]["not_injected"], 2);
    assert_eq!(v3["median_wall"], 3.0, "of decided runs");
    let rows = made.rows(&["runs.jsonl", "--group-by", "host,fix"]);
    let keys: Vec<_> = rows.iter().map(|row| row[..5].join(" ")).collect();
    assert_eq!(
        keys,
        [
            "mac1 none 3 3 3",
            "mac1 v3 4 4 0",
            "mac2 none 1 1 0",
            "mac2 v3 3 1 0"
        ]
    );
    let days = made.rows(&["runs.jsonl", "--group-by", "day,crash"]);
    let keys: Vec<_> = days.iter().map(|row| row[..3].join(" ")).collect();
    assert_eq!(keys, ["2026-01-02 agx_null_pipeline 3", "2026-01-02 - 8"]);
}

#[test]
fn conditions_choose_runs() {
    let mut made = Made::new();
    let lines = fleet(&mut made);
    made.write("runs.jsonl", &lines);
    let count = |options: &[&str]| made.rows(&[&["runs.jsonl"], options].concat()).len();
    assert_eq!(count(&["--kind", "crash,failure"]), 4);
    assert_eq!(count(&["--kind", "not-injected"]), 2);
    assert_eq!(count(&["--command", "pytest*mac2"]), 4);
    assert_eq!(
        count(&["--command", "mac2"]),
        0,
        "the whole line has the form"
    );
    assert_eq!(count(&["--series", "abc"]), 7);
    assert_eq!(count(&["--since", "2026-01-02T03:09:00Z"]), 3);
    assert_eq!(
        count(&["--since", "2026-01-02T03:09:00Z", "--kind", "failure"]),
        1
    );
}

#[test]
fn files_of_a_fleet_are_merged_and_each_run_is_taken_once() {
    let mut made = Made::new();
    let lines = fleet(&mut made);
    made.write("one.jsonl", &lines[..7]);
    made.write("two.jsonl", &lines[5..]);
    let json = made.json(&["one.jsonl", "two.jsonl", "one.jsonl"]);
    assert_eq!(
        (&json["read"], &json["duplicates"]),
        (&11.into(), &9.into())
    );
    let runs = json["runs"].as_array().expect("a list");
    assert_eq!(runs.len(), 11);
    // Whole lines, as they were written.
    assert!(runs.iter().all(|run| run["counters"]["method_calls"] == 0));
    assert_eq!(runs[0]["started"], "2026-01-02T03:11:00.000000Z");
    let mut child = made
        .sandbox
        .agxrun()
        .args(["history", "-", "two.jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("agxrun starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(lines[..7].concat().as_bytes())
        .expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("a child");
    assert_eq!(text(&output.stdout).lines().count(), 11);
}

#[test]
fn lines_that_cannot_be_read_are_counted_and_shown() {
    let mut made = Made::new();
    let lines = fleet(&mut made);
    let newer = lines[1].replace("\"schema\":1", "\"schema\":2");
    let bad = [
        "not JSON\n".to_owned(),
        "\n".to_owned(),
        "{\"schema\": 1}\n".to_owned(),
        newer,
        "[\u{1b}[2J]\n".to_owned(),
        lines[0].clone(),
        lines[2][..40].to_owned(),
    ];
    made.write("runs.jsonl", &bad);
    let output = made.ask(&["runs.jsonl", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&json["read"], &json["bad"]), (&1.into(), &5.into()));
    let told: Vec<_> = json["bad_lines"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|bad| bad["line"].as_u64().expect("a number"))
        .collect();
    assert_eq!(told, [1, 3, 4, 5, 7]);
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("layout 2") && stderr.contains("cut off"),
        "{stderr}"
    );
    assert!(!stderr.contains('\u{1b}'), "{stderr}");
}

#[test]
fn a_history_that_is_not_there_is_no_failure_unless_it_was_named() {
    let made = Made::new();
    let output = made.ask(&[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("no runs yet"), "{output:?}");
    for named in [&["gone.jsonl"][..], &["--archive", "reports"]] {
        let output = made.ask(named);
        assert_eq!(output.status.code(), Some(125), "{output:?}");
        assert!(text(&output.stderr).contains("cannot read the history"));
    }
    // No line of it is a run, and none is of a history that was cut off or has another layout.
    made.write(
        "record.json",
        &[
            "{\n".to_owned(),
            "\"schema\": 1\n".to_owned(),
            "}\n".to_owned(),
        ],
    );
    let output = made.ask(&["record.json"]);
    assert_eq!(output.status.code(), Some(125), "{output:?}");
    let stderr = text(&output.stderr);
    assert!(stderr.contains("`record.json` is no history"), "{stderr}");
    assert_eq!(
        stderr.matches("warning: `record.json`").count(),
        1,
        "{stderr}"
    );
    for (name, line) in [
        ("torn.jsonl", "{\"schema\":1,"),
        ("newer.jsonl", "{\"schema\":2}\n"),
        ("empty.jsonl", ""),
    ] {
        made.write(name, &[line.to_owned()]);
        assert_eq!(made.ask(&[name]).status.code(), Some(0), "{name}");
    }
    for wrong in [
        &["--group-by", "moon"][..],
        &["--kind", "boom"],
        &["--since", "never"],
        &["--group-by", "fix", "-n", "2"],
        &["--group-by", "fix,host,os,kind,day"],
    ] {
        let output = made.ask(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {output:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn the_newest_are_found_among_many_in_whatever_order_they_stand() {
    let mut made = Made::new();
    let line = made.run(serde_json::json!({}));
    let moment = |second: u32| {
        format!(
            "2026-01-02T{:02}:{:02}:{:02}.000000Z",
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    };
    let count = 10_000;
    // 7919 is prime: every second once.
    let lines: Vec<String> = (0..count)
        .map(|run| {
            let id = format!("\"id\":\"{run:032x}\"");
            let line = line.replace("\"id\":\"00000000000000000000000000000001\"", &id);
            line.replace("2026-01-02T03:01:00.000000Z", &moment(run * 7919 % count))
        })
        .collect();
    made.write("many.jsonl", &lines);
    let newest: Vec<String> = made
        .rows(&["many.jsonl", "-n", "3"])
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    assert_eq!(
        newest,
        [
            "2026-01-02T02:46:39+00:00",
            "2026-01-02T02:46:38+00:00",
            "2026-01-02T02:46:37+00:00"
        ]
    );
    let json = made.json(&["many.jsonl", "-n", "2"]);
    assert_eq!(json["read"], count);
    let runs = json["runs"].as_array().expect("a list");
    let started: Vec<_> = runs.iter().map(|run| &run["started"]).collect();
    assert_eq!(started, [&moment(9999), &moment(9998)]);
}

#[test]
fn hostile_values_stay_in_their_column() {
    let mut made = Made::new();
    let line = made.run(serde_json::json!({
        "host": "a  b\tc\u{1b}[2J", "command": ["x\u{1f}", "y\u{202e}z"], "fix": "",
    }));
    made.write("runs.jsonl", &[line]);
    let rows = made.rows(&["runs.jsonl"]);
    assert_eq!((rows[0].len(), &*rows[0][4]), (9, "-"));
    let groups = made.rows(&["runs.jsonl", "--group-by", "command,host"]);
    assert_eq!(groups[0].len(), 10);
    assert!(!groups.concat().concat().contains('\u{1b}'));
}
