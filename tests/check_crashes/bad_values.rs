//! Every option with a value that it does not take.

use std::fs;

use crate::made::{check, code, sandbox, stderr, stdout};

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
