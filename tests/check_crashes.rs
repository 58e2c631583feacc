//! `agxrun check-crashes` end to end: what it finds, shows, counts and says.

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Output;

use chrono::{DateTime, TimeDelta, Utc};
use common::Sandbox;
use serde_json::{Value, json};

/// Folders of one test's own; the pieces beside agxrun are not needed.
fn sandbox() -> Sandbox {
    let root = tempfile::tempdir().expect("a temporary folder");
    for folder in ["reports", "archive", "home"] {
        fs::create_dir(root.path().join(folder)).expect("a folder");
    }
    Sandbox { root }
}

fn check(sandbox: &Sandbox, options: &[&str]) -> Output {
    sandbox
        .agxrun()
        .args([
            "check-crashes",
            "--reports-dir",
            "reports",
            "--archive",
            "archive",
        ])
        .args(options)
        .output()
        .expect("agxrun starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

/// The schema that agxrun prints, with no room for fields that it does not describe.
fn schema() -> jsonschema::Validator {
    fn strict(schema: &mut Value) {
        match schema {
            Value::Object(fields) => {
                let is_object = fields.get("type").and_then(Value::as_str) == Some("object");
                if is_object && !fields.contains_key("additionalProperties") {
                    fields.insert("additionalProperties".to_owned(), false.into());
                }
                fields.values_mut().for_each(strict);
            }
            Value::Array(items) => items.iter_mut().for_each(strict),
            _ => {}
        }
    }
    let printed = check(&sandbox(), &["--json-schema"]);
    let mut schema: Value = serde_json::from_slice(&printed.stdout).expect("JSON");
    strict(&mut schema);
    jsonschema::validator_for(&schema).expect("a schema")
}

#[track_caller]
fn valid(output: &Output) -> Value {
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", stdout(output), stderr(output)));
    let wrong: Vec<String> = schema()
        .iter_errors(&answer)
        .map(|error| error.to_string())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{answer:#}");
    answer
}

/// A report as the system writes it: name, incident, process, where, and how long ago.
struct Crash<'a> {
    incident: &'a str,
    process: &'a str,
    symbol: &'a str,
    ago: TimeDelta,
}

const NOW: TimeDelta = TimeDelta::zero();

fn crash<'a>(incident: &'a str, process: &'a str) -> Crash<'a> {
    Crash {
        incident,
        process,
        symbol: "work",
        ago: NOW,
    }
}

impl Crash<'_> {
    fn time(&self) -> DateTime<Utc> {
        Utc::now() - self.ago
    }

    fn text(&self) -> String {
        let time = self.time();
        let header = json!({
            "app_name": self.process,
            "timestamp": time.format("%Y-%m-%d %H:%M:%S.00 +0000").to_string(),
            "bug_type": "309",
            "os_version": "macOS 15.3 (24D60)",
            "incident_id": self.incident,
        });
        let body = json!({
            "procName": self.process,
            "pid": 4242,
            "captureTime": time.format("%Y-%m-%d %H:%M:%S%.4f +0000").to_string(),
            "incident": self.incident,
            "exception": {
                "type": "EXC_BAD_ACCESS",
                "signal": "SIGSEGV",
                "subtype": "KERN_INVALID_ADDRESS at 0x0000000000000010",
            },
            "faultingThread": 0,
            "threads": [{ "triggered": true, "id": 1, "frames": [
                { "imageIndex": 0, "imageOffset": 16, "symbol": self.symbol, "symbolLocation": 8 },
            ]}],
            "usedImages": [{ "name": "libwork.dylib", "path": "/opt/libwork.dylib", "base": 4096, "size": 4096 }],
        });
        format!("{header}\n{body:#}")
    }

    fn name(&self) -> String {
        let stamp = self.time().format("%Y-%m-%d-%H%M%S");
        format!("{}-{stamp}-{}.ips", self.process, self.incident)
    }

    /// Written into a folder, with the time of the crash as that of the file.
    fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join(self.name());
        fs::write(&path, self.text()).expect("written");
        let file = fs::File::options().write(true).open(&path).expect("there");
        file.set_modified(self.time().into()).expect("set");
        path
    }

    fn archive(&self, folder: &Path, stamp: &str) -> PathBuf {
        let path = folder.join(format!("{stamp}_{}", self.name()));
        fs::write(&path, self.text()).expect("written");
        path
    }
}

