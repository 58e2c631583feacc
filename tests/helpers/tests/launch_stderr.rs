//! stderr passes through unchanged, whatever it is, and is read on the way.

mod common;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Run, code, text, wait_for};
use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// Writes to a pipe until nobody reads it, then ends.
const ENDLESS: &str = "while echo x >&2 2>/dev/null; do :; done; exit 4";

#[test]
fn a_pipe_is_passed_on_and_read() {
    let run = Run::new();
    let output = run.sh("echo out; echo err >&2; printf '1%%\\r2%%\\rlast' >&2");
    assert_eq!(text(&output.stdout), "out\n");
    assert_eq!(text(&output.stderr), "err\n1%\r2%\rlast");
    let outcome = run.outcome();
    assert_eq!(outcome.get("kind"), "Pipe");
    assert_eq!(outcome.get("bytes"), "14");
    assert_eq!(outcome.all("line"), ["err", "1%", "2%", "last"]);
    assert_eq!(outcome.get("copier"), "None");
}

#[test]
fn a_socket_is_passed_on_and_read() {
    let run = Run::new();
    let (mut ours, theirs) = std::os::unix::net::UnixStream::pair().expect("a socket pair");
    let mut command = run.command(&["/bin/sh", "-c", "echo one >&2; echo two >&2; exit 3"]);
    command.stderr(std::os::fd::OwnedFd::from(theirs));
    let status = command.status().expect("it starts");
    // Our copy of the other end, without which the end can be read.
    drop(command);
    let mut seen = String::new();
    ours.read_to_string(&mut seen).expect("text");
    assert_eq!(status.code(), Some(3));
    assert_eq!(seen, "one\ntwo\n");
    let outcome = run.outcome();
    assert_eq!(outcome.get("kind"), "Pipe");
    assert_eq!(outcome.all("line"), ["one", "two"]);
}

#[test]
fn one_pipe_for_both_keeps_the_order() {
    let run = Run::new();
    let (mut read, write) = std::io::pipe().expect("a pipe");
    let mut child = {
        let mut command = run.command(&[
            "/bin/bash",
            "-c",
            "for ((i = 0; i < 5000; i++)); do echo out $i; echo err $i >&2; done",
        ]);
        command
            .stdout(write.try_clone().expect("a copy"))
            .stderr(write);
        command.spawn().expect("it starts")
        // Dropping the command closes our copies, so that the end can be read.
    };
    let mut seen = String::new();
    read.read_to_string(&mut seen).expect("text");
    assert!(child.wait().expect("it ends").success());
    let mut expected = String::new();
    for i in 0..5000 {
        writeln!(expected, "out {i}\nerr {i}").expect("memory");
    }
    assert!(seen == expected, "the order of 10,000 lines changed");
    assert_eq!(run.outcome().get("kind"), "PipeWithStdout");
}

#[test]
fn a_file_is_written_directly_and_read_back() {
    for append in [false, true] {
        let run = Run::new();
        let path = run.folder().join("log");
        std::fs::write(&path, "before\n").expect("it can be written");
        let mut log = File::options()
            .append(append)
            .write(true)
            .open(&path)
            .expect("it opens");
        log.seek(SeekFrom::End(0)).expect("it seeks");
        let status = run
            .command(&["/bin/sh", "-c", "echo one >&2; echo two >&2"])
            .stderr(log)
            .status()
            .expect("it starts");
        assert!(status.success());
        let contents = std::fs::read_to_string(&path).expect("it can be read");
        assert_eq!(contents, "before\none\ntwo\n");
        let outcome = run.outcome();
        assert_eq!(outcome.get("kind"), "File");
        assert_eq!(outcome.all("line"), ["one", "two"]);
        assert!(outcome.all("problem").is_empty());
    }
}

