//! Where lines go, and that none is lost or left by halves.

use std::fs;
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};

use agxrun::history::{Kind, RunLine};

use super::common::Sandbox;
use super::{history, lines, lines_and_bad, only};

/// A command with a shell's script before it, which ends in `exec "$@"`.
fn through(script: &str, command: &Command) -> Command {
    let mut shell = Command::new("bash");
    shell
        .args(["-c", script, "bash"])
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null());
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

/// `agxrun` in a sandbox with its folders.
fn agxrun(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.agxrun();
    command.args(["--archive", "archive", "--reports-dir", "reports"]);
    command
}

#[test]
fn parallel_runs_lose_no_line() {
    let sandbox = Sandbox::new();
    let mut runs: Vec<_> = (0..12)
        .map(|slot: u32| {
            agxrun(&sandbox)
                .args(["--series", "s", "--slot", &slot.to_string(), "--", "true"])
                .stderr(Stdio::null())
                .spawn()
                .expect("agxrun starts")
        })
        .collect();
    for run in &mut runs {
        assert!(run.wait().expect("a child").success());
    }
    let mut slots: Vec<_> = lines(&history(&sandbox))
        .into_iter()
        .filter_map(|line| line.slot)
        .collect();
    slots.sort_unstable();
    assert_eq!(slots, (0..12).collect::<Vec<_>>());
}

#[test]
fn the_line_goes_where_it_is_told_to() {
    let sandbox = Sandbox::new();
    let ran = |options: &[&str], variable: Option<&str>| {
        let mut command = agxrun(&sandbox);
        if let Some(value) = variable {
            command.env("AGXRUN_HISTORY", value);
        }
        let output = command.args(options).args(["--", "true"]).output();
        let output = output.expect("agxrun starts");
        assert!(output.status.success(), "{output:?}");
        let there = |name: &str| {
            let path = sandbox.path(name);
            let found = path.exists();
            if found {
                assert_eq!(lines(&path).len(), 1);
                fs::remove_file(path).expect("removed");
            }
            found
        };
        [
            there("archive/runs.jsonl"),
            there("a/b.jsonl"),
            there("c.jsonl"),
        ]
    };
    assert_eq!(ran(&[], None), [true, false, false]);
    assert_eq!(ran(&[], Some("")), [true, false, false]);
    assert_eq!(ran(&["--no-history"], None), [false; 3]);
    assert_eq!(ran(&["--no-history"], Some("c.jsonl")), [false; 3]);
    assert_eq!(ran(&[], Some("off")), [false; 3]);
    assert_eq!(ran(&[], Some("c.jsonl")), [false, false, true]);
    assert_eq!(
        ran(&["--history", "a/b.jsonl"], Some("off")),
        [false, true, false]
    );
    assert!(fs::remove_dir(sandbox.path("a")).is_ok());
}

#[test]
fn a_torn_line_is_left_alone_and_told() {
    let sandbox = Sandbox::new();
    let torn = r#"{"schema":1,"id":"00"#;
    fs::write(history(&sandbox), torn).expect("written");
    let run = sandbox.run(&[], &["true"]);
    run.assert_code(0).assert_stderr("in the middle of a line");
    sandbox.run(&[], &["true"]).assert_code(0);
    let (lines, bad) = lines_and_bad(&history(&sandbox));
    assert_eq!((lines.len(), bad.len(), bad[0].number), (2, 1, 1));
    let text = fs::read_to_string(history(&sandbox)).expect("text");
    assert!(text.starts_with(&format!("{torn}\n{{")), "{text}");
}

#[test]
fn what_keeps_the_line_from_being_written_is_told_and_changes_no_verdict() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("file"), "").expect("written");
    for (path, words) in [
        ("file/runs.jsonl", "file/runs.jsonl"),
        ("reports", "no regular file"),
    ] {
        let run = sandbox.run(&["--history", path], &["sh", "-c", "exit 3"]);
        run.assert_code(3)
            .assert_stderr(words)
            .assert_stderr("--history");
        let warnings = run.json["warnings"].as_array().expect("a list");
        let told = |warning: &serde_json::Value| {
            warning
                .as_str()
                .is_some_and(|text| text.contains("--history"))
        };
        assert!(warnings.iter().any(told), "{warnings:?}");
    }
    assert_eq!(fs::read(sandbox.path("file")).expect("there"), b"");
}