fn incidents(answer: &Value) -> Vec<&str> {
    let crashes = answer["crashes"].as_array().expect("crashes");
    crashes
        .iter()
        .map(|crash| crash["incident"].as_str().expect("an incident"))
        .collect()
}

/// Three crashes of two programs, at three times.
fn three(sandbox: &Sandbox) {
    let reports = sandbox.reports();
    crash("A", "alpha").write(&reports);
    Crash {
        symbol: "play",
        ago: TimeDelta::hours(3),
        ..crash("B", "beta")
    }
    .write(&reports);
    Crash {
        ago: TimeDelta::days(3),
        ..crash("C", "alpha")
    }
    .write(&reports);
}

#[test]
fn conditions_combine() {
    let sandbox = sandbox();
    three(&sandbox);
    let of = |options: &[&str]| {
        let mut options = options.to_vec();
        options.push("--json");
        let answer = valid(&check(&sandbox, &options));
        let found: Vec<String> = incidents(&answer).into_iter().map(str::to_owned).collect();
        assert_eq!(answer["count"], found.len());
        found.concat()
    };
    assert_eq!(of(&[]), "AB", "the last day");
    assert_eq!(of(&["--hours", "1"]), "A");
    assert_eq!(of(&["--since", "1w"]), "ABC");
    assert_eq!(
        of(&["--since", "1w", "--hours", "5"]),
        "AB",
        "the later of both"
    );
    assert_eq!(of(&["--since", "2000-01-01"]), "ABC");
    assert_eq!(of(&["--latest"]), "A");
    assert_eq!(of(&["--latest", "2"]), "AB");
    assert_eq!(of(&["--latest", "9"]), "ABC");
    assert_eq!(of(&["--latest", "9", "--since", "5h"]), "AB");
    assert_eq!(of(&["--since", "1w", "--process", "alpha"]), "AC");
    assert_eq!(of(&["--since", "1w", "--process", "*eta"]), "B");
    assert_eq!(
        of(&["--since", "1w", "--process", "beta", "--process", "al*"]),
        "ABC"
    );
    assert_eq!(of(&["--process", "alph"]), "", "a name is a whole name");
    assert_eq!(
        of(&["--latest", "--process", "beta"]),
        "B",
        "the newest of them"
    );
    assert_eq!(of(&["--since", "1w", "--signature", "none"]), "ABC");
    let id = agxrun::diagnose::Signatures::builtin();
    let id = &id.iter().next().expect("a signature").id;
    assert_eq!(of(&["--since", "1w", "--signature", id]), "");
    assert_eq!(
        of(&["--since", "1w", "--signature", id, "--signature", "none"]),
        "ABC"
    );

    let all = valid(&check(&sandbox, &["--since", "1w", "--json"]));
    let print = all["crashes"][0]["fingerprint"]
        .as_str()
        .expect("a fingerprint");
    let upper = print.to_ascii_uppercase();
    for prefix in [&print[..4], print, &upper[..7]] {
        assert_eq!(
            of(&["--since", "1w", "--fingerprint", prefix]),
            "AC",
            "{prefix}"
        );
    }
    assert_eq!(of(&["--fingerprint", &print[..6], "--process", "beta"]), "");
}

