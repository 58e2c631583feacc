//! Every public report kept under `tests/data/reports` yields its five facts, or says why not.
//! What is expected stands in `expected.rs`, which says how it was made.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use agxrun::diagnose::diagnose;
use agxrun::reports::events::{Blame, Details};
use agxrun::reports::problem::{Absent, Fact};
use agxrun::reports::{Kind, Problem, Report, frames, read_file, time};

mod expected;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports")
}

fn read(name: &str) -> Report {
    read_file(&folder().join(name)).unwrap_or_else(|error| panic!("{error}"))
}

/// The first frame of the crashed thread, from its fields alone.
fn first_frame(report: &Report) -> String {
    let Some(frame) = report.crashed_frames().first() else {
        return "none".to_owned();
    };
    let image = report.image_name(frame).unwrap_or("???");
    match (&frame.symbol, frame.symbol_location) {
        (Some(symbol), Some(location)) => format!("{image}`{symbol} + {location}"),
        (Some(symbol), None) => format!("{image}`{symbol}"),
        (None, _) => format!("{image} + {:#x}", frame.image_offset.unwrap_or(u64::MAX)),
    }
}

#[test]
fn every_crash_yields_its_facts() {
    for (file, process, pid, when, exception, incident, thread, frames, first) in expected::JSON {
        let report = read(file);
        assert_eq!(report.process_name(), Some(process), "{file}: process");
        assert_eq!(report.process.pid, Some(pid), "{file}: pid");
        let time = report.time().as_ref().map(time::format);
        assert_eq!(time.as_deref(), Some(when), "{file}: time");
        let title = report.exception_title();
        assert_eq!(title.as_deref(), Some(exception), "{file}: exception");
        assert_eq!(report.incident(), Some(incident), "{file}: incident");
        assert_eq!(report.faulting_thread, Some(thread), "{file}: thread");
        assert_eq!(report.crashed_frames().len(), frames, "{file}: frames");
        assert_eq!(first_frame(&report), first, "{file}: first frame");
        assert!(diagnose(&report).is_none(), "{file}: no known signature");
        assert_eq!(report.absent(), [], "{file}: nothing is absent");
        assert!(report.is_process_crash(), "{file}");
        let kind = match file {
            "051_itunescloudd.ips" => Kind::LegacyCrash,
            _ => Kind::Crash,
        };
        assert_eq!(report.kind, kind, "{file}: kind");
        let damaged = [Problem::HeaderDamaged];
        let expected: &[Problem] = if file == "047_Execudex.ips" {
            &damaged
        } else {
            &[]
        };
        assert_eq!(report.problems, expected, "{file}: problems");
        for frame in report.crashed_frames() {
            assert!(
                report.image_of(frame).is_some(),
                "{file}: every frame has its image"
            );
        }
    }
}

#[test]
fn every_text_yields_its_facts() {
    for (file, process, pid, when, exception, incident, thread, first) in expected::TEXT {
        let report = read(file);
        assert_eq!(report.kind, Kind::TextCrash, "{file}: kind");
        assert_eq!(report.process_name(), Some(process), "{file}: process");
        assert_eq!(report.process.pid, Some(pid), "{file}: pid");
        let time = report.time().as_ref().map(time::format);
        assert_eq!(time.as_deref(), Some(when), "{file}: time");
        let title = report.exception_title();
        assert_eq!(title.as_deref(), Some(exception), "{file}: exception");
        assert_eq!(
            report.incident().unwrap_or(""),
            incident,
            "{file}: incident"
        );
        let number = report.crashed_thread().and_then(|thread| thread.id);
        assert_eq!(number, Some(thread as u64), "{file}: thread");
        assert_eq!(first_frame(&report), first, "{file}: first frame");
        assert!(diagnose(&report).is_none(), "{file}: no known signature");
        assert!(report.is_process_crash(), "{file}");
        assert_eq!(report.problems, [], "{file}: problems");
    }
}

#[test]
fn no_report_is_left_out_of_the_tables() {
    let json = expected::JSON.iter().map(|row| row.0);
    let text = expected::TEXT.iter().map(|row| row.0);
    let expected: BTreeSet<&str> = json.chain(text).chain(["092_x.ips"]).collect();
    let names = fs::read_dir(folder()).expect("the folder").map(|entry| {
        let name = entry.expect("an entry").file_name();
        name.into_string().expect("plain names")
    });
    let found: BTreeSet<String> = names.filter(|name| name != "README.md").collect();
    assert_eq!(
        found.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        expected
    );
}

