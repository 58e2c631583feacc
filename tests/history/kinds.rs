//! What real runs amount to.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use agxrun::history::Kind;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::common::{Sandbox, old_report, products, workload};
use super::{history, lines, only};

/// The kind of a run of the rehearsal's workload.
fn workload_kind(options: &[&str], fault: &[&str]) -> (Kind, Option<String>) {
    let sandbox = Sandbox::new();
    let workload = workload();
    let workload = workload.to_str().expect("text");
    let mut target = vec![workload, "--quiet", "--threads", "4"];
    target.extend(fault);
    sandbox.run(options, &target);
    let line = only(&sandbox);
    (line.kind, line.crash)
}

#[test]
fn a_run_that_ends_well_is_clean_and_says_what_it_was() {
    let sandbox = Sandbox::new();
    let options = ["--throttle", "2", "--lock-scope", "queue"];
    sandbox.run(&options, &["true"]).assert_code(0);
    let line = only(&sandbox);
    assert_eq!(line.kind, Kind::Clean);
    assert_eq!(
        (line.verdict, line.exit_code, line.signal),
        (0, Some(0), None)
    );
    assert_eq!((&*line.fix, line.throttle), ("v3", Some(2)));
    assert_eq!(line.lock_scope.as_deref(), Some("queue"));
    assert_eq!(
        (line.injected, &*line.command),
        (1, &["true".to_owned()][..])
    );
    assert!(line.program.starts_with('/') && line.program.ends_with("/true"));
    let here = sandbox.root.path().canonicalize().expect("a folder");
    assert_eq!(line.directory, here.to_str().expect("text"));
    assert!(line.library.is_some() && line.counters.contains_key("method_calls"));
    assert_eq!((line.series, line.slot, line.attempt), (None, None, 1));
    assert!(line.wall > 0.0 && line.wall <= line.total);
    assert_eq!(line.reasons, ["target"]);
}

#[test]
fn a_crash_is_one_by_its_report_or_by_its_signal_alone() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["--no-fix"], &["sh", "-c", "kill -SEGV $$"]);
    let line = only(&sandbox);
    assert_eq!((line.kind, &*line.fix), (Kind::Crash, "none"));
    assert_eq!(line.signal_name.as_deref(), Some("SIGSEGV"));
    assert_eq!(line.library, None);
    let report = &line.reports[0];
    assert!(report.counted);
    assert_eq!(report.attribution.as_deref(), Some("ours"));
    assert_eq!(line.crash, report.fingerprint, "no signature matches");
    let archived = run.reports()[0]["archived"].as_str().expect("archived");
    assert!(archived.ends_with(&report.file), "{}", report.file);
    assert!(sandbox.path("archive").join(&report.file).exists());

    let sandbox = Sandbox::new();
    let options = ["--no-fix", "--report-wait", "100ms", "--settle", "100ms"];
    // Without its environment it has no report writer in it.
    let silent = ["env", "-i", "sh", "-c", "kill -BUS $$"];
    sandbox.run(&options, &silent);
    let line = only(&sandbox);
    assert_eq!((line.kind, line.reports.len()), (Kind::Crash, 0));
    assert_eq!(line.crash.as_deref(), Some("SIGBUS"));

    let sandbox = Sandbox::new();
    sandbox.run(&["--no-fix"], &["sh", "-c", "kill -KILL $$"]);
    let line = only(&sandbox);
    assert_eq!((line.kind, line.verdict), (Kind::Failure, 137));
}

#[test]
fn a_report_of_somebody_else_counts_as_the_gate_counts_it() {
    for (scope, kind) in [("any", Kind::Crash), ("tree", Kind::Clean)] {
        let sandbox = Sandbox::new();
        let copy = format!(
            "cp '{}' '{}/Python-copied.ips'",
            old_report().display(),
            sandbox.reports().display()
        );
        sandbox.run(&["--scope", scope], &["sh", "-c", &copy]);
        let line = only(&sandbox);
        assert_eq!((line.kind, line.reports[0].counted), (kind, scope == "any"));
        assert_eq!(line.reports[0].attribution.as_deref(), Some("foreign"));
    }
}