#[test]
fn counting_agrees_with_listing() {
    let sandbox = sandbox();
    three(&sandbox);
    let reports = sandbox.reports();
    let data = common::in_repository("tests/data/reports");
    for entry in fs::read_dir(data).expect("the reports") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), reports.join(entry.file_name())).expect("copied");
    }
    // A header alone, one that is cut off, a stackshot, an unknown kind, and a copy of A.
    let text = crash("D", "delta").text();
    let (header, _) = text.split_once('\n').expect("two parts");
    fs::write(reports.join("header.ips"), header).expect("written");
    fs::write(reports.join("cut.ips"), &header[..header.len() / 2]).expect("written");
    fs::write(
        reports.join("shot.ips"),
        header.replace("309", "288") + "\n{}",
    )
    .expect("written");
    fs::write(reports.join("odd.ips"), text.replace("309", "777")).expect("written");
    crash("A", "alpha").archive(&sandbox.path("archive"), "20260101_000000");
    for conditions in [
        &[][..],
        &["--since", "2h"],
        &["--since", "1970-01-01"],
        &["--hours", "72.1"],
    ] {
        let counted = check(&sandbox, &[conditions, &["--count"]].concat());
        let listed = valid(&check(&sandbox, &[conditions, &["--json"]].concat()));
        let grouped = valid(&check(
            &sandbox,
            &[conditions, &["--group", "--json"]].concat(),
        ));
        let count = listed["count"].as_u64().expect("a count");
        assert_eq!(stdout(&counted), format!("{count}\n"), "{conditions:?}");
        assert_eq!(grouped["count"], count, "{conditions:?}");
        let members: u64 = grouped["groups"]
            .as_array()
            .expect("groups")
            .iter()
            .map(|group| group["count"].as_u64().expect("a count"))
            .sum();
        assert_eq!(members, count, "{conditions:?}");
        let json = valid(&check(
            &sandbox,
            &[conditions, &["--count", "--json"]].concat(),
        ));
        assert_eq!(json["count"], count);
    }
}

#[test]
fn equal_crashes_are_one_group() {
    let sandbox = sandbox();
    three(&sandbox);
    let answer = valid(&check(&sandbox, &["--group", "--since", "1w", "--json"]));
    let groups = answer["groups"].as_array().expect("groups");
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0]["count"], 2);
    assert_eq!(groups[0]["processes"], json!({ "alpha": 2 }));
    let newest = groups[0]["newest"].as_str().expect("a file");
    assert!(newest.ends_with("-A.ips"), "{newest}");
    let plain = stdout(&check(&sandbox, &["--group", "--since", "1w"]));
    let lines: Vec<Vec<&str>> = plain
        .lines()
        .map(|line| line.split("  ").collect())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (lines[0].len(), lines[0][0], lines[0][3]),
        (8, "2", "alpha")
    );
}

#[test]
fn a_snapshot_tells_what_is_new() {
    let sandbox = sandbox();
    let reports = sandbox.reports();
    let old = crash("A", "alpha").write(&reports);
    let moved = crash("B", "beta").write(&reports);
    let touched = crash("C", "gamma").write(&reports);
    let taken = check(&sandbox, &["--snapshot", "before.json", "--json"]);
    assert_eq!(code(&taken), Some(0));
    assert_eq!(valid(&taken)["total_files"], 3);
    let since =
        |options: &[&str]| check(&sandbox, &[&["--since", "before.json"], options].concat());
    let nothing = since(&[]);
    assert!(stdout(&nothing).starts_with("no crash since the snapshot before.json"));

    fs::create_dir(reports.join("Retired")).expect("made");
    fs::rename(
        &moved,
        reports
            .join("Retired")
            .join(moved.file_name().expect("a name")),
    )
    .expect("moved");
    let archive = sandbox.path("archive");
    crash("D", "delta").archive(&archive, "20260101_000000");
    crash("D", "delta").write(&reports);
    fs::copy(&old, archive.join("20260101_000000_alpha.ips")).expect("archived");
    let again = fs::read_to_string(&touched).expect("there") + "\n";
    fs::write(&touched, again).expect("written again");
    let answer = valid(&since(&["--json", "--fail"]));
    let mut found = incidents(&answer);
    found.sort_unstable();
    assert_eq!(
        found,
        ["C", "D"],
        "the touched one and the new one, each once"
    );
    assert_eq!(answer["query"]["snapshot"], "before.json");
    assert_eq!(code(&since(&["--fail"])), Some(86));
    assert_eq!(stdout(&since(&["--count"])), "2\n");
    assert_eq!(stdout(&since(&["--count", "--process", "delta"])), "1\n");
    // A folder that the snapshot knows nothing of.
    let elsewhere = sandbox
        .agxrun()
        .args([
            "check-crashes",
            "--since",
            "before.json",
            "--count",
            "--archive",
            "none",
        ])
        .args(["--reports-dir", "reports/Retired"])
        .output()
        .expect("agxrun starts");
    assert_eq!(
        stdout(&elsewhere),
        "0\n",
        "as a part of a known one it is known"
    );
    fs::create_dir(sandbox.path("other")).expect("made");
    crash("E", "eta").write(&sandbox.path("other"));
    let elsewhere = check(
        &sandbox,
        &[
            "--since",
            "before.json",
            "--count",
            "--reports-dir",
            "other",
        ],
    );
    assert_eq!(stdout(&elsewhere), "3\n");
    assert!(
        stderr(&elsewhere).contains("knows nothing of"),
        "{}",
        stderr(&elsewhere)
    );
}

