//! Where somebody looks on: `--watch`, and a terminal.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use unicode_width::UnicodeWidthStr;

use crate::common::{self, Sandbox};
use crate::made::sandbox;

fn agxrun(sandbox: &Sandbox, options: &[&str]) -> Command {
    let mut command = sandbox.agxrun();
    command
        .args([
            "check-crashes",
            "--reports-dir",
            "reports",
            "--archive",
            "archive",
        ])
        .args(options);
    command
}

fn data(name: &str) -> std::path::PathBuf {
    common::in_repository("tests/data/reports").join(name)
}

/// As the system does: under a hidden name first.
fn appear(folder: &Path, name: &str) {
    let hidden = folder.join(format!(".{name}"));
    fs::copy(data(name), &hidden).expect("copied");
    fs::rename(&hidden, folder.join(name)).expect("renamed");
}

/// By TERM: where the tests run in the background of a shell, INT is ignored, and stays so.
fn end(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    kill(pid, Signal::SIGTERM).expect("sent");
}

#[test]
fn new_crashes_are_told_as_they_come_and_those_that_do_not_match_are_not() {
    let sandbox = sandbox();
    appear(&sandbox.reports(), "001_Python.ips");
    let mut child = agxrun(
        &sandbox,
        &["--watch", "--json", "--fail", "--process", "Moto*"],
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .expect("agxrun starts");
    let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    errors.read_line(&mut line).expect("text");
    assert!(line.contains("watching"), "{line}");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    appear(&sandbox.reports(), "031_qlcplus.ips");
    let schema: serde_json::Value = serde_json::from_slice(
        &agxrun(&sandbox, &["--json-schema"])
            .output()
            .expect("agxrun starts")
            .stdout,
    )
    .expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    for name in ["008_MotoCortex.ips", "012_MotoCortex.ips"] {
        appear(&sandbox.reports(), name);
        let line = lines.next().expect("a line").expect("text");
        let told: serde_json::Value = serde_json::from_str(&line).expect("one answer a line");
        assert!(schema.is_valid(&told), "{told:#}");
        let file = told["crashes"][0]["file"].as_str().expect("a file");
        assert!(file.ends_with(name), "{file}");
    }
    end(&child);
    assert_eq!(child.wait().expect("ended").code(), Some(86));
    assert!(lines.next().is_none(), "nothing else was told");
}

#[test]
fn watching_ends_when_nobody_reads_on() {
    let sandbox = sandbox();
    let mut child = agxrun(&sandbox, &["--watch", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("agxrun starts");
    let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    errors.read_line(&mut line).expect("text");
    let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
    appear(&sandbox.reports(), "001_Python.ips");
    reader.read_line(&mut line).expect("text");
    drop(reader);
    appear(&sandbox.reports(), "031_qlcplus.ips");
    assert_eq!(child.wait().expect("ended").code(), Some(0));
    let mut last = String::new();
    errors.read_to_string(&mut last).expect("text");
    assert!(last.contains("2 new reports"), "{last}");
}

#[test]
fn nothing_new_is_no_failure() {
    let sandbox = sandbox();
    let mut child = agxrun(&sandbox, &["--watch", "--fail"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("agxrun starts");
    let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    errors.read_line(&mut line).expect("text");
    assert!(line.contains("watching"), "{line}");
    end(&child);
    assert_eq!(child.wait().expect("ended").code(), Some(0));
}

/// What appears on a terminal of that size, until agxrun and its pager have ended.
fn on_terminal(mut command: Command, columns: u16, rows: u16) -> String {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let pty = openpty(Some(&size), None).expect("a terminal");
    let copy = |fd: &OwnedFd| fd.try_clone().expect("a descriptor");
    command
        .stdin(Stdio::from(copy(&pty.slave)))
        .stdout(Stdio::from(copy(&pty.slave)))
        .stderr(Stdio::from(copy(&pty.slave)));
    let mut child = command.spawn().expect("agxrun starts");
    // Ours are the only ends left here, so that reading ends with the last process.
    drop(command);
    drop(pty.slave);
    let mut master = File::from(pty.master);
    let mut text = Vec::new();
    let mut part = [0; 4096];
    // Linux says EIO where a pipe would say that it has ended.
    while let Ok(length @ 1..) = master.read(&mut part) {
        text.extend_from_slice(&part[..length]);
    }
    child.wait().expect("ended");
    String::from_utf8(text).expect("text").replace("\r\n", "\n")
}

fn some(sandbox: &Sandbox) {
    for name in [
        "001_Python.ips",
        "008_MotoCortex.ips",
        "012_MotoCortex.ips",
        "031_qlcplus.ips",
        "095_YetAnotherMac.crash",
    ] {
        fs::copy(data(name), sandbox.reports().join(name)).expect("copied");
    }
}

fn listing(sandbox: &Sandbox, options: &[&str]) -> Command {
    let mut command = agxrun(sandbox, &["--since", "2000-01-01"]);
    command
        .args(options)
        .env("TERM", "xterm")
        .env_remove("PAGER");
    command
}

#[test]
fn a_table_fits_the_terminal() {
    let sandbox = sandbox();
    some(&sandbox);
    for columns in [30, 60, 80, 120] {
        for mode in [&[][..], &["--group"]] {
            let text = on_terminal(listing(&sandbox, mode), columns, 50);
            assert!(text.contains("WHAT"), "a table: {text}");
            for line in text.lines() {
                assert!(line.width() <= columns.into(), "{columns} {mode:?}: {line}");
            }
        }
    }
}

#[test]
fn colours_are_for_people() {
    let sandbox = sandbox();
    some(&sandbox);
    let mut coloured = listing(&sandbox, &[]);
    coloured.env_remove("NO_COLOR");
    assert!(on_terminal(coloured, 80, 50).contains('\u{1b}'));
    assert!(
        !on_terminal(listing(&sandbox, &[]), 80, 50).contains('\u{1b}'),
        "NO_COLOR"
    );
    let mut piped = listing(&sandbox, &[]);
    let piped = piped
        .env_remove("NO_COLOR")
        .output()
        .expect("agxrun starts");
    assert!(!piped.stdout.contains(&0x1b));
}

#[test]
fn long_answers_go_through_the_pager_and_short_ones_do_not() {
    let sandbox = sandbox();
    some(&sandbox);
    let paged = |pager: &str, rows: u16, options: &[&str]| {
        let mut command = listing(&sandbox, options);
        command.env("AGXRUN_PAGER", pager).env("PAGER", "false");
        on_terminal(command, 80, rows)
    };
    let mark = "sed s/^/paged:/";
    let text = paged(mark, 5, &[]);
    assert_eq!(text.lines().count(), 7, "{text}");
    assert!(
        text.lines().all(|line| line.starts_with("paged:")),
        "{text}"
    );
    assert!(!paged(mark, 40, &[]).contains("paged:"), "it fits");
    assert!(!paged(mark, 5, &["--no-pager"]).contains("paged:"));
    assert!(!paged("", 5, &[]).contains("paged:"));
    assert!(!paged(mark, 5, &["--count"]).contains("paged:"));
    assert!(!paged("cat", 5, &[]).contains("paged:"));
    let told = paged("no-such-pager", 5, &[]);
    assert!(
        told.contains("cannot be started") && told.contains("MotoCortex"),
        "{told}"
    );
    // One that leaves at once has been left by its reader.
    assert!(!paged("true", 5, &[]).contains("error"));
    let mut command = listing(&sandbox, &[]);
    let piped = command
        .env("AGXRUN_PAGER", mark)
        .output()
        .expect("agxrun starts");
    let text = String::from_utf8(piped.stdout).expect("text");
    assert!(!text.contains("paged:"), "{text}");
    assert_eq!(text.lines().count(), 5, "one line a crash: {text}");
}

#[test]
fn removing_asks_whoever_sits_there() {
    let sandbox = sandbox();
    let copy = sandbox.path("archive/20250101_000000_a.ips");
    fs::copy(data("001_Python.ips"), &copy).expect("copied");
    let refused = agxrun(&sandbox, &["--clean"])
        .output()
        .expect("agxrun starts");
    assert_eq!(refused.status.code(), Some(125));
    assert!(copy.exists());
    for (answer, removed) in [("n\n", false), ("\n", false), ("y\n", true)] {
        let pty = openpty(None, None).expect("a terminal");
        let mut master = File::from(pty.master);
        std::io::Write::write_all(&mut master, answer.as_bytes()).expect("typed");
        let output = agxrun(&sandbox, &["--clean"])
            .stdin(Stdio::from(pty.slave))
            .output()
            .expect("agxrun starts");
        assert_eq!(output.status.code(), Some(0), "{answer:?}");
        assert_eq!(copy.exists(), !removed, "{answer:?}");
        let asked = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(asked.contains("remove them? [y/N]"), "{asked}");
    }
}
