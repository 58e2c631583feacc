//! `--baseline`: what is in it does not fail, what is not in it and what has expired does, and what did not happen is told.

use std::path::PathBuf;

use crate::common::{Run, Sandbox, old_report};

const CRASH: &str = "python3 -c 'import ctypes; ctypes.string_at(0)'";
const LATER: &str = "2999-01-01";

fn crashing() -> [&'static str; 3] {
    ["python3", "-c", "import ctypes; ctypes.string_at(0)"]
}

fn hidden() -> [String; 3] {
    ["sh".to_owned(), "-c".to_owned(), format!("{CRASH}; exit 0")]
}

/// The fingerprint of that crash on this machine.
fn fingerprint() -> String {
    let run = Sandbox::new().run(&["--no-fix"], &crashing());
    let print = run.reports()[0]["fingerprint"].as_str();
    print.expect("a fingerprint").to_owned()
}

fn write(sandbox: &Sandbox, key: &str, value: &str, expires: &str) -> PathBuf {
    let path = sandbox.path("baseline.toml");
    let text =
        format!("[[crash]]\n{key} = \"{value}\"\nreason = \"seen before\"\nexpires = {expires}\n");
    std::fs::write(&path, text).expect("written");
    path
}

fn run(sandbox: &Sandbox, target: &[impl AsRef<std::ffi::OsStr>]) -> Run {
    sandbox.run(&["--no-fix", "--baseline", "baseline.toml"], target)
}

#[test]
fn a_known_crash_of_a_descendant_does_not_fail_the_run() {
    let sandbox = Sandbox::new();
    let print = fingerprint();
    write(&sandbox, "fingerprint", &print[..8], LATER);
    let run = run(&sandbox, &hidden());
    run.assert_code(0)
        .assert_stderr("not counted, known by its fingerprint")
        .assert_stderr("seen before")
        .assert_stderr("ok, but for known crashes");
    assert_eq!(run.reasons(), ["target", "known_crash"]);
    let report = &run.reports()[0];
    assert_eq!(report["weight"], "known");
    assert_eq!(report["baseline"]["fingerprint"], print[..8]);
    assert_eq!(report["baseline"]["reason"], "seen before");
    assert_eq!(report["baseline"]["expires"], LATER);
    assert_eq!(report["baseline"]["expired"], false);
    // It is kept like any other.
    assert!(PathBuf::from(report["archived"].as_str().expect("archived")).is_file());
}

#[test]
fn a_known_crash_that_ends_the_target_does_not_fail_it_and_says_what_is_missing() {
    let sandbox = Sandbox::new();
    write(&sandbox, "fingerprint", &fingerprint(), LATER);
    let run = run(&sandbox, &crashing());
    run.assert_code(0)
        .assert_stderr("what it had still to do was not done");
    assert_eq!(run.reasons(), ["known_crash"]);
    assert_eq!(run.json["ending"]["signal_name"], "SIGSEGV");
    // A rate is not about what fails: the history has the crash.
    let history = std::fs::read_to_string(sandbox.path("archive/runs.jsonl")).expect("a history");
    let line: serde_json::Value = serde_json::from_str(&history).expect("one line");
    assert_eq!(
        (&line["kind"], &line["verdict"]),
        (&"crash".into(), &0.into())
    );
}

#[test]
fn a_crash_that_is_not_in_it_fails_and_its_entry_is_written_out() {
    let sandbox = Sandbox::new();
    write(&sandbox, "fingerprint", "0000000000000000", LATER);
    let run = run(&sandbox, &hidden());
    run.assert_code(86)
        .assert_stderr("1 of the 1 known crashes did not happen in this run");
    let print = run.reports()[0]["fingerprint"]
        .as_str()
        .expect("a fingerprint");
    run.assert_stderr(&format!("fingerprint = \"{print}\""))
        .assert_stderr("reason = \"\"");
}

#[test]
fn an_entry_that_has_expired_fails_and_says_so() {
    let sandbox = Sandbox::new();
    write(&sandbox, "fingerprint", &fingerprint(), "2025-01-31");
    let run = run(&sandbox, &hidden());
    run.assert_code(86)
        .assert_stderr("in the baseline expired on 2025-01-31 (line 1): seen before");
    assert_eq!(run.reports()[0]["weight"], "counts");
    assert_eq!(run.reports()[0]["baseline"]["expired"], true);
}