#[test]
fn a_runs_record_tells_when_it_began() {
    let sandbox = sandbox();
    let reports = sandbox.reports();
    Crash {
        ago: TimeDelta::minutes(10),
        ..crash("A", "alpha")
    }
    .write(&reports);
    let run = sandbox
        .agxrun()
        .args([
            "--no-fix",
            "--json",
            "run.json",
            "--reports-dir",
            "reports",
            "--archive",
            "archive",
        ])
        .args(["--settle", "0", "--", "true"])
        .output()
        .expect("agxrun starts");
    assert_eq!(code(&run), Some(0), "{}", stderr(&run));
    let since = |options: &[&str]| check(&sandbox, &[&["--since", "run.json"], options].concat());
    let nothing = since(&["--fail"]);
    assert_eq!(code(&nothing), Some(0));
    assert!(stdout(&nothing).starts_with("no crash since the run of run.json began"));
    crash("B", "beta").write(&reports);
    let answer = valid(&since(&["--json"]));
    assert_eq!(incidents(&answer), ["B"]);
    assert_eq!(answer["query"]["run"], "run.json");
    assert_eq!(code(&since(&["--fail"])), Some(86));
}

#[test]
fn codes_say_whether_it_failed_and_why() {
    let sandbox = sandbox();
    let reports = sandbox.reports();
    assert_eq!(
        code(&check(&sandbox, &["--fail"])),
        Some(0),
        "nothing there"
    );
    crash("A", "alpha").write(&reports);
    assert_eq!(code(&check(&sandbox, &[])), Some(0), "not asked to fail");
    for options in [
        &["--fail"][..],
        &["--fail", "--count"],
        &["--fail", "--group"],
        &["--fail", "--latest"],
    ] {
        assert_eq!(code(&check(&sandbox, options)), Some(86), "{options:?}");
    }
    assert_eq!(
        code(&check(&sandbox, &["--fail", "--process", "other"])),
        Some(0)
    );
    let missing = check(&sandbox, &["--fail", "--reports-dir", "nowhere"]);
    assert_eq!(code(&missing), Some(125));
    assert!(stderr(&missing).contains("nowhere"), "{}", stderr(&missing));
    assert_eq!(
        valid(&check(&sandbox, &["--json", "--reports-dir", "nowhere"]))["unwatched"][0]["reason"],
        "does not exist"
    );
    // A file that may hold a crash is none that can be passed over.
    fs::write(reports.join("garbage.ips"), "no report at all").expect("written");
    let unread = check(&sandbox, &["--fail", "--process", "other", "--json"]);
    assert_eq!(code(&unread), Some(86));
    assert_eq!(
        valid(&unread)["unreadable"].as_array().map(Vec::len),
        Some(1)
    );
    assert!(
        stderr(&unread).contains("garbage.ips"),
        "{}",
        stderr(&unread)
    );
}

