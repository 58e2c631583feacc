//! Users' own signatures.

use std::path::Path;

use agxrun::diagnose::{SignatureFileError, Signatures};

use super::crash;

const ENTRY: &str = "[[signature]]
id = \"mine\"
title = \"my failure\"
meaning = \"it failed\"
remedy = \"mend it\"
source = \"seen here\"
blame = \"target\"
";

fn load(text: &str) -> Result<Signatures, SignatureFileError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    std::fs::write(&path, text).expect("a file");
    Signatures::with_file(&path)
}

fn loaded(text: &str) -> Signatures {
    load(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_users_entries_stand_before_the_others() {
    let signatures = loaded(&format!(
        "{ENTRY}lines = [\"kIOGPUCommandBufferCallbackErrorHang\", \"my * failed\"]
[[signature.report]]
exceptions = [\"SIGABRT\"]
interesting = [\"app`my_*\"]
"
    ));
    let id = |line| signatures.match_line(line).map(|entry| entry.id.as_str());
    assert_eq!(
        id("(00000003:kIOGPUCommandBufferCallbackErrorHang)"),
        Some("mine")
    );
    assert_eq!(id("my thing failed"), Some("mine"));
    assert_eq!(
        id("(00000004:kIOGPUCommandBufferCallbackErrorSubmissionsIgnored)"),
        Some("gpu_ignored")
    );
    let stack = [
        ("libsystem_c.dylib", "abort"),
        ("app", "my_function"),
        ("app", "main"),
    ];
    let diagnosis = signatures.diagnose(&crash("EXC_CRASH", "SIGABRT", &stack));
    assert_eq!(
        diagnosis.map(|diagnosis| diagnosis.title).as_deref(),
        Some("my failure")
    );
    assert!(
        signatures
            .diagnose(&crash("EXC_CRASH", "SIGABRT", &stack[..1]))
            .is_none()
    );
    assert!(signatures.get("agx_null_pipeline").is_some() && signatures.get("mine").is_some());
}

#[test]
fn an_entry_with_a_known_id_replaces_that_one() {
    let text = format!(
        "{}lines = [\"mine only\"]\n",
        ENTRY.replace("\"mine\"", "\"gpu_hang\"")
    );
    let signatures = loaded(&text);
    let count = signatures
        .iter()
        .filter(|entry| entry.id == "gpu_hang")
        .count();
    assert_eq!(count, 1);
    let line = signatures.match_line("(00000003:kIOGPUCommandBufferCallbackErrorHang)");
    assert_eq!(line.map(|entry| entry.id.as_str()), Some("gpu_error"));
}

#[test]
fn an_empty_file_adds_nothing() {
    let count = |signatures: &Signatures| signatures.iter().count();
    assert_eq!(count(&loaded("")), count(Signatures::builtin()));
    assert_eq!(
        count(&loaded("version = 1\n")),
        count(Signatures::builtin())
    );
}

#[test]
fn every_condition_can_be_written() {
    let all = "lines = [\"a\"]
sentences = [\"b\"]
[[signature.report]]
kinds = [\"crash\", \"unstated\"]
processes = [\"Python*\"]
systems = [\"macOS 26*\"]
exceptions = [\"EXC_BAD_ACCESS\"]
subtypes = [\"KERN_*\"]
addresses = [0x5c8]
near_null = true
access = \"read\"
pointer_authentication = true
first = [\"a`b\"]
interesting = [\"b\"]
anywhere = [\"c`*\"]
order = [\"d\", \"e\"]
loaded = [\"libagx_fix*\"]
queues = [\"com.apple.*\"]
threads = [\"worker*\"]
namespaces = [\"DYLD\"]
codes = [0x8badf00d]
said = [\"f\"]
policies = [\"v2*\"]
counters = [\"null_impl_skips\"]
in_call = [\"-[* commit]\"]
confidence = \"low\"
[[signature.report]]
said = [\"g\"]
";
    let signatures = loaded(&format!("{ENTRY}{all}"));
    assert_eq!(
        signatures.get("mine").map(|entry| entry.reports.len()),
        Some(2)
    );
}

#[test]
fn a_broken_file_is_named_with_line_key_and_what_is_allowed() {
    let with = |more: &str| format!("{ENTRY}{more}");
    for (text, line, key, words) in [
        (
            with("colour = \"red\"\nlines = [\"a\"]\n"),
            8,
            "`colour`",
            "sentences",
        ),
        (
            with("[[signature.report]]\nfirsst = [\"f\"]\n"),
            9,
            "`firsst`",
            "`first`",
        ),
        (
            with("[[signature.report]]\nkinds = [\n  \"crash\",\n  \"boom\",\n]\n"),
            11,
            "`kinds`",
            "gpu_event",
        ),
        (
            with("[[signature.report]]\nconfidence = \"sure\"\n"),
            9,
            "`confidence`",
            "medium",
        ),
        (
            with("[[signature.report]]\naddresses = [\"0x5c8\"]\n"),
            9,
            "`addresses`",
            "u64",
        ),
        (
            with("[[signature.report]]\nfirst = [\"*\"]\n"),
            9,
            "`first`",
            "everything",
        ),
        (with("lines = [\"**\"]\n"), 8, "`lines`", "everything"),
        (
            with("[[signature.report]]\n"),
            8,
            "`signature.report`",
            "would match every report",
        ),
        (with(""), 1, "`signature`", "never match"),
        (
            with("lines = [\"a\"]\n").replace("\"mine\"", "\"my failure\""),
            2,
            "`id`",
            "letters",
        ),
        (
            with("lines = [\"a\"]\n").replace("\"my failure\"", "\" \""),
            3,
            "`title`",
            "a text is wanted",
        ),
        (
            with("lines = [\"a\"]\n").replace("\"target\"", "\"nobody\""),
            7,
            "`blame`",
            "elsewhere",
        ),
        (
            with("lines = [\"a\"]\n").replace("remedy = \"mend it\"\n", ""),
            1,
            "`signature`",
            "remedy",
        ),
        (with("lines = [\"a\"]\n").repeat(2), 10, "`id`", "twice"),
        ("version = 2\n".to_owned(), 1, "`version`", "version 1"),
        ("[[signature]\n".to_owned(), 1, "`signature`", "`]`"),
        (
            "signatures = []\n".to_owned(),
            1,
            "`signatures`",
            "`signature`",
        ),
    ] {
        let error = load(&text).expect_err(&text);
        let SignatureFileError::Invalid {
            path,
            line: at,
            key: found,
            reason,
        } = &error
        else {
            panic!("{text}: {error}")
        };
        assert!(path.ends_with("mine.toml"));
        assert_eq!((*at, found.as_str()), (line, key), "{text}\n{error}");
        assert!(reason.contains(words), "{text}\n{error}");
        assert!(
            error.to_string().contains(&format!("line {line}, {key}")),
            "{error}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_or_too_large_is_named() {
    let missing = Signatures::with_file(Path::new("/no/such/file.toml")).expect_err("missing");
    assert!(
        missing.to_string().contains("/no/such/file.toml"),
        "{missing}"
    );
    let error = load(&"# nothing\n".repeat(200_000)).expect_err("too large");
    assert!(
        matches!(error, SignatureFileError::TooLarge { .. }),
        "{error}"
    );
    let error = load("a = \u{1b}[31m").expect_err("no TOML");
    assert!(
        matches!(error, SignatureFileError::Invalid { .. }),
        "{error}"
    );
}
