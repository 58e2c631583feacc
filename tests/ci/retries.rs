//! `--retries`: a crash that later passes is flaky, and still fails.

use serde_json::Value;

use crate::common::{Run, Sandbox};
use crate::readers::read_valid;

/// Crashes so many times, then passes; each run leaves a mark.
fn flaky(crashes: usize) -> [String; 3] {
    let crash = "exec python3 -c 'import ctypes; ctypes.string_at(0)'";
    let script = format!("echo x >> runs; [ $(wc -l < runs) -gt {crashes} ] && exit 0; {crash}");
    ["sh".to_owned(), "-c".to_owned(), script]
}

fn runs(sandbox: &Sandbox) -> usize {
    let marks = std::fs::read_to_string(sandbox.path("runs"));
    marks.expect("it ran").lines().count()
}

fn run(sandbox: &Sandbox, options: &[&str], target: &[String]) -> Run {
    let all: Vec<&str> = ["--no-fix", "--junit", "junit.xml"]
        .into_iter()
        .chain(options.iter().copied())
        .collect();
    sandbox.run(&all, target)
}

fn result(sandbox: &Sandbox) -> Value {
    read_valid(&sandbox.path("junit.xml"))["suites"][0]["cases"][0].clone()
}

#[test]
fn a_crash_that_passes_later_is_flaky_and_fails_with_its_own_code() {
    let sandbox = Sandbox::new();
    let run = run(&sandbox, &["--retries", "3"], &flaky(2));
    run.assert_code(139)
        .assert_stderr("attempt 1 of 4 crashed")
        .assert_stderr("flaky: crashed in 2 of 3 attempts, and passed in the last; exit 139");
    assert_eq!(runs(&sandbox), 3, "it is not run on after it passed");
    assert_eq!(run.json["flaky"], true);
    let attempts = run.json["attempts"].as_array().expect("attempts");
    let codes: Vec<&Value> = attempts
        .iter()
        .map(|attempt| &attempt["verdict"]["exit_code"])
        .collect();
    assert_eq!(codes, [139, 139, 0]);
    assert_eq!(attempts[1]["reports"].as_array().expect("reports").len(), 1);
    // The rest is that of the attempt that decided.
    assert_eq!(run.json["verdict"]["exit_code"], 139);
    let case = result(&sandbox);
    assert_eq!(case["results"][0]["type"], "flaky");
    assert_eq!(
        case["attachments"].as_array().expect("attachments").len(),
        2
    );
}

#[test]
fn every_attempt_is_a_line_of_the_history() {
    let sandbox = Sandbox::new();
    run(&sandbox, &["--retries", "1"], &flaky(1)).assert_code(139);
    let history = std::fs::read_to_string(sandbox.path("archive/runs.jsonl")).expect("a history");
    let lines: Vec<Value> = history
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line"))
        .collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| (&line["attempt"], &line["kind"]))
        .collect();
    assert_eq!(
        told,
        [(&1.into(), &"crash".into()), (&2.into(), &"clean".into())]
    );
    assert_ne!(lines[0]["id"], lines[1]["id"]);
}

#[test]
fn a_flaky_run_is_accepted_where_that_is_asked_for() {
    let sandbox = Sandbox::new();
    let run = run(&sandbox, &["--retries", "1", "--allow-flaky"], &flaky(1));
    run.assert_code(0)
        .assert_stderr("flaky: crashed in 1 of 2 attempts");
    assert_eq!(run.json["flaky"], true);
    let case = result(&sandbox);
    assert_eq!(case["results"], serde_json::json!([]));
    assert_eq!(case["flaky"].as_array().expect("crashes").len(), 1);
}

#[test]
fn one_that_always_crashes_fails_after_the_last_attempt() {
    for options in [
        &["--retries", "1"][..],
        &["--retries", "1", "--allow-flaky"],
    ] {
        let sandbox = Sandbox::new();
        let run = run(&sandbox, options, &flaky(9));
        run.assert_code(139)
            .assert_stderr("crashed in 2 of 2 attempts; exit 139");
        assert_eq!(runs(&sandbox), 2);
        assert_eq!(run.json["flaky"], false);
        assert_eq!(result(&sandbox)["results"][0]["type"], "signal");
    }
}

#[test]
fn nothing_but_a_crash_is_tried_again() {
    for (script, options, code) in [
        ("echo x >> runs; exit 3", &["--retries", "3"][..], 3),
        ("echo x >> runs; exit 139", &["--retries", "3"], 139),
        ("echo x >> runs; kill -TERM $$", &["--retries", "3"], 143),
        (
            "echo x >> runs; sleep 60",
            &["--retries", "3", "--timeout", "0.2", "--grace", "1s"],
            124,
        ),
        ("echo x >> runs", &["--retries", "3"], 0),
    ] {
        let sandbox = Sandbox::new();
        let target = ["sh".to_owned(), "-c".to_owned(), script.to_owned()];
        run(&sandbox, options, &target).assert_code(code);
        assert_eq!(runs(&sandbox), 1, "{script}");
    }
}

#[test]
fn a_known_crash_is_not_tried_again() {
    let sandbox = Sandbox::new();
    let print = {
        let run = Sandbox::new().run(&["--no-fix"], &flaky(1));
        run.reports()[0]["fingerprint"]
            .as_str()
            .expect("a fingerprint")
            .to_owned()
    };
    let text =
        format!("[[crash]]\nfingerprint = \"{print}\"\nreason = \"x\"\nexpires = 2999-01-01\n");
    std::fs::write(sandbox.path("baseline.toml"), text).expect("written");
    run(
        &sandbox,
        &["--retries", "3", "--baseline", "baseline.toml"],
        &flaky(1),
    )
    .assert_code(0);
    assert_eq!(runs(&sandbox), 1);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let sandbox = Sandbox::new();
    for options in [
        &["--allow-flaky"][..],
        &["--retries", "-1"],
        &["--retries", "1000"],
        &["--retries", "x"],
    ] {
        sandbox.run(options, &["true"]).assert_code(2);
    }
}