#[test]
fn an_empty_answer_says_where_was_looked() {
    let sandbox = sandbox();
    Crash {
        ago: TimeDelta::days(3),
        ..crash("A", "alpha")
    }
    .write(&sandbox.reports());
    let text = stdout(&check(&sandbox, &["--hours", "2", "--process", "x*"]));
    for part in [
        "no crash of process x* in the last 2 h",
        "0 of 1 report file",
        "/reports",
        "/archive",
        "--since",
    ] {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
}

#[test]
fn names_never_reach_the_terminal_as_commands() {
    let sandbox = sandbox();
    let hostile = "\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}x\u{1b}[2J";
    Crash {
        symbol: hostile,
        ..crash("A", hostile)
    }
    .write(&sandbox.reports());
    fs::write(sandbox.reports().join("\u{1b}[31m.ips"), "garbage").expect("written");
    for options in [
        &[][..],
        &["--latest"],
        &["--group"],
        &["--json"],
        &["--json", "--group"],
        &["--process", "\u{1b}[1m"],
        &["--color", "never"],
    ] {
        let output = check(&sandbox, options);
        for text in [stdout(&output), stderr(&output)] {
            let odd = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}');
            assert!(!text.contains(odd), "{options:?}: {text:?}");
        }
    }
    let answer = valid(&check(&sandbox, &["--json"]));
    assert_eq!(answer["crashes"][0]["process"], hostile);
}

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
fn bad_values_are_refused_by_name() {
    let sandbox = sandbox();
    let at = |name: &str, text: &str| {
        fs::write(sandbox.path(name), text).expect("written");
    };
    at("empty.json", "");
    at("list.json", "[]");
    at("other.json", "{\"started\": \"2026-01-01T00:00:00Z\"}");
    at(
        "future.json",
        "{\"schema\": 99, \"agxrun_snapshot\": \"9\"}",
    );
    at(
        "damaged.json",
        "{\"schema\": 1, \"agxrun_snapshot\": \"1\", \"directories\": 7}",
    );
    fs::create_dir(sandbox.path("folder")).expect("made");
    for (options, expected, said) in [
        (&["--latest", "0"][..], 2, "--latest"),
        (&["--latest", "-1"], 2, "--latest"),
        (&["--latest", "many"], 2, "--latest"),
        (&["--hours", "-1"], 2, "--hours"),
        (&["--hours", "nan"], 2, "--hours"),
        (&["--since", "soon"], 2, "run --json"),
        (&["--since", ""], 2, "--since"),
        (&["--since", "-2h"], 2, "--since"),
        (&["--since", "missing.json"], 2, "missing.json"),
        (&["--since", "empty.json"], 125, "empty.json"),
        (&["--since", "list.json"], 125, "list.json"),
        (&["--since", "other.json"], 125, "other.json"),
        (&["--since", "future.json"], 125, "layout 99"),
        (&["--since", "damaged.json"], 125, "damaged"),
        (&["--since", "folder"], 125, "folder"),
        (&["--process", ""], 2, "--process"),
        (&["--signature", "no-such-failure"], 125, "no-such-failure"),
        (&["--signature", " "], 2, "--signature"),
        (&["--fingerprint", "abc"], 2, "--fingerprint"),
        (&["--fingerprint", "xyzw"], 2, "--fingerprint"),
        (&["--fingerprint", "00000000000000000"], 2, "--fingerprint"),
        (&["--group", "--count"], 2, "--count"),
        (&["--latest", "--group"], 2, "--group"),
        (&["--watch", "--since", "2h"], 2, "--since"),
        (&["--sync", "--process", "x"], 2, "--process"),
        (&["--sync", "--fail"], 2, "--fail"),
        (&["--clean", "--hours", "1"], 2, "--hours"),
        (&["--older-than", "30d"], 2, "--clean"),
        (&["--dry-run"], 2, "--clean"),
        (&["--yes"], 2, "--clean"),
        (&["--clean", "--older-than", "old"], 2, "--older-than"),
        (&["--clean", "--older-than", "-1"], 2, "--older-than"),
        (&["--snapshot", "no/such/folder/s.json"], 125, "s.json"),
        (&["--snapshot", "folder"], 125, "folder"),
        (&["--signatures", "missing.toml"], 125, "missing.toml"),
        (&["--color", "pink"], 2, "--color"),
    ] {
        let refused = check(&sandbox, options);
        assert_eq!(
            code(&refused),
            Some(expected),
            "{options:?}: {}",
            stderr(&refused)
        );
        assert!(
            stderr(&refused).contains(said),
            "{options:?}: {}",
            stderr(&refused)
        );
        assert_eq!(stdout(&refused), "", "{options:?}");
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
