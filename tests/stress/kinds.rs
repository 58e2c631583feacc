//! What a run amounts to, and the series with it.

use crate::common::{in_repository, workload};
use crate::series::{Series, names};

/// A target of the rehearsal: `agx-rehearsal-workload ARGUMENTS`.
fn rehearse(arguments: &[&str]) -> Vec<std::ffi::OsString> {
    let mut target = vec![workload().into(), "--quiet".into()];
    target.extend(arguments.iter().map(Into::into));
    target
}

#[test]
fn clean_runs_leave_their_lines_and_nothing_else() {
    let series = Series::new();
    let run = series.stress(&["-n", "5", "-j", "2"], &["sh", "-c", "echo words"]);
    run.assert_code(0)
        .assert_stderr("0 of 5: below 45.1 % with 95 % confidence");
    assert_eq!(run.stdout(), "");
    assert_eq!(run.json["kinds"], serde_json::json!({ "clean": 5 }));
    assert_eq!(run.json["rate"]["crashes"], 0);
    assert_eq!(run.json["stopped"], "runs");
    assert!(run.json["outputs"].is_null());
    let mut slots: Vec<u64> = run.json["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|line| line["slot"].as_u64().expect("a number"))
        .collect();
    slots.sort_unstable();
    assert_eq!(slots, [0, 1, 2, 3, 4]);
    assert_eq!(names(&series.path("archive")), ["runs.jsonl", "series"]);
    assert_eq!(series.lines("archive/runs.jsonl").len(), 5);
    assert_eq!(names(&series.path("archive/series")), [""; 0]);
    assert_eq!(names(&series.path("tmp")), [""; 0]);
}

#[test]
fn crashes_are_told_by_signature_with_their_newest_report_and_cured_by_the_fix() {
    let series = Series::new();
    let run = series.stress(&["-n", "2", "--no-fix"], &rehearse(&[]));
    run.assert_code(86)
        .assert_stderr("2 of 2: 100 %, from 15.8 % to 100 % with 95 % confidence");
    let groups = run.json["groups"].as_array().expect("groups");
    for group in groups {
        assert_eq!(group["kind"], "crash");
        let id = group["crash"].as_str().expect("a signature");
        assert!(
            id.starts_with("agx_null") || id.starts_with("objc_uaf"),
            "{id}"
        );
        let report = group["report"].as_str().expect("a report");
        assert!(series.path("archive").join(report).is_file());
        run.assert_stderr(id).assert_stderr(report);
    }
    let series = Series::new();
    let run = series.stress(&["-n", "2", "--require-fix"], &rehearse(&[]));
    run.assert_code(0);
    assert_eq!(run.json["kinds"]["clean"], 2);
}

#[test]
fn failures_keep_their_output_and_are_no_crashes() {
    let series = Series::new();
    let script = "echo out; echo err >&2; exit 3";
    let run = series.stress(&["-n", "2"], &["sh", "-c", script]);
    run.assert_code(1)
        .assert_stderr("2 failed without a crash: exit 3")
        .assert_stderr("0 of 2: below 77.7 %");
    assert_eq!(run.stdout(), "");
    assert!(!run.stderr().contains("\nerr\n"));
    let outputs = run.json["outputs"].as_str().expect("a folder");
    let outputs = std::path::Path::new(outputs);
    assert_eq!(
        names(outputs),
        ["000001.err", "000001.out", "000002.err", "000002.out"]
    );
    let read = |name| std::fs::read_to_string(outputs.join(name)).expect("a file");
    assert_eq!(read("000001.out"), "out\n");
    assert!(
        read("000001.err").starts_with("err\n"),
        "{}",
        read("000001.err")
    );
}

#[test]
fn output_is_passed_on_where_that_is_asked_for_a_run_at_a_time() {
    let series = Series::new();
    let script = "for i in 1 2 3 4 5; do echo $$; done; echo \"err $$\" >&2";
    let options = ["-n", "4", "-j", "4", "--show-output"];
    let run = series.stress(&options, &["sh", "-c", script]);
    run.assert_code(0).assert_stderr("err ");
    let stdout = run.stdout();
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 20);
    for one in lines.chunks(5) {
        assert!(one.iter().all(|line| *line == one[0]), "mixed: {lines:?}");
    }
}

#[test]
fn a_run_that_hangs_is_a_hang() {
    let series = Series::new();
    let run = series.stress(&["-n", "1", "--timeout", "100ms"], &["sleep", "600"]);
    run.assert_code(124).assert_stderr("1 hung");
    assert_eq!(run.json["kinds"], serde_json::json!({ "hang": 1 }));
}

