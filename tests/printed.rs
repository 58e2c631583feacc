//! What people read: snapshots of the printed text, with what differs from run to run replaced.

mod common;

use common::{Sandbox, old_report};

fn redact(sandbox: &Sandbox, text: &str) -> String {
    let mut text = text.replace(&*sandbox.root.path().to_string_lossy(), "[sandbox]");
    text = text.replace(&*common::products().to_string_lossy(), "[products]");
    for (pattern, with) in [
        (r"\d+\.\d+ s", "[time]"),
        (r"pid \d+", "pid [pid]"),
        (r"\d+ days ago", "[age] ago"),
        (r"\d+ s ago", "[age] ago"),
        (r"\d{8}_\d{6}_", "[stamp]_"),
        (r"\d{4}-\d\d-\d\d-\d{6}", "[stamp]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[when]"),
    ] {
        text = regex_lite::Regex::new(pattern)
            .expect("valid")
            .replace_all(&text, with)
            .into_owned();
    }
    text
}

#[test]
fn a_clean_run_ends_in_one_line() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&[], &["true"]);
    insta::assert_snapshot!(redact(&sandbox, &run.stderr()), @"agxrun: ok: true exited 0 after [time], no new crash report; fix v3 loaded in 1 process, no Metal seen");
    let run = sandbox.run(&["--no-fix"], &["true"]);
    insta::assert_snapshot!(redact(&sandbox, &run.stderr()), @"agxrun: ok: true exited 0 after [time], no new crash report; no fix (control)");
    assert_eq!(sandbox.run(&["-q"], &["true"]).stderr(), "");
}

#[test]
fn the_targets_output_is_its_own() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["-q"], &["sh", "-c", "echo out; echo err >&2; exit 3"]);
    run.assert_code(3);
    assert_eq!(run.stdout(), "out\n");
    assert!(run.stderr().starts_with("err\n"), "{}", run.stderr());
}

#[test]
fn a_crash_is_told_in_full() {
    let sandbox = Sandbox::new();
    let workload = common::workload();
    let target = [
        workload.as_os_str(),
        "--fault".as_ref(),
        "double-commit".as_ref(),
    ];
    let run = sandbox.run(&["--no-fix"], &target);
    let text = redact(&sandbox, &run.stderr());
    // Frames of the C library have names or not, as it is stripped or not.
    let steady: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("libc.so") && !line.ends_with(" more"))
        .collect();
    insta::with_settings!({filters => vec![(r"`.* \+ \d+", "`[symbol]")]}, {
        insta::assert_snapshot!(steady.join("\n"));
    });
}

#[test]
fn the_newest_crash_is_shown_in_full_and_the_others_in_a_list() {
    let sandbox = Sandbox::new();
    let data = old_report();
    let data = data.parent().expect("a folder");
    for name in [
        "001_Python.ips",
        "043_MySQLWorkbench.ips",
        "008_MotoCortex.ips",
    ] {
        std::fs::copy(data.join(name), sandbox.reports().join(name)).expect("copied");
    }
    let check = |options: &[&str]| {
        let output = sandbox
            .agxrun()
            .arg("check-crashes")
            .arg("--reports-dir")
            .arg(sandbox.reports())
            .arg("--archive")
            .arg(sandbox.path("archive"))
            .args(options)
            .output()
            .expect("agxrun starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), redact(&sandbox, &text))
    };
    let (code, text) = check(&["--latest"]);
    assert_eq!(code, Some(0));
    insta::assert_snapshot!("latest", text);
    let (_, text) = check(&["--hours", "1000000"]);
    insta::assert_snapshot!("list", text);
    assert_eq!(
        check(&["--hours", "1000000", "--count"]),
        (Some(0), "3\n".to_owned())
    );
    assert_eq!(check(&["--hours", "1000000", "--fail"]).0, Some(86));
    assert_eq!(check(&["--hours", "1", "--fail"]).0, Some(0));
    let (_, json) = check(&["--latest", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("valid JSON");
    assert_eq!(json["crashes"].as_array().map(Vec::len), Some(1));
    assert_eq!(json["total_files"], 3);
}

#[test]
fn check_crashes_on_a_new_machine_finds_nothing_and_says_so() {
    let sandbox = Sandbox::new();
    let output = sandbox
        .agxrun()
        .args(["check-crashes", "--latest"])
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(0));
    let text = redact(&sandbox, &String::from_utf8_lossy(&output.stdout));
    insta::assert_snapshot!(text, @"no crash on record: read 0 of 0 report files in [sandbox]/home/.local/state/agxrun/DiagnosticReports and the archive [sandbox]/home/.local/state/agxrun/crash_logs");
}

#[test]
fn check_crashes_says_what_it_could_not_read() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.reports().join("Garbage.ips"), [0_u8; 100]).expect("written");
    let check = |folder: &std::path::Path, options: &[&str]| {
        sandbox
            .agxrun()
            .arg("check-crashes")
            .arg("--reports-dir")
            .arg(folder)
            .args(options)
            .output()
            .expect("agxrun starts")
    };
    let output = check(&sandbox.reports(), &["--fail"]);
    assert_eq!(
        output.status.code(),
        Some(86),
        "an unreadable report is never no crash"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("Garbage.ips"));
    let output = check(&sandbox.path("missing"), &[]);
    assert_eq!(output.status.code(), Some(125));
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing"));
}

