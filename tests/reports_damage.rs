//! No file, however broken, panics or is lost.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::LazyLock;

use agxrun::diagnose::diagnose;
use agxrun::reports::problem::{Absent, Fact, ReadError};
use agxrun::reports::{FileError, Kind, Problem, frames, ips, read_file};
use proptest::prelude::*;

fn corpus(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/reports")
        .join(name);
    fs::read(path).expect("test data")
}

/// Small reports of every form: JSON, JSON with a text body, a damaged header, and text.
static SAMPLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    [
        "053_sleep.ips",
        "069_CrashingTest.ips",
        "089_MemoryLeakingApp.ips",
        "047_Execudex.ips",
        "051_itunescloudd.ips",
        "002_Python.crash",
        "095_YetAnotherMac.crash",
    ]
    .map(corpus)
    .to_vec()
});

/// Reads, and asks every question that a caller may ask.
fn exercise(bytes: &[u8]) {
    if let Ok(report) = ips::read(bytes) {
        let _shown = (
            report.absent(),
            frames::crashed_in(&report),
            diagnose(&report),
        );
        assert!(
            report
                .faulting_thread
                .is_none_or(|index| index < report.threads.len())
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn damaged_bytes_are_read(
        sample in 0..7_usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut bytes = SAMPLES[sample].clone();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        exercise(&bytes);
    }

    #[test]
    fn cut_off_files_are_read(sample in 0..7_usize, end in any::<prop::sample::Index>()) {
        let bytes = &SAMPLES[sample];
        exercise(&bytes[..end.index(bytes.len())]);
    }

    #[test]
    fn spliced_files_are_read(
        first in 0..7_usize,
        second in 0..7_usize,
        end in any::<prop::sample::Index>(),
        start in any::<prop::sample::Index>(),
    ) {
        let (head, tail) = (&SAMPLES[first], &SAMPLES[second]);
        let mut bytes = head[..end.index(head.len())].to_vec();
        bytes.extend_from_slice(&tail[start.index(tail.len())..]);
        exercise(&bytes);
    }

    #[test]
    fn arbitrary_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        exercise(&bytes);
    }

    #[test]
    fn a_cut_behind_the_pid_keeps_the_process(end in 2000..7000_usize) {
        let report = ips::read(&SAMPLES[0][..end]).expect("a report");
        prop_assert_eq!(report.process.pid, Some(10277));
        prop_assert_eq!(report.incident(), Some("051760D9-97FF-475F-8B61-B0FDFB04D484"));
        let told = report.problems.iter().any(|problem| {
            matches!(problem, Problem::BodyTruncated { .. })
        });
        prop_assert!(told, "{:?}", report.problems);
    }
}

const HEADER: &str = r#"{"app_name":"x","timestamp":"2026-01-02 03:04:05.00 +0000","bug_type":"309","incident_id":"I"}"#;

fn with_body(body: &str) -> agxrun::reports::Report {
    ips::read(format!("{HEADER}\n{body}").as_bytes()).expect("a report")
}

fn drifted(report: &agxrun::reports::Report) -> Vec<&str> {
    let mut fields = Vec::new();
    for problem in &report.problems {
        if let Problem::Drifted { field, .. } = problem {
            fields.push(field.as_str());
        }
    }
    fields
}

#[test]
fn one_odd_field_loses_only_itself() {
    let report = with_body(
        r#"{"pid": {"value": 7}, "procName": "x", "parentPid": "12", "captureTime": 5,
            "exception": ["EXC_CRASH"], "termination": {"code": [], "namespace": "SIGNAL"},
            "asi": {"libfoo": "one text"},
            "threads": [{"id": -1, "triggered": 1, "frames": [{"imageIndex": 0, "symbol": null},
                         "no frame", {"symbol": "f", "imageOffset": 1.5}]}, 3],
            "usedImages": {"0": {}}, "faultingThread": 9}"#,
    );
    assert_eq!(report.process.pid, None);
    assert_eq!(report.process.name.as_deref(), Some("x"));
    assert_eq!(report.process.parent_pid, Some(12));
    assert_eq!(report.exception, None);
    assert_eq!(
        report
            .termination
            .as_ref()
            .and_then(|t| t.namespace.as_deref()),
        Some("SIGNAL")
    );
    assert_eq!(report.asi[0].messages, ["one text"]);
    assert_eq!(report.threads.len(), 2);
    assert_eq!(
        report.threads[0].frames.len(),
        3,
        "odd entries keep their place"
    );
    assert_eq!(report.threads[0].frames[2].symbol.as_deref(), Some("f"));
    assert_eq!(
        report.faulting_thread,
        Some(0),
        "an index beyond the list gives way to the mark"
    );
    let expected = [
        "pid",
        "captureTime",
        "exception",
        "code",
        "id",
        "frames",
        "imageOffset",
        "threads",
        "usedImages",
    ];
    assert_eq!(drifted(&report), expected);
    assert!(report.absent().contains(&(Fact::Pid, Absent::Unreadable)));
}

#[test]
fn a_header_alone_is_a_report_without_a_body() {
    let report = ips::read(HEADER.as_bytes()).expect("a report");
    assert_eq!(report.problems, [Problem::BodyMissing]);
    assert_eq!(report.process_name(), Some("x"));
    assert_eq!(report.kind, Kind::Crash);
}

