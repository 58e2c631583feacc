//! `agxrun doctor` on the machine that runs the tests, and what it does with bad input.

mod common;

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Output};

use common::Sandbox;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde_json::Value;

/// `agxrun doctor` in a sandbox that has its folders, a library, and nothing that changes a run.
fn doctor(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.agxrun();
    for name in ["CI", "GITHUB_ACTIONS", "VIRTUAL_ENV", "CONDA_PREFIX"] {
        command.env_remove(name);
    }
    command
        .arg("doctor")
        .arg("--reports-dir")
        .arg(sandbox.reports())
        .arg("--archive")
        .arg(sandbox.path("archive"));
    command
}

fn run(command: &mut Command) -> Output {
    command.output().expect("agxrun starts")
}

fn json(command: &mut Command) -> Value {
    let output = run(command.arg("--json"));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn findings<'a>(answer: &'a Value, check: &str) -> Vec<&'a Value> {
    answer["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|finding| finding["check"] == check)
        .collect()
}

#[test]
fn every_check_says_something_and_a_sound_machine_has_no_error() {
    let sandbox = Sandbox::new();
    let output = run(&mut doctor(&sandbox));
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        output.stderr.is_empty(),
        "{:?}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        text.lines()
            .last()
            .is_some_and(|line| line.starts_with("ok: ")),
        "{text}"
    );
    let answer = json(&mut doctor(&sandbox));
    assert_eq!(answer["schema"], 1);
    assert_eq!(answer["errors"], 0);
    for check in [
        "system",
        "library",
        "python",
        "reports",
        "disk",
        "archive",
        "variables",
        "insertion",
        "place",
    ] {
        assert!(
            !findings(&answer, check).is_empty(),
            "{check} in {answer:#}"
        );
    }
}

#[test]
fn what_is_to_be_mended_is_an_error_with_its_remedy() {
    let sandbox = Sandbox::new();
    let missing = sandbox.path("gone");
    let mut command = doctor(&sandbox);
    command
        .arg("--reports-dir")
        .arg(&missing)
        .arg("--dylib")
        .arg(sandbox.path("no.so"));
    let output = run(&mut command);
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("does not exist"), "{text}");
    assert!(text.contains("cannot read the library"), "{text}");
    assert!(text.contains("to do: create it"), "{text}");
    assert!(text.ends_with("FAILED: 2 errors, no warning\n"), "{text}");
}

#[test]
fn a_folder_that_is_none_and_an_archive_that_is_none_are_errors() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("file"), "").expect("written");
    let mut command = sandbox.agxrun();
    command.args(["doctor", "--reports-dir", "file", "--archive", "file"]);
    let answer = json(&mut command);
    for check in ["reports", "archive"] {
        assert_eq!(findings(&answer, check)[0]["level"], "error", "{answer:#}");
    }
}

/// The program that hangs holds a pipe open: it is gone when nobody writes to that any more.
#[test]
fn a_python_that_hangs_is_told_and_ended() {
    let sandbox = Sandbox::new();
    let pipe = sandbox.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let mut reader = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(&pipe)
        .expect("open at once");
    let programs = sandbox.path("bin");
    std::fs::create_dir(&programs).expect("a folder");
    let script = format!(
        "#!/bin/sh\nexec 9>'{}'\necho begun >&9\nsleep 600 &\nwait\n",
        pipe.display()
    );
    common::programs::write(&programs.join("python3"), &script);
    let path = std::env::var("PATH").expect("a PATH");
    let mut command = doctor(&sandbox);
    command.env("PATH", format!("{}:{path}", programs.display()));
    let answer = json(&mut command);
    let python = findings(&answer, "python")[0];
    assert_eq!(python["level"], "warning");
    let says = python["says"].as_str().expect("text");
    assert!(says.ends_with("did not answer within 2 s"), "{says}");
    let mut words = [0; 6];
    reader.read_exact(&mut words).expect("it began");
    let mut fds = [PollFd::new(reader.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::NONE).expect("until all writers are gone");
    assert_eq!(reader.read(&mut words).expect("the end"), 0);
}

#[test]
fn a_python_that_answers_nonsense_or_fails_is_told() {
    let sandbox = Sandbox::new();
    let programs = sandbox.path("bin");
    std::fs::create_dir(&programs).expect("a folder");
    for (script, words) in [
        ("#!/bin/sh\necho Python\n", "answered something else"),
        (
            "#!/bin/sh\nprintf 'no\\033[2J module' >&2; exit 1\n",
            "exited 1: no",
        ),
        ("#!/bin/sh\nkill -KILL $$\n", "was ended by a signal"),
        ("#!/no/such/interpreter\n", "is not there"),
    ] {
        common::programs::write(&programs.join("python3"), script);
        let mut command = doctor(&sandbox);
        // Nothing else is to be found: `python` would be another line.
        command.env("PATH", format!("{}:/bin", programs.display()));
        let answer = json(&mut command);
        let told = findings(&answer, "python").iter().any(|finding| {
            finding["level"] == "warning"
                && finding["says"]
                    .as_str()
                    .is_some_and(|says| says.contains(words))
        });
        assert!(told, "{words}: {answer:#}");
        let screen = run(doctor(&sandbox).env("PATH", format!("{}:/bin", programs.display())));
        assert!(
            !screen.stdout.contains(&0x1b),
            "{:?}",
            String::from_utf8_lossy(&screen.stdout)
        );
    }
}

#[test]
fn hostile_names_and_thousands_of_reports_are_taken() {
    let sandbox = Sandbox::new();
    let hostile = OsStr::from_bytes(b"\xff\x1b[31m\n-2026-01-02-030405.ips");
    std::fs::write(sandbox.reports().join(hostile), "").expect("written");
    for number in 0..3000 {
        let name = format!("Python-2026-01-02-030405.{number}.ips");
        std::fs::write(sandbox.reports().join(name), "").expect("written");
    }
    let output = run(doctor(&sandbox).env("AGX_FIX_VERSION", OsStr::from_bytes(b"\xff\x1b[31m")));
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(
        output.status.code(),
        Some(1),
        "the policy does not exist: {text}"
    );
    assert!(text.contains("3001 reports"), "{text}");
    assert!(text.contains("there is no such policy"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let sandbox = Sandbox::new();
    let mut command = doctor(&sandbox);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let status = command.stdout(writer).status().expect("agxrun starts");
    assert_eq!(status.code(), Some(0));
}