#[test]
fn the_policies_are_listed() {
    let sandbox = Sandbox::new();
    let output = sandbox
        .agxrun()
        .args(["fix", "list"])
        .output()
        .expect("agxrun starts");
    insta::assert_snapshot!("policies", String::from_utf8_lossy(&output.stdout));
    let output = sandbox
        .agxrun()
        .args(["fix", "list", "--json"])
        .output()
        .expect("it starts");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("valid JSON");
    assert!(
        json.as_array()
            .expect("a list")
            .iter()
            .any(|policy| policy["name"] == "v3")
    );
}

#[test]
fn the_path_of_the_library_is_printed_alone() {
    let sandbox = Sandbox::new();
    let output = sandbox
        .agxrun()
        .args(["fix", "path"])
        .output()
        .expect("agxrun starts");
    assert_eq!(output.status.code(), Some(0));
    let expected = common::products().join("libagx_fix.so");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim_end(),
        expected.to_string_lossy()
    );
    assert!(output.stderr.is_empty());
}

#[test]
fn the_rehearsal_shows_both_verdicts_and_says_what_it_is_not() {
    let sandbox = Sandbox::new();
    let output = sandbox
        .agxrun()
        .arg("rehearse")
        .output()
        .expect("agxrun starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let verdict = text
        .lines()
        .find(|line| line.starts_with("verdict"))
        .expect("a verdict");
    assert!(
        verdict.contains("FAILED (exit 139)") && verdict.trim_end().ends_with("ok"),
        "{verdict}"
    );
    assert!(text.contains("no evidence about Apple's driver"));
    let output = sandbox
        .agxrun()
        .args(["rehearse", "--json"])
        .output()
        .expect("agxrun starts");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("valid JSON");
    assert_eq!(
        (&json["as_expected"], &json["with"]["exit_code"]),
        (&true.into(), &0.into())
    );
    let output = sandbox
        .agxrun()
        .args(["rehearse", "--threads", "1"])
        .output()
        .expect("agxrun starts");
    assert_eq!(output.status.code(), Some(125), "one thread cannot tell");
    assert!(String::from_utf8_lossy(&output.stdout).contains("cannot tell"));
}

#[test]
fn output_to_a_reader_that_has_gone_away_is_no_failure() {
    let sandbox = Sandbox::new();
    let script = format!("'{}' --help | true", env!("CARGO_BIN_EXE_agxrun"));
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .output()
        .expect("sh");
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    drop(sandbox);
}

#[test]
fn colours_are_for_people() {
    let sandbox = Sandbox::new();
    let colours = |options: &[&str]| sandbox.run(options, &["true"]).stderr().contains('\u{1b}');
    assert!(!colours(&[]));
    assert!(colours(&["--color", "always"]));
    assert!(!colours(&["--color", "never"]));
}