#[test]
fn a_body_alone_is_read() {
    let body = r#"{"pid": 7, "procName": "x", "incident": "I", "bug_type": "309"}"#;
    let report = ips::read(body.as_bytes()).expect("a report");
    assert_eq!(report.problems, [Problem::HeaderMissing]);
    assert_eq!(
        (report.process.pid, report.incident()),
        (Some(7), Some("I"))
    );
    assert_eq!(report.kind, Kind::Crash);
}

#[test]
fn what_follows_the_body_is_noted() {
    let report = with_body("{\"pid\": 7}\n\nand more\n");
    assert_eq!(report.process.pid, Some(7));
    assert_eq!(report.problems, [Problem::TrailingData { bytes: 9 }]);
}

#[test]
fn bytes_that_are_not_utf_8_are_replaced_and_noted() {
    let mut bytes = format!("{HEADER}\n{{\"pid\": 7, \"procName\": \"").into_bytes();
    let at = bytes.len();
    bytes.extend_from_slice(b"\xff\xfe\"}");
    let report = ips::read(&bytes).expect("a report");
    assert_eq!(report.process.pid, Some(7));
    assert_eq!(report.problems, [Problem::NotUtf8 { at }]);
}

#[test]
fn deep_nesting_costs_no_stack() {
    let deep = "[".repeat(200_000);
    for body in [
        format!("{{\"pid\": 7, \"asi\": {deep}"),
        format!("{{\"pid\": 7, \"x\": {deep}"),
    ] {
        let report = with_body(&body);
        assert_eq!(report.process.pid, Some(7));
        assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    }
    exercise(deep.as_bytes());
    exercise("{\"a\":".repeat(100_000).as_bytes());
}

#[test]
fn other_kinds_are_data() {
    for (bug_type, kind) in [
        ("284", Kind::GpuEvent),
        ("298", Kind::Jetsam),
        ("4711", Kind::Unknown("4711".to_owned())),
    ] {
        let header = HEADER.replace("309", bug_type);
        let report = ips::read(format!("{header}\n{{}}").as_bytes()).expect("a report");
        assert_eq!(report.kind, kind);
        assert!(!report.is_process_crash());
    }
}

#[test]
fn a_gpu_event_names_a_process_and_no_pid() {
    let text = r#"{"bug_type":"284","timestamp":"2026-04-19 16:13:22.00 +0000","incident_id":"G"}
        {"bug_type": "284", "process_name": "python3.14", "registers": {}, "timestamp": 1791604744,
         "analysis": {"guilty_dm": 3, "signature": 579, "restart_reason": 4,
                      "restart_reason_desc": "firmware-detected lockup"}}"#;
    let report = ips::read(text.as_bytes()).expect("a report");
    assert_eq!(report.problems, []);
    assert_eq!(report.process_name(), Some("python3.14"));
    let gpu = report.gpu.as_ref().expect("an analysis");
    assert_eq!(
        gpu.restart_reason.as_deref(),
        Some("firmware-detected lockup")
    );
    assert_eq!(gpu.signature, Some(579));
    let none = |fact| (fact, Absent::KindHasNone(Kind::GpuEvent));
    assert_eq!(
        report.absent(),
        [none(Fact::Pid), none(Fact::ExceptionType)]
    );
}

#[test]
fn what_is_no_report_is_said_so() {
    assert_eq!(ips::read(b""), Err(ReadError::Empty));
    assert_eq!(ips::read(b" \n "), Err(ReadError::Empty));
    for bytes in [
        &b"\x7fELF\x02\x01"[..],
        b"hello",
        b"{}",
        b"[1, 2]",
        b"{\"a\": 1}",
        b"{\x80",
    ] {
        let error = ips::read(bytes).expect_err("no report");
        assert!(matches!(error, ReadError::NotAReport { .. }), "{error}");
    }
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = read_file(&folder.path().join("none.ips")).expect_err("no file");
    assert!(matches!(missing, FileError::Io { .. }), "{missing}");
    let directory = read_file(folder.path()).expect_err("a folder");
    assert!(
        matches!(directory, FileError::NotAFile { .. }),
        "{directory}"
    );
    let pipe = folder.path().join("pipe.ips");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).expect("a pipe");
    let pipe = read_file(&pipe).expect_err("a pipe");
    assert!(matches!(pipe, FileError::NotAFile { .. }), "{pipe}");
    let large = folder.path().join("large.ips");
    let file = fs::File::create(&large).expect("a file");
    file.set_len(65 << 20).expect("a sparse file");
    let large = read_file(&large).expect_err("too large");
    assert!(matches!(large, FileError::TooLarge { .. }), "{large}");
}

#[test]
fn a_file_that_grows_while_it_is_read_is_never_taken_for_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("growing.ips");
    let whole = corpus("053_sleep.ips");
    let step = 64;
    fs::write(&path, &whole[..step]).expect("written");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut file = OpenOptions::new().append(true).open(&path).expect("opened");
            for chunk in whole[step..].chunks(step) {
                file.write_all(chunk).expect("written");
            }
        });
        loop {
            let done = writer.is_finished();
            match read_file(&path) {
                Ok(report) if done => {
                    assert_eq!(report.problems, []);
                    break;
                }
                // Cut off at rest between two writes: the cut is told.
                Ok(report) => {
                    assert!(
                        report.problems.is_empty() || report.is_cut_off(),
                        "{report:?}"
                    );
                }
                Err(error) => assert!(error.is_transient() && !done, "{error}"),
            }
        }
    });
}
