//! `check_crashes.py`, `crash_monitor.sh`, `collect_crash_reports.sh`, and where all find agxrun.

use serde_json::Value;

use crate::common::programs;
use crate::scripts::{Said, Scripts};

const CHECK: &str = "check_crashes.py";
const MONITOR: &str = "crash_monitor.sh";
const COLLECT: &str = "collect_crash_reports.sh";

#[test]
fn crashes_are_shown_and_told_by_the_exit_code() {
    let scripts = Scripts::new();
    for options in [&[][..], &["--latest"], &["--count"], &["--hours", "2"]] {
        Said::of(scripts.command(CHECK).args(options)).code(0);
    }
    scripts.crash();
    let listed = Said::of(&mut scripts.command(CHECK)).code(86).out();
    assert!(
        listed.contains("python") && listed.contains("SIGSEGV"),
        "{listed}"
    );
    let latest = Said::of(scripts.command(CHECK).arg("--latest")).code(86);
    assert!(latest.out().contains("report: "), "{}", latest.out());
    let count = Said::of(scripts.command(CHECK).arg("--count")).code(86);
    assert_eq!(count.out(), "1\n");
    let none = Said::of(scripts.command(CHECK).args(["--count", "--hours", "0"])).code(0);
    assert_eq!(none.out(), "0\n");
    let json = Said::of(scripts.command(CHECK).args(["--json"])).code(86);
    let json: Value = serde_json::from_str(&json.out()).expect("JSON");
    assert_eq!(json["crashes"].as_array().map(Vec::len), Some(1), "{json}");
}

#[test]
fn the_summary_keeps_its_published_form() {
    let scripts = Scripts::new();
    let report = scripts.crash();
    std::fs::copy(report, scripts.logs().join("20250102_030405_Python-1.ips")).expect("copied");
    Said::of(scripts.command(CHECK).arg("--sync")).code(0);
    let summary = std::fs::read(scripts.logs().join("crash_summary.json")).expect("written");
    let summary: Value = serde_json::from_slice(&summary).expect("JSON");
    assert_eq!(summary["total_files"], 1);
    assert!(summary["last_check"].is_string());
    let crash = &summary["crashes"][0];
    assert!(crash["timestamp"].is_string() && crash["file"].is_string());
    for key in ["process", "exception", "fault_address", "crashed_in"] {
        assert!(
            crash["info"].get(key).is_some_and(|value| !value.is_null()),
            "{key}: {crash}"
        );
    }
}

#[test]
fn the_published_options_are_agxruns() {
    let scripts = Scripts::new();
    let logs = scripts.logs().display().to_string();
    let words = |options: &[&str]| {
        let said = Said::of(scripts.spoken(CHECK).args(options)).code(0);
        said.words().join(" ")
    };
    let start = format!("check-crashes --archive {logs}");
    assert_eq!(words(&[]), format!("{start} --fail --hours 24"));
    assert_eq!(words(&["--latest"]), format!("{start} --fail --latest"));
    assert_eq!(
        words(&["--latest", "--hours", "3"]),
        format!("{start} --fail --latest --hours 3")
    );
    assert_eq!(
        words(&["--json", "--count"]),
        format!("{start} --fail --count --json --hours 24")
    );
    assert_eq!(words(&["--watch"]), format!("{start} --watch"));
    assert_eq!(words(&["--sync"]), format!("{start} --sync"));
    Said::of(scripts.spoken(CHECK).arg("--no-such-option")).code(2);
    Said::of(scripts.command(CHECK).args(["--hours", "many"])).code(2);
}

#[test]
fn the_monitor_is_started_asked_and_stopped() {
    let scripts = Scripts::new();
    Said::of(scripts.command(MONITOR).arg("status")).code(3);
    Said::of(scripts.command(MONITOR).arg("check")).code(0);
    Said::of(scripts.command(MONITOR).arg("start")).code(0);
    Said::of(scripts.command(MONITOR).arg("status")).code(0);
    scripts.crash();
    Said::of(scripts.command(MONITOR).arg("stop")).code(0);
    Said::of(scripts.command(MONITOR).arg("status")).code(3);
    assert_eq!(scripts.archived().len(), 1, "what came while it ran");
    Said::of(scripts.command(MONITOR).arg("check")).code(86);
    for wrong in [&[][..], &["restart"], &["start", "now"]] {
        Said::of(scripts.command(MONITOR).args(wrong)).code(2);
    }
}

#[test]
fn reports_are_collected() {
    let scripts = Scripts::new();
    Said::of(&mut scripts.command(COLLECT)).code(0);
    let report = scripts.crash();
    let shown = Said::of(scripts.command(COLLECT).args(["--last", "2"])).code(86);
    assert!(shown.out().contains("SIGSEGV"), "{}", shown.out());
    Said::of(&mut scripts.command(COLLECT)).code(86);
    let translated = Said::of(scripts.command(COLLECT).arg("--parse").arg(report)).code(0);
    assert!(
        translated.out().contains("Exception Type:"),
        "{}",
        translated.out()
    );
    Said::of(
        scripts
            .command(COLLECT)
            .args(["--parse", "/nonexistent.ips"]),
    )
    .code(125);
    Said::of(scripts.command(COLLECT).arg("--copy")).code(0);
    assert_eq!(scripts.archived().len(), 1);
    Said::of(scripts.command(MONITOR).arg("status")).code(3);
}

#[test]
fn collecting_asks_agxrun_for_the_published_number() {
    let scripts = Scripts::new();
    for (options, number) in [(&[][..], "5"), (&["--last"], "5"), (&["--last", "7"], "7")] {
        let words = Said::of(scripts.spoken(COLLECT).args(options))
            .code(0)
            .words();
        assert_eq!(words[..3], ["check-crashes", "--latest", number]);
    }
    let words = Said::of(scripts.spoken(COLLECT).arg("--watch"))
        .code(0)
        .words();
    assert_eq!(words[..2], ["check-crashes", "--watch"]);
    for wrong in [
        &["--all"][..],
        &["--parse"],
        &["--last", "1", "2"],
        &["--watch", "now"],
    ] {
        Said::of(scripts.spoken(COLLECT).args(wrong)).code(2);
    }
}

#[test]
fn agxrun_is_found_by_variable_in_the_build_beside_and_on_the_path() {
    let scripts = Scripts::new();
    let at = |path: &str| {
        let file = scripts.sandbox.path(path);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        programs::write(&file, format!("#!/bin/sh\necho {path}\n"));
    };
    let found = || {
        let mut of_each = Vec::new();
        for (script, arguments) in [
            (CHECK, &[][..]),
            (MONITOR, &["status"]),
            ("run_with_fix.sh", &["x"]),
        ] {
            let mut command = scripts.command(script);
            let path = format!(
                "{}:/usr/bin:/bin",
                scripts.sandbox.path("on-path").display()
            );
            command
                .args(arguments)
                .env_remove("AGXRUN")
                .env("PATH", path);
            let said = Said::of(&mut command);
            of_each.push(
                said.out()
                    + if said.err().contains("was not found") {
                        "none"
                    } else {
                        ""
                    },
            );
        }
        of_each.dedup();
        of_each
    };
    assert_eq!(found(), ["none"]);
    for place in ["on-path/agxrun", "agxrun", "target/release/agxrun"] {
        at(place);
        assert_eq!(found(), [format!("{place}\n")]);
    }
    for (script, argument) in [(CHECK, "--count"), (MONITOR, "status")] {
        let mut wrong = scripts.command(script);
        wrong.arg(argument).env("AGXRUN", "/nonexistent/agxrun");
        Said::of(&mut wrong).code(125);
    }
}
