//! Processes that are the system's although the target started them.

mod common;

use std::path::PathBuf;

use common::{Run, code, text};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A program of the system's, with a name longer than the kernel keeps.
fn outsider(run: &Run) -> PathBuf {
    let path = run.folder().join("system-report-writer");
    common::programs::copy("/bin/sleep", &path);
    path
}

/// Waits, without a child, until the background process has become the outsider: until then it is a
/// shell of the tree.
const RUNS: &str =
    "until read -r name < /proc/$!/comm && [ \"$name\" = system-report-w ]; do :; done";

/// A run that knows the outsider, or only has it, and the outsider.
fn with(known: bool) -> (Run, String) {
    let run = Run::new();
    let path = outsider(&run).display().to_string();
    let run = if known {
        run.option("--outsider", &path)
    } else {
        run
    };
    (run, path)
}

/// The process that wrote its id to `stdout`.
fn announced(stdout: &[u8]) -> Pid {
    Pid::from_raw(text(stdout).trim().parse().expect("a pid"))
}

#[test]
fn a_living_one_is_not_left_behind() {
    for known in [false, true] {
        let (run, path) = with(known);
        let output = run.sh(&format!(
            "{path} 60 >/dev/null 2>&1 </dev/null & echo $!; {RUNS}; exit 0"
        ));
        assert_eq!(code(&output), 0);
        let pid = announced(&output.stdout);
        kill(pid, Signal::SIGKILL).expect("it lives");
        let outcome = run.outcome();
        let (left_behind, descendants) = if known {
            ("[]".to_owned(), "None")
        } else {
            (format!("[{pid}]"), "Some")
        };
        assert_eq!(outcome.get("left_behind"), left_behind);
        assert_eq!(outcome.get("descendants"), descendants);
    }
}

#[test]
fn an_ended_one_is_no_orphan() {
    for known in [false, true] {
        let (run, path) = with(known);
        // The target ends when it is gone, which is when we have reaped it.
        let output = run.sh(&format!(
            "pid=$( (sh -c 'echo $$; exec >&-; exec {path} 0' &) ); \
             while kill -0 $pid 2>/dev/null; do :; done"
        ));
        assert_eq!(code(&output), 0);
        let outcome = run.outcome();
        let orphans = outcome.all("orphan");
        assert_eq!(orphans.contains(&"Exited(0)"), !known, "{}", outcome.0);
    }
}

#[test]
fn a_timeout_neither_kills_it_nor_waits_for_it() {
    let (run, path) = with(true);
    let run = run.option("--timeout", "200ms").option("--grace", "50ms");
    let output = run.sh(&format!(
        "trap '' TERM; setsid {path} 60 >/dev/null 2>&1 </dev/null & echo $!; {RUNS}; \
         sleep 60 & wait; wait"
    ));
    assert_eq!(code(&output), 124);
    let pid = announced(&output.stdout);
    kill(pid, Signal::SIGKILL).expect("it lives");
    let outcome = run.outcome();
    assert!(
        outcome
            .get("timed_out")
            .contains("needed_kill: true, stragglers: 0")
    );
    assert_eq!(outcome.get("left_behind"), "[]");
}

#[test]
fn a_crash_makes_the_accounts_doubtful() {
    for known in [false, true] {
        let (run, _) = with(known);
        let output = run.sh("ulimit -c 0; /bin/true; kill -SEGV $$");
        assert_eq!(code(&output), 128 + 11);
        let outcome = run.outcome();
        let descendants = outcome.get("descendants");
        if known {
            assert!(descendants.contains("crash handler"), "{descendants}");
        } else {
            assert_eq!(descendants, "Some");
        }
    }
}
