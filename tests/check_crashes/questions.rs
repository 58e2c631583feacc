//! Which crashes are found, counted and grouped.

use std::fs;

use chrono::TimeDelta;
use serde_json::json;

use crate::common;
use crate::made::{Crash, check, code, crash, incidents, sandbox, stderr, stdout, three, valid};

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