#[test]
fn work_that_a_published_version_drops_is_lost_work() {
    let series = Series::new();
    let options = ["-n", "2", "--fix", "v2.9"];
    let run = series.stress(&options, &rehearse(&["--scenario", "unseen"]));
    run.assert_code(87).assert_stderr("2 lost work");
    assert_eq!(run.json["kinds"], serde_json::json!({ "lost_work": 2 }));
}

#[test]
fn a_run_without_the_fix_that_was_asked_for_is_never_counted_as_clean() {
    let series = Series::new();
    let options = ["-n", "3", "--env", "AGX_FIX_DISABLE=1"];
    let run = series.stress(&options, &["true"]);
    run.assert_code(88)
        .assert_stderr("3 ran without the fix that was asked for, and count in no rate")
        .assert_stderr("no run counts: nothing is known")
        .assert_stderr("3 runs excluded");
    assert_eq!(run.json["rate"]["runs"], 0);
    assert!(run.json["rate"]["estimate"].is_null() && run.json["rate"]["below"].is_null());
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_static_program_takes_no_fix_and_says_so() {
    let series = Series::new();
    let (source, program) = (series.path("static.c"), series.path("static"));
    let exits =
        "void _start(void) { __asm__ volatile (\"mov $60,%eax; xor %edi,%edi; syscall\"); }";
    std::fs::write(&source, exits).expect("written");
    let built = std::process::Command::new("cc")
        .args(["-static", "-nostdlib", "-o"])
        .args([&program, &source])
        .status();
    assert!(built.expect("cc starts").success());
    // Refused before the launch: no run, and the words of one.
    let run = series.stress(&["-n", "3"], &[&program]);
    run.assert_code(125).assert_stderr("[static]");
    assert_eq!(run.json["made"], 0);
    let run = series.stress(&["-n", "3", "--allow-uninjected"], &[&program]);
    run.assert_code(88);
    assert_eq!(run.json["kinds"], serde_json::json!({ "not_injected": 3 }));
    let series = Series::new();
    let run = series.stress(&["-n", "3", "--no-fix"], &[&program]);
    run.assert_code(0);
}

#[test]
fn kinds_are_counted_apart_and_the_gravest_decides() {
    let series = Series::new();
    let script = "echo x >>begun; case $(wc -l <begun) in 2) exit 3;; 4) exec sleep 600;; 5) kill -SEGV $$;; esac";
    let options = ["-n", "6", "--timeout", "2", "--report-wait", "100ms"];
    let run = series.stress(&options, &["sh", "-c", script]);
    run.assert_code(86)
        .assert_stderr("1 crashed")
        .assert_stderr("1 hung")
        .assert_stderr("1 failed without a crash: exit 3")
        .assert_stderr("1 of 6: 16.7 %");
    assert_eq!(
        run.json["kinds"],
        serde_json::json!({ "clean": 3, "crash": 1, "hang": 1, "failure": 1 })
    );
}

#[test]
fn a_command_that_is_not_there_is_told_once_and_leaves_nothing() {
    let series = Series::new();
    let run = series.stress(&["-n", "50", "-j", "2"], &["no-such-command"]);
    run.assert_code(127)
        .assert_stderr("`no-such-command`: command not found");
    assert_eq!(
        run.stderr().matches("not found").count(),
        1,
        "{}",
        run.stderr()
    );
    assert_eq!(run.json["end"]["why"], "launch");
    assert!(!series.state().exists());
    assert_eq!(names(&series.path("archive/series")), [""; 0]);
}

#[test]
fn a_command_that_goes_away_ends_the_series_with_what_is_known() {
    let series = Series::new();
    let program = series.path("program");
    let script = "#!/bin/sh\necho x >>begun\n[ $(wc -l <begun) -lt 3 ] || rm \"$0\"\n";
    crate::common::programs::write(&program, script);
    let run = series.stress(&["-n", "9"], &[&program]);
    run.assert_code(127)
        .assert_stderr("ended after 3 runs")
        .assert_stderr("not found");
    assert_eq!(run.json["kinds"]["clean"], 3);
    assert!(series.state().is_file());
}

#[test]
fn reports_of_other_runs_are_not_counted_where_several_go_on() {
    let series = Series::new();
    // A foreign report appears while both go on.
    let copy = format!(
        "echo x >>begun; [ $(wc -l <begun) -gt 1 ] || cp '{}' '{}/Python-copied.ips'; exit 0",
        in_repository("tests/data/reports/001_Python.ips").display(),
        series.sandbox.reports().display()
    );
    let run = series.stress(&["-n", "4", "-j", "2"], &["sh", "-c", &copy]);
    run.assert_code(0);
    assert_eq!(run.json["kinds"]["clean"], 4);
    assert!(!series.lines("state.jsonl")[0].contains("\"any\""));
}