#[test]
fn a_stackshot_says_why_it_names_no_process() {
    let report = read("092_x.ips");
    assert_eq!(report.kind, Kind::Stackshot);
    assert_eq!(
        report.incident(),
        Some("B03BC030-1F90-41FF-A899-E89D6461D3F1")
    );
    let when = report.time().as_ref().map(time::format);
    assert_eq!(when.as_deref(), Some("2025-06-16 13:47:42.0000 +0300"));
    let none = |fact| (fact, Absent::KindHasNone(Kind::Stackshot));
    let facts = [Fact::Process, Fact::Pid, Fact::ExceptionType].map(none);
    assert_eq!(report.absent(), facts);
    assert!(!report.is_process_crash());
    assert_eq!(report.problems, []);
    // Counted in the file: `"procname"`, `"id"` of threads, entries of `binaryImages`; its own
    // `stackshot_threads_count` says 2119, too.
    let stackshot = report.details.as_ref().and_then(Details::stackshot);
    let stackshot = stackshot.expect("a sample");
    assert_eq!(stackshot.processes.len(), 414);
    assert_eq!(stackshot.thread_count, 2119);
    assert_eq!(stackshot.images.len(), 273);
    assert_eq!(
        stackshot.reason.as_deref(),
        Some("stackshot via sysdiagnose")
    );
    assert_eq!(stackshot.frontmost, [34]);
    let blamed = stackshot.blamed.as_ref().expect("one before the user");
    assert_eq!(blamed.name.as_deref(), Some("SpringBoard"));
    assert_eq!((blamed.pid, blamed.why), (Some(34), Blame::Frontmost));
    // SpringBoard's thread with the lowest number is 1582; it alone ran, in the shared cache, image 2.
    let main = blamed.threads.last().expect("its main thread");
    assert_eq!((main.id, main.user_frames[0].image), (Some(1582), 2));
    let kernel = &stackshot.processes[0];
    assert_eq!(
        (kernel.pid, kernel.name.as_deref()),
        (Some(0), Some("kernel_task"))
    );
    assert_eq!(kernel.resident_bytes, Some(271_466_496));
}

#[test]
fn fault_addresses_come_from_accesses_alone() {
    for (file, address) in [
        ("001_Python.ips", Some(0xa7)),
        ("016_MotoCortex.ips", Some(0)),
        ("020_fallout1-rebirth.ips", None),
        ("031_qlcplus.ips", Some(0x112)),
        ("043_MySQLWorkbench.ips", Some(0xe0)),
        ("048_Transit.ips", None),
        ("002_Python.crash", Some(0xa7)),
        ("007_camera_display.crash", None),
        ("095_YetAnotherMac.crash", Some(0x88)),
        ("097_Slack.crash", Some(0x1_1212_c000)),
        ("098_Crash-Tester.crash", None),
    ] {
        assert_eq!(read(file).fault_address(), address, "{file}");
    }
}

#[test]
fn relatives_times_and_images_are_read() {
    let report = read("001_Python.ips");
    let process = &report.process;
    assert_eq!(
        (process.parent_name.as_deref(), process.parent_pid),
        (Some("uv"), Some(28565))
    );
    let responsible = (process.responsible_name.as_deref(), process.responsible_pid);
    assert_eq!(responsible, (Some("iTerm2"), Some(3722)));
    let launched = process.launched.as_ref().map(time::format);
    assert_eq!(launched.as_deref(), Some("2025-06-27 12:35:34.8648 +0300"));
    assert_eq!(report.images.len(), 78);
    let top = &report.crashed_frames()[0];
    assert_eq!(report.image_name(top), Some("libsystem_platform.dylib"));
    let messages = &read("005_PhotoGuruViewer.ips").asi;
    assert_eq!(messages[0].image, "libsystem_c.dylib");
    assert_eq!(messages[0].messages, ["abort() called"]);
}

#[test]
fn text_reports_yield_the_same_as_their_json() {
    let (json, text) = (read("001_Python.ips"), read("002_Python.crash"));
    assert_eq!(text.kind, Kind::TextCrash);
    assert_eq!(text.process_name(), json.process_name());
    assert_eq!(text.process.pid, json.process.pid);
    assert_eq!(text.process.parent_pid, json.process.parent_pid);
    assert_eq!(text.process.responsible_pid, json.process.responsible_pid);
    assert_eq!(text.time(), json.time());
    assert_eq!(text.exception_title(), json.exception_title());
    assert_eq!(text.termination, json.termination);
    let symbols = |report: &Report| {
        let frames = report.crashed_frames().iter();
        frames
            .map(|frame| (frame.symbol.clone(), frame.symbol_location))
            .collect::<Vec<_>>()
    };
    assert_eq!(symbols(&text), symbols(&json));
    assert_eq!(frames::crashed_in(&text), frames::crashed_in(&json));
}
