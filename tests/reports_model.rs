//! The model of every report under `tests/data`, as a few lines each: what changes there changes a
//! snapshot. `INSTA_UPDATE=always cargo test --test reports_model`, then read the diff.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use agxrun::reports::events::{Details, Stackshot};
use agxrun::reports::{Report, frames, ips, time};

/// How many frames of the crashed thread are shown.
const FRAMES: usize = 3;

fn summary(report: &Report) -> String {
    let mut out = String::new();
    let mut line = |key: &str, value: &dyn std::fmt::Debug| {
        writeln!(out, "{key}: {value:?}").expect("written to memory");
    };
    line("kind", &report.kind);
    let header = &report.header;
    line("app", &header.app_name);
    line("bug type", &header.bug_type);
    line("os", &header.os_version);
    line("incident", &header.incident);
    line("written", &header.timestamp.as_ref().map(time::format));
    let process = &report.process;
    line("process", &(&process.name, process.pid, &process.path));
    line("parent", &(&process.parent_name, process.parent_pid));
    line(
        "responsible",
        &(&process.responsible_name, process.responsible_pid),
    );
    line("launched", &process.launched.as_ref().map(time::format));
    line("captured", &process.captured.as_ref().map(time::format));
    line("exception", &report.exception_title());
    line(
        "fault",
        &report
            .exception
            .as_ref()
            .and_then(|exception| exception.fault),
    );
    line(
        "terminated",
        &report
            .termination
            .as_ref()
            .map(|end| (&end.namespace, end.code, &end.indicator, end.reasons.len())),
    );
    let said: usize = report.asi.iter().map(|entry| entry.messages.len()).sum();
    line("messages", &(report.asi.len(), said));
    let all: usize = report
        .threads
        .iter()
        .map(|thread| thread.frames.len())
        .sum();
    line("threads and frames", &(report.threads.len(), all));
    line("thrown frames", &report.last_exception_backtrace.len());
    line("images", &report.images.len());
    line("crashed thread", &report.faulting_thread);
    let top = report.crashed_frames().iter().take(FRAMES);
    for frame in top {
        let place = (report.image_name(frame), frame.image_offset);
        line("frame", &(place, &frame.symbol, frame.symbol_location));
    }
    line("crashed in", &frames::crashed_in(report).is_some());
    line("absent", &report.absent());
    line("problems", &report.problems);
    if let Some(details) = &report.details {
        out.push_str(&details_of(details));
    }
    out
}

/// Details as JSON, samples as numbers.
fn details_of(details: &Details) -> String {
    let mut json = serde_json::to_value(details).expect("plain data");
    for event in json.as_object_mut().expect("one kind").values_mut() {
        let event = event.as_object_mut().expect("fields");
        event.remove("stackshot");
        event.remove("processes");
        event.remove("images");
        event.remove("notes");
    }
    let json = serde_json::to_string_pretty(&json).expect("plain data");
    let sample = details.stackshot().map_or_else(String::new, sample_of);
    format!("details: {json}\n{sample}")
}

fn sample_of(stackshot: &Stackshot) -> String {
    let first: Vec<_> = stackshot.processes.iter().take(FRAMES).collect();
    format!(
        "sample: {} processes, {} threads, {} images, {} notes\nfirst: {first:#?}\nblamed: {:?}\n",
        stackshot.processes.len(),
        stackshot.thread_count,
        stackshot.images.len(),
        stackshot.notes.len(),
        stackshot.blamed,
    )
}

fn check(folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(folder);
    let entries = fs::read_dir(folder).expect("the folder");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("plain");
        if name == "README.md" {
            continue;
        }
        let bytes = fs::read(&path).expect("test data");
        let report = ips::read(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        insta::assert_snapshot!(name, summary(&report));
    }
}

#[test]
fn the_models_of_the_corpus_stand() {
    check("reports");
}

#[test]
fn the_models_of_other_kinds_stand() {
    check("events");
}