#[test]
fn the_drivers_race_is_a_crash_with_its_signature() {
    let (kind, crash) = workload_kind(&["--no-fix"], &["--fault", "impl"]);
    assert_eq!(kind, Kind::Crash);
    let crash = crash.expect("a name");
    assert!(
        crash.starts_with("agx_null") || crash.starts_with("objc_uaf"),
        "{crash}"
    );
}

#[test]
fn an_assertion_is_told_from_other_crashes() {
    let (kind, crash) = workload_kind(&["--no-fix"], &["--fault", "double-commit"]);
    assert_eq!(kind, Kind::Assertion, "{crash:?}");
    assert_eq!(crash.as_deref(), Some("double_commit"));
}

#[test]
fn an_error_of_the_gpu_is_told_from_a_failure() {
    let (kind, crash) = workload_kind(&[], &["--fault", "page-fault"]);
    assert_eq!(
        (kind, crash.as_deref()),
        (Kind::GpuError, Some("gpu_page_fault"))
    );
}

#[test]
fn work_that_a_policy_dropped_is_lost() {
    let (kind, _) = workload_kind(&["--fix", "v2.9"], &["--scenario", "unseen"]);
    assert_eq!(kind, Kind::LostWork);
}

#[test]
fn a_time_out_is_a_hang_and_an_exit_code_a_failure() {
    let sandbox = Sandbox::new();
    let options = ["--timeout", "100ms", "--grace", "100ms"];
    sandbox.run(&options, &["sleep", "60"]).assert_code(124);
    assert_eq!(only(&sandbox).kind, Kind::Hang);
    let sandbox = Sandbox::new();
    sandbox.run(&[], &["false"]).assert_code(1);
    assert_eq!(only(&sandbox).kind, Kind::Failure);
}

#[test]
fn without_the_fix_that_was_asked_for_a_run_shows_nothing_about_it() {
    let sandbox = Sandbox::new();
    let status = sandbox
        .agxrun()
        .env("AGX_FIX_DISABLE", "1")
        .args([
            "--archive",
            "archive",
            "--reports-dir",
            "reports",
            "--",
            "false",
        ])
        .status()
        .expect("agxrun starts");
    assert_eq!(status.code(), Some(1));
    let line = only(&sandbox);
    assert_eq!((line.kind, line.injected), (Kind::NotInjected, 0));
    assert!(!line.warnings.is_empty());
    // The same without a library at all is a run like any other.
    assert_eq!(
        workload_kind(&["--no-fix"], &["--threads", "1"]).0,
        Kind::Clean
    );
}

#[test]
fn a_run_that_is_ended_from_outside_is_interrupted() {
    for handles in [false, true] {
        let sandbox = Sandbox::new();
        let trap = if handles { "trap 'exit 0' TERM;" } else { "" };
        let script = format!("{trap} echo up; while :; do sleep 0.05; done");
        let mut agxrun = sandbox
            .agxrun()
            .args(["--archive", "archive", "--reports-dir", "reports", "--"])
            .args(["sh", "-c", &script])
            .stdout(Stdio::piped())
            .spawn()
            .expect("agxrun starts");
        let mut up = String::new();
        BufReader::new(agxrun.stdout.take().expect("a pipe"))
            .read_line(&mut up)
            .expect("the target runs");
        let pid = Pid::from_raw(i32::try_from(agxrun.id()).expect("a pid"));
        kill(pid, Signal::SIGTERM).expect("sent");
        agxrun.wait().expect("a child");
        assert_eq!(only(&sandbox).kind, Kind::Interrupted, "handles: {handles}");
    }
}

#[test]
fn every_attempt_is_a_run_of_its_own() {
    let sandbox = Sandbox::new();
    products();
    let flaky = "test -e again && exit 0; touch again; kill -SEGV $$";
    sandbox.run(&["--retries", "2"], &["sh", "-c", flaky]);
    let attempts: Vec<_> = lines(&history(&sandbox))
        .into_iter()
        .map(|line| (line.attempt, line.kind))
        .collect();
    assert_eq!(attempts, [(1, Kind::Crash), (2, Kind::Clean)]);
}
