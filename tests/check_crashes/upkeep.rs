//! The archive's summary, and removing copies.

use std::fs;
use std::os::unix::fs::symlink;

use chrono::Utc;
use serde_json::{Value, json};

use crate::common::Sandbox;
use crate::made::{check, code, crash, sandbox, stderr, stdout, valid};

fn summary(sandbox: &Sandbox) -> Value {
    let bytes = fs::read(sandbox.path("archive/crash_summary.json")).expect("a summary");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[test]
fn the_summary_is_made_anew_from_the_files() {
    let sandbox = sandbox();
    let archive = sandbox.path("archive");
    let one = crash("A", "alpha").archive(&archive, "20260101_000001");
    crash("A", "alpha").archive(&archive, "20260101_000002");
    crash("B", "beta").archive(&archive, "20260101_000003");
    let name = one
        .file_name()
        .expect("a name")
        .to_str()
        .expect("text")
        .to_owned();
    let gone: Vec<Value> = (10..83)
        .map(|n| json!({
            "timestamp": "2025-06-27T12:35:35",
            "file": format!("20250628_{:02}{:02}00_Python-2025-06-27-123535.ips", n / 60, n % 60),
            "info": { "process": "Python", "exception": "EXC_BAD_ACCESS" },
        }))
        .collect();
    let mut crashes =
        vec![json!({ "file": name, "command": "python3 t.py", "info": { "fault_address": "1" } })];
    crashes.extend(gone);
    let old = json!({ "crashes": crashes, "total_files": 99, "own": "kept" });
    fs::write(archive.join("crash_summary.json"), old.to_string()).expect("written");
    let synced = check(&sandbox, &["--sync", "--json"]);
    assert_eq!(code(&synced), Some(0));
    let answer = valid(&synced);
    assert_eq!(answer["sync"]["listed"], 3);
    assert_eq!(answer["sync"]["gone"], 1);
    assert_eq!(answer["sync"]["duplicates"], 1 + 1 + 72);
    let made = summary(&sandbox);
    assert_eq!(
        (&made["own"], &made["total_files"]),
        (&json!("kept"), &json!(3))
    );
    let crashes = made["crashes"].as_array().expect("a list");
    assert_eq!(crashes.len(), 3);
    let alpha = crashes
        .iter()
        .find(|crash| crash["incident"] == "A")
        .expect("listed");
    assert_eq!(alpha["command"], "python3 t.py");
    assert_eq!(alpha["info"]["fault_address"], "0x10", "what the file says");
    let python = crashes
        .iter()
        .find(|crash| crash["info"]["process"] == "Python")
        .expect("kept");
    assert_eq!(python["file_gone"], true);
    // Again: nothing changes but the time.
    let text = stdout(&check(&sandbox, &["--sync"]));
    assert!(
        text.starts_with("3 entries of 3 report files in "),
        "{text}"
    );
    assert_eq!(summary(&sandbox)["crashes"], made["crashes"]);

    fs::write(archive.join("crash_summary.json"), "{ damaged").expect("written");
    let synced = check(&sandbox, &["--sync"]);
    assert!(
        stderr(&synced).contains("set aside as"),
        "{}",
        stderr(&synced)
    );
    assert_eq!(
        summary(&sandbox)["crashes"].as_array().map(Vec::len),
        Some(2)
    );
    let none = sandbox
        .agxrun()
        .args(["check-crashes", "--sync", "--archive", "nowhere"])
        .output()
        .expect("agxrun starts");
    assert_eq!(
        (code(&none), sandbox.path("nowhere").exists()),
        (Some(0), false)
    );
}

#[test]
fn only_copies_are_removed_and_only_when_told_so() {
    let sandbox = sandbox();
    let archive = sandbox.path("archive");
    let old = crash("A", "alpha").archive(&archive, "20250101_000000");
    let stamp = Utc::now().format("%Y%m%d_%H%M%S").to_string();
    let new = crash("B", "beta").archive(&archive, &stamp);
    let own = crash("C", "gamma").write(&archive);
    let kept = crash("D", "delta").write(&sandbox.reports());
    check(&sandbox, &["--sync"]);
    let dry = check(&sandbox, &["--clean", "--dry-run", "--json"]);
    let answer = valid(&dry);
    assert_eq!(
        (&answer["clean"]["removed"], &answer["clean"]["foreign"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(answer["clean"]["files"].as_array().map(Vec::len), Some(2));
    let refused = check(&sandbox, &["--clean"]);
    assert_eq!(code(&refused), Some(125));
    assert!(
        stdout(&refused).starts_with("to remove: 2 copies of reports"),
        "{}",
        stdout(&refused)
    );
    assert!(stderr(&refused).contains("--yes"), "{}", stderr(&refused));
    assert!(old.exists() && new.exists());
    let cleaned = check(&sandbox, &["--clean", "--older-than", "30d", "--yes"]);
    assert_eq!(code(&cleaned), Some(0));
    assert!(
        stdout(&cleaned).contains("removed 1 copy"),
        "{}",
        stdout(&cleaned)
    );
    assert!(!old.exists() && new.exists() && own.exists() && kept.exists());
    let listed = summary(&sandbox);
    let alpha = listed["crashes"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|crash| crash["incident"] == "A");
    assert_eq!(alpha.expect("kept")["file_gone"], true);
    assert_eq!(listed["total_files"], 2);
    assert_eq!(
        valid(&check(&sandbox, &["--clean", "--yes", "--json"]))["clean"]["removed"],
        1
    );
    assert!(own.exists() && kept.exists());
    let nothing = check(&sandbox, &["--clean", "--yes"]);
    assert!(
        stdout(&nothing).starts_with("nothing to remove"),
        "{}",
        stdout(&nothing)
    );
}

#[test]
fn the_systems_reports_are_never_removed() {
    let sandbox = sandbox();
    let report = crash("A", "alpha").archive(&sandbox.reports(), "20250101_000000");
    symlink(sandbox.reports(), sandbox.path("link")).expect("linked");
    for archive in ["reports", "link"] {
        let refused = sandbox
            .agxrun()
            .args([
                "check-crashes",
                "--clean",
                "--yes",
                "--reports-dir",
                "reports",
                "--archive",
                archive,
            ])
            .output()
            .expect("agxrun starts");
        assert_eq!(code(&refused), Some(125), "{archive}");
        assert!(
            stderr(&refused).contains("nothing is removed"),
            "{}",
            stderr(&refused)
        );
        assert!(report.exists());
    }
}

#[test]
fn a_summary_that_cannot_be_written_stays_as_it_is() {
    let sandbox = sandbox();
    let archive = sandbox.path("archive");
    crash("A", "alpha").archive(&archive, "20260101_000000");
    fs::write(archive.join("crash_summary.json"), "{\"own\": 1}").expect("written");
    let refused = sandbox
        .limited_agxrun()
        .args(["check-crashes", "--sync", "--archive", "archive"])
        .output()
        .expect("agxrun starts");
    assert_eq!(code(&refused), Some(125));
    assert!(
        stderr(&refused).contains("crash_summary.json"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(summary(&sandbox), json!({ "own": 1 }));
}