#[test]
fn a_truncated_file_is_a_problem_told() {
    let run = Run::new();
    let path = run.folder().join("log");
    std::fs::write(&path, "before\n").expect("it can be written");
    let log = File::options().append(true).open(&path).expect("it opens");
    let status = run
        .command(&["/bin/sh", "-c", ": > \"$0\""])
        .arg(&path)
        .stderr(log)
        .status()
        .expect("it starts");
    assert!(status.success());
    assert!(run.outcome().get("problem").contains("truncated"));
}

#[test]
fn the_null_device_is_passed_on() {
    let run = Run::new();
    let output = run
        .command(&["/bin/sh", "-c", "readlink /proc/self/fd/2"])
        .stderr(Stdio::null())
        .stdout(Stdio::piped())
        .output()
        .expect("it starts");
    assert_eq!(text(&output.stdout), "/dev/null\n");
    let outcome = run.outcome();
    assert_eq!(outcome.get("kind"), "Device");
    assert!(outcome.all("problem").is_empty(), "it was chosen");
}

#[test]
fn closed_descriptors_stay_closed() {
    for closed in [vec![0], vec![1], vec![2], vec![0, 1, 2]] {
        let run = Run::new();
        let list = run.folder().join("list");
        let script = format!(
            "exec 9> {}; for fd in 0 1 2; do [ -e /proc/$$/fd/$fd ] || echo $fd >&9; done",
            list.display()
        );
        let mut command = run.command(&["/bin/sh", "-c", &script]);
        let to_close = closed.clone();
        // SAFETY: close is async-signal-safe.
        unsafe {
            command.pre_exec(move || {
                for fd in &to_close {
                    libc::close(*fd);
                }
                Ok(())
            });
        }
        command.status().expect("it starts");
        let found: Vec<i32> = std::fs::read_to_string(&list)
            .expect("the target ran")
            .lines()
            .map(|line| line.parse().expect("a number"))
            .collect();
        assert_eq!(found, closed);
        if closed.contains(&2) {
            assert_eq!(run.outcome().get("kind"), "Closed");
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_felt() {
    let run = Run::new();
    let mut child = run
        .command(&["/bin/sh", "-c", &format!("trap '' PIPE; {ENDLESS}")])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stderr = child.stderr.take().expect("a pipe");
    stderr.read_exact(&mut [0; 2]).expect("a line");
    drop(stderr);
    assert_eq!(child.wait().expect("it ends").code(), Some(4));
    let run = Run::new();
    let mut child = run
        .command(&["/bin/sh", "-c", ENDLESS])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stderr.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(128 + 13));
}

#[test]
fn a_hundred_megabytes_cost_no_memory() {
    let run = Run::new();
    let mut command = run.command(&[
        "/bin/sh",
        "-c",
        "head -c 104857600 /dev/zero >&2; grep VmHWM /proc/$PPID/status",
    ]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stderr = child.stderr.take().expect("a pipe");
    let copied = std::io::copy(&mut stderr, &mut std::io::sink()).expect("it reads");
    assert_eq!(copied, 100 * 1024 * 1024);
    let output = child.wait_with_output().expect("it ends");
    let peak: u64 = text(&output.stdout)
        .split_ascii_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .expect("VmHWM in KiB");
    assert!(peak < 16 * 1024, "peak memory {peak} KiB");
    assert_eq!(run.outcome().get("bytes"), "104857600");
}

#[test]
fn a_reader_that_does_not_read_holds_the_target_back_and_not_the_timeout() {
    let run = Run::new().option("--timeout", "200ms");
    let mut child = run
        .command(&["/bin/sh", "-c", "exec yes >&2"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stderr = child.stderr.take().expect("a pipe");
    // `setsid` has become the supervisor: it leads no group, so it does not fork.
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let targets = || std::fs::read_to_string(&children).expect("the supervisor lives");
    wait_for("the target", || (!targets().is_empty()).then_some(()));
    wait_for("its end by the time-out", || {
        targets().is_empty().then_some(())
    });
    // What it wrote until then is still delivered to a reader that comes late.
    let mut all = Vec::new();
    stderr.read_to_end(&mut all).expect("it reads");
    assert_eq!(child.wait().expect("it ends").code(), Some(124));
    assert!(all.len() >= 64 * 1024, "{} bytes", all.len());
    assert!(all.len() < 1024 * 1024, "{} bytes", all.len());
    assert_eq!(run.outcome().get("bytes"), all.len().to_string());
}

#[test]
fn a_daemon_left_behind_keeps_its_stderr() {
    let run = Run::new();
    let folder = run.folder().to_owned();
    let gate = folder.join("gate");
    nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    let script = format!(
        "(setsid sh -c 'echo $$ > {2}; read _ < {0}; echo late >&2; echo $? > {1}' >/dev/null </dev/null &) ; \
         echo early >&2; exit 6",
        gate.display(),
        folder.join("said").display(),
        folder.join("pid").display(),
    );
    let mut child = run
        .command(&["/bin/sh", "-c", &script])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // The end comes although the daemon lives and holds stderr.
    assert_eq!(child.wait().expect("it ends").code(), Some(6));
    let outcome = run.outcome();
    let daemon = wait_for("the daemon's pid", || {
        let pid = std::fs::read_to_string(folder.join("pid")).ok()?;
        pid.strip_suffix('\n').map(str::to_owned)
    });
    assert_eq!(outcome.get("left_behind"), format!("[{daemon}]"));
    assert!(outcome.get("copier").starts_with("Some("));
    let mut stderr = child.stderr.take().expect("a pipe");
    let mut early = [0; 6];
    stderr.read_exact(&mut early).expect("it was copied");
    assert_eq!(&early, b"early\n");
    File::options()
        .write(true)
        .open(&gate)
        .and_then(|mut gate| gate.write_all(b"go\n"))
        .expect("the daemon waits");
    let mut late = String::new();
    stderr.read_to_string(&mut late).expect("it reads");
    assert_eq!(late, "late\n");
    let said = wait_for("what the daemon saw", || {
        std::fs::read_to_string(folder.join("said"))
            .ok()
            .filter(|s| !s.is_empty())
    });
    assert_eq!(said, "0\n");
}

#[test]
fn a_daemon_that_never_pauses_does_not_hold_the_run() {
    let run = Run::new();
    let mut child = run
        .command(&["/bin/sh", "-c", "setsid yes >&2 & exit 7"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stderr = child.stderr.take().expect("a pipe");
    let enough = Arc::new(AtomicBool::new(false));
    let reader = std::thread::spawn({
        let enough = Arc::clone(&enough);
        move || {
            let mut buffer = [0; 4096];
            while !enough.load(Ordering::Acquire) && stderr.read(&mut buffer).is_ok_and(|n| n > 0) {
            }
        }
    });
    assert_eq!(child.wait().expect("it ends").code(), Some(7));
    enough.store(true, Ordering::Release);
    reader.join().expect("the reader ends");
}

#[test]
fn inherited_descriptors_keep_their_flags() {
    let run = Run::new();
    let (read, _write) = std::io::pipe().expect("a pipe");
    let (mut err_read, err_write) = std::io::pipe().expect("a pipe");
    let copy = err_write.try_clone().expect("a copy");
    let mut command = run.command(&["/bin/sh", "-c", "echo x >&2"]);
    command
        .stdin(read.try_clone().expect("a copy"))
        .stderr(err_write);
    assert!(command.status().expect("it starts").success());
    for fd in [read.as_fd(), copy.as_fd()] {
        let flags = OFlag::from_bits_truncate(fcntl(fd, FcntlArg::F_GETFL).expect("flags"));
        assert!(!flags.contains(OFlag::O_NONBLOCK), "{}", fd.as_raw_fd());
    }
    drop((command, copy));
    let mut seen = String::new();
    err_read.read_to_string(&mut seen).expect("text");
    assert_eq!(seen, "x\n");
}

#[test]
fn a_pipe_into_the_target_is_its_own() {
    let run = Run::new();
    let mut child = run
        .command(&["/bin/cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(b"through")
        .expect("it takes it");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(code(&output), 0);
    assert_eq!(text(&output.stdout), "through");
}