#[test]
fn a_full_disk_leaves_whole_lines_only() {
    let sandbox = Sandbox::new();
    let target = ["--no-fix", "--reports-dir", "reports", "--", "true"];
    let whole = || {
        let history = ["--history", "runs.jsonl"];
        let run = sandbox.agxrun().args(history).args(target).output();
        assert!(run.expect("agxrun starts").status.success());
        fs::read(sandbox.path("runs.jsonl")).expect("a line")
    };
    let before = whole();
    // The limit on the size of files, in KiB, lets a part of a second line in.
    let limit = before.len() / 1024 + 1;
    assert!(limit * 1024 < 2 * before.len(), "a part of one");
    let mut limited = sandbox.agxrun();
    limited.args(["--history", "runs.jsonl"]).args(target);
    let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$@\"");
    let mut limited = through(&script, &limited);
    let output = limited.output().expect("bash starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("no room for this run's line"), "{stderr}");
    assert_eq!(fs::read(sandbox.path("runs.jsonl")).expect("there"), before);
    whole();
    assert_eq!(lines(&sandbox.path("runs.jsonl")).len(), 2);
}

/// `agxrun OPTIONS`, its descriptor 9 the end of a pipe: what came out of it, and how agxrun ended.
fn handed(sandbox: &Sandbox, options: &[&str]) -> (String, std::process::Output) {
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let script = format!("exec 9>&{}; exec \"$@\"", writer.as_raw_fd());
    let mut agxrun = agxrun(sandbox);
    let mut sh = through(&script, agxrun.args(options));
    nix::fcntl::fcntl(
        &writer,
        nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty()),
    )
    .expect("to be inherited");
    let output = sh.output().expect("bash starts");
    drop(writer);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut reader, &mut text).expect("text");
    (text, output)
}

#[test]
fn the_line_is_handed_to_whoever_asked_and_the_target_has_no_part_in_it() {
    let sandbox = Sandbox::new();
    let (text, output) = handed(
        &sandbox,
        &[
            "--line-fd",
            "9",
            "--series",
            "s",
            "--arm",
            "v3",
            "--slot",
            "4",
            "--attempt",
            "2",
            "--",
            "sh",
            "-c",
            "(echo intruder >&9) 2>/dev/null; exit 3",
        ],
    );
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let line: RunLine = serde_json::from_str(&text).expect("one line of JSON");
    assert_eq!(text.lines().count(), 1);
    assert_eq!(line, only(&sandbox));
    let context = (
        line.series.as_deref(),
        line.arm.as_deref(),
        line.slot,
        line.attempt,
    );
    assert_eq!(context, (Some("s"), Some("v3"), Some(4), 2));
}

#[test]
fn a_run_that_was_not_launched_is_told_to_whoever_asked_alone() {
    let sandbox = Sandbox::new();
    let missing = ["--", "no-such-command-anywhere"];
    let (text, output) = handed(&sandbox, &[&["--line-fd", "9"][..], &missing].concat());
    assert_eq!(output.status.code(), Some(127));
    let line: RunLine = serde_json::from_str(&text).expect("one line of JSON");
    assert_eq!(
        (line.kind, line.verdict, line.pid),
        (Kind::Refused, 127, None)
    );
    assert!(
        line.warnings[0].contains("command not found"),
        "{:?}",
        line.warnings
    );
    assert_eq!(line, only(&sandbox));
    let status = agxrun(&sandbox)
        .args(missing)
        .output()
        .expect("agxrun starts");
    assert_eq!(status.status.code(), Some(127));
    only(&sandbox);
}

#[test]
fn a_descriptor_that_cannot_take_the_line_is_refused_before_the_run() {
    let sandbox = Sandbox::new();
    for number in ["1", "77", "-1"] {
        let option = format!("--line-fd={number}");
        let output = agxrun(&sandbox)
            .args([&*option, "--", "touch", "ran"])
            .output()
            .expect("agxrun starts");
        assert_eq!(output.status.code(), Some(125), "{output:?}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("--line-fd"), "{stderr}");
    }
    assert!(!sandbox.path("ran").exists());
}