#[test]
fn a_file_that_means_nothing_costs_no_run_and_names_its_line() {
    let sandbox = Sandbox::new();
    for (text, line, word) in [
        (
            "[[crash]]\nfingerprint = \"0123456789abcdef\"\nreason = \"x\"\nuntil = 2027-01-01\n",
            4,
            "until",
        ),
        (
            "[[crash]]\nsignature = \"no_such\"\nreason = \"x\"\nexpires = 2027-01-01\n",
            2,
            "no_such",
        ),
        ("[[crash]\n", 1, "line 1"),
    ] {
        std::fs::write(sandbox.path("baseline.toml"), text).expect("written");
        let run = run(&sandbox, &["touch", "ran"]);
        run.assert_code(125)
            .assert_stderr(&format!("baseline.toml`, line {line}"))
            .assert_stderr(word);
    }
    std::fs::remove_file(sandbox.path("baseline.toml")).expect("removed");
    run(&sandbox, &["touch", "ran"])
        .assert_code(125)
        .assert_stderr("cannot read the baseline");
    assert!(!sandbox.path("ran").exists());
}

/// `check-crashes` over one old report.
fn check(sandbox: &Sandbox, options: &[&str]) -> (i32, String, serde_json::Value) {
    let at = sandbox.reports().join("Python-old.ips");
    std::fs::copy(old_report(), at).expect("copied");
    let output = sandbox
        .agxrun()
        .args(["check-crashes", "--hours", "1000000", "--fail", "--json"])
        .args(["--baseline", "baseline.toml"])
        .args(options)
        .arg("--reports-dir")
        .arg(sandbox.reports())
        .output()
        .expect("agxrun starts");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let json = serde_json::from_slice(&output.stdout).expect(&stderr);
    (output.status.code().expect("a code"), stderr, json)
}

#[test]
fn check_crashes_fails_for_what_is_not_in_it_and_tells_what_did_not_happen() {
    let sandbox = Sandbox::new();
    write(&sandbox, "fingerprint", "00000000", LATER);
    let (code, stderr, json) = check(&sandbox, &[]);
    assert_eq!(code, 86, "{stderr}");
    assert!(
        stderr.contains("did not happen: remove line 1 of the baseline? (seen before)"),
        "{stderr}"
    );
    assert_eq!(json["baseline"]["new"], 1);
    assert_eq!(json["baseline"]["unseen"][0]["fingerprint"], "00000000");
    let print = json["crashes"][0]["fingerprint"]
        .as_str()
        .expect("a fingerprint")
        .to_owned();
    assert!(
        stderr.contains(&format!("fingerprint = \"{print}\"")),
        "{stderr}"
    );

    write(&sandbox, "fingerprint", &print, LATER);
    for mode in [&[][..], &["--group"], &["--count"], &["--latest", "5"]] {
        let (code, stderr, json) = check(&sandbox, mode);
        assert_eq!(code, 0, "{mode:?} {stderr}");
        assert!(stderr.contains("1 known, 0 expired, 0 new"), "{stderr}");
        assert_eq!(json["baseline"]["known"], 1, "{mode:?}");
        assert_eq!(json["baseline"]["entries"][0]["count"], 1, "{mode:?}");
        assert_eq!(json["count"], 1, "what there is is counted all the same");
    }
    // Where only some crashes are asked for, one that is not there may have happened.
    let (_, _, json) = check(&sandbox, &["--process", "nobody"]);
    assert!(json["baseline"]["unseen"].is_null());

    write(&sandbox, "fingerprint", &print, "2025-01-01");
    let (code, stderr, json) = check(&sandbox, &[]);
    assert_eq!(code, 86);
    assert!(stderr.contains("0 known, 1 expired, 0 new"), "{stderr}");
    assert_eq!(json["crashes"][0]["baseline"]["expired"], true);
}

#[test]
fn a_known_crash_is_a_skipped_case() {
    let sandbox = Sandbox::new();
    write(&sandbox, "fingerprint", &fingerprint(), LATER);
    let run = sandbox.run(
        &[
            "--no-fix",
            "--baseline",
            "baseline.toml",
            "--junit",
            "junit.xml",
        ],
        &crashing(),
    );
    run.assert_code(0);
    let read = crate::readers::read_valid(&sandbox.path("junit.xml"));
    let result = &read["suites"][0]["cases"][0]["results"][0];
    assert_eq!(result["tag"], "skipped");
    assert!(
        result["message"]
            .as_str()
            .expect("a message")
            .contains("seen before")
    );
}
