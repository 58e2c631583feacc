//! `agxrun rehearse --matrix`.

mod common;

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use agxrun::reports::ReportFolder;
use agxrun::reports::watch::FolderWatch;
use common::Sandbox;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

fn matrix(sandbox: &Sandbox, options: &[&str]) -> std::process::Output {
    sandbox
        .agxrun()
        .args(["rehearse", "--matrix"])
        .args(options)
        .output()
        .expect("agxrun starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn who_fails_where_is_counted() {
    let sandbox = Sandbox::new();
    let options = ["--policies", "none,v3", "--scenarios", "leak,open-commit"];
    let output = matrix(
        &sandbox,
        &[
            &options[..],
            &["--runs", "2", "--threads", "2,4,2", "--json"],
        ]
        .concat(),
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).expect("valid JSON");
    let cells = json["cells"].as_array().expect("a list");
    assert_eq!(cells.len(), 2 * 3 * 2, "threads, rows, scenarios");
    for cell in cells {
        let aborts = cell["policy"] == "none" && cell["scenario"] == "open-commit";
        let outcome = if aborts { "crash" } else { "ok" };
        assert_eq!(cell["outcomes"], serde_json::json!({outcome: 2}), "{cell}");
        assert_eq!(
            cell["signs"].as_object().map(|it| !it.is_empty()),
            Some(aborts),
            "{cell}"
        );
    }
    let rows: Vec<_> = cells
        .iter()
        .map(|cell| cell["policy"].as_str().expect("text"))
        .collect();
    assert!(rows.contains(&"v3 --throttle 2"));
    assert!(
        json["caveat"]
            .as_str()
            .is_some_and(|it| it.contains("no evidence about Apple's driver"))
    );
}

#[test]
fn a_published_failure_that_does_not_show_is_not_as_expected() {
    let sandbox = Sandbox::new();
    // With one thread there is no race to meet.
    let options = [
        "--policies",
        "v2.2",
        "--scenarios",
        "unlocked",
        "--threads",
        "1",
    ];
    let output = matrix(&sandbox, &[&options[..], &["--runs", "1"]].concat());
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("not as expected"), "{said}");
    assert!(said.contains("v2.2 in `unlocked` should fail"), "{said}");
    assert!(said.contains("This is a model"), "{said}");
}

#[test]
fn a_run_that_does_not_end_in_time_hangs() {
    let sandbox = Sandbox::new();
    let options = [
        "--policies",
        "none",
        "--scenarios",
        "event-late",
        "--runs",
        "1",
    ];
    // The other thread's encoder is open for longer than that; without a fix the signal asserts at once.
    let output = matrix(
        &sandbox,
        &[&options[..], &["--timeout", "0.001", "--json"]].concat(),
    );
    let json: Value = serde_json::from_slice(&output.stdout).expect("valid JSON");
    let outcomes = &json["cells"][0]["outcomes"];
    assert!(
        outcomes["hang"] == 1 || outcomes["crash"] == 1,
        "{outcomes}"
    );
    let output = matrix(
        &sandbox,
        &[
            "--policies",
            "v3",
            "--scenarios",
            "event-late",
            "--runs",
            "1",
            "--timeout",
            "0.05",
            "--json",
        ],
    );
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).expect("valid JSON");
    assert_eq!(json["cells"][0]["outcomes"], serde_json::json!({"hang": 1}));
}

#[test]
fn what_steers_a_fix_library_elsewhere_does_not_reach_the_matrix() {
    let sandbox = Sandbox::new();
    let output = sandbox
        .agxrun()
        .args(["rehearse", "--matrix", "--runs", "1"])
        .args(["--policies", "v3", "--scenarios", "leak"])
        .env("AGX_FIX_DISABLE", "1")
        .env("AGX_FIX_VERSION", "v2.9")
        .env("AGX_FIX_LEDGER_DIR", sandbox.path("ledgers"))
        .output()
        .expect("agxrun starts");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!sandbox.path("ledgers").exists());
}

#[test]
fn names_that_nobody_knows_are_told() {
    let sandbox = Sandbox::new();
    for (options, code, part) in [
        (
            ["--policies", "v3,fast"],
            125,
            "there is no policy `fast` (hint: use some of none, v1,",
        ),
        (
            ["--scenarios", "sunny"],
            125,
            "there is no scenario `sunny`",
        ),
        (["--threads", "0"], 2, "0 is not in"),
        (["--threads", "-1"], 2, "-1 is not in"),
        (["--runs", "0"], 2, "0 is not in"),
        (["--timeout", "0"], 2, "expected more than 0"),
        (["--fault", "impl"], 2, "cannot be used with"),
    ] {
        let output = matrix(&sandbox, &options);
        assert_eq!(output.status.code(), Some(code), "{options:?}");
        assert!(
            text(&output.stderr).contains(part),
            "{}",
            text(&output.stderr)
        );
    }
    for options in [&["--threads", "1,2"][..], &["--runs", "3"]] {
        let output = sandbox.agxrun().arg("rehearse").args(options).output();
        assert_eq!(output.expect("agxrun starts").status.code(), Some(2));
    }
}

#[test]
fn ctrl_c_ends_the_runs_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    let temporary = sandbox.path("temporary");
    std::fs::create_dir(&temporary).expect("created");
    let mut watch = FolderWatch::new(&[ReportFolder::new(&temporary)]);
    let matrix = sandbox
        .agxrun()
        .args(["rehearse", "--matrix", "--runs", "10000"])
        .args(["--policies", "none", "--scenarios", "leak"])
        .env("TMPDIR", &temporary)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("agxrun starts");
    // The runs' folder is made after the signals are held back.
    while std::fs::read_dir(&temporary).expect("a folder").count() == 0 {
        watch.wait(Duration::from_secs(1));
    }
    let pid = Pid::from_raw(i32::try_from(matrix.id()).expect("a pid"));
    kill(pid, Signal::SIGINT).expect("sent");
    let output = matrix.wait_with_output().expect("it ends");
    assert_eq!(output.status.signal(), Some(2), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("interrupted"),
        "{}",
        text(&output.stderr)
    );
    assert!(output.stdout.is_empty());
    let left = std::fs::read_dir(&temporary).expect("a folder").count();
    assert_eq!(left, 0);
}
