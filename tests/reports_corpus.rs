//! Every public report kept under `tests/data/reports` yields its five facts, or says why not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use agxrun::reports::problem::{Absent, Fact};
use agxrun::reports::{Kind, Problem, Report, frames, read_file, time};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports")
}

fn read(name: &str) -> Report {
    read_file(&folder().join(name)).unwrap_or_else(|error| panic!("{error}"))
}

/// File, process, pid, time, exception, incident, index of the crashed thread, number of its
/// frames.
type Row = (
    &'static str,
    &'static str,
    i32,
    &'static str,
    &'static str,
    &'static str,
    usize,
    usize,
);

/// What a person reads in the files.
#[rustfmt::skip]
const EXPECTED: [Row; 21] = [
    ("001_Python.ips", "Python", 28566, "2025-06-27 12:35:35.9371 +0300", "EXC_BAD_ACCESS (SIGSEGV)", "A357AD50-B0BC-47E5-98C2-CEFFD4342928", 0, 57),
    ("005_PhotoGuruViewer.ips", "PhotoGuruViewer", 24975, "2026-01-04 21:24:05.7476 -0800", "EXC_CRASH (SIGABRT)", "79D3462F-A620-4338-9F2E-59B41F9296B6", 0, 46),
    ("008_MotoCortex.ips", "MotoCortex", 9387, "2026-08-19 12:18:13.6635 +0300", "EXC_CRASH (SIGABRT)", "5A11028D-C9A0-43B8-B7D0-B85063ED2E4E", 0, 36),
    ("012_MotoCortex.ips", "MotoCortex", 19861, "2026-08-17 13:51:27.4574 +0300", "EXC_CRASH (SIGABRT)", "C327E934-CF06-493D-ACD9-66F0E6E3B4FC", 0, 36),
    ("016_MotoCortex.ips", "MotoCortex", 80060, "2026-08-10 14:12:28.5003 +0300", "EXC_BAD_ACCESS (SIGSEGV)", "2A86C0C5-E8D0-43F3-A114-42BBADF3C08B", 6, 100),
    ("018_MotoCortex.ips", "MotoCortex", 44751, "2026-07-30 16:53:02.7390 +0300", "EXC_CRASH (SIGABRT)", "07E59EA4-B057-4371-A422-2276E9902722", 0, 36),
    ("020_fallout1-rebirth.ips", "fallout1-rebirth", 43432, "2026-02-08 12:52:05.5510 -0600", "EXC_BREAKPOINT (SIGTRAP)", "DBBF3303-8465-465B-B26D-153F243AEBB1", 0, 9),
    ("024_FocusTogether.ips", "FocusTogether", 9376, "2026-02-02 15:03:30.6022 +0700", "EXC_CRASH (SIGABRT)", "8A74258B-0B1C-463C-B15B-639F73CA1AEE", 0, 38),
    ("027_JubileeMobileBay.ips", "JubileeMobileBay", 56753, "2025-07-19 17:43:32.5121 -0500", "EXC_CRASH (SIGABRT)", "7479BA00-83E2-449D-B17C-68FA12B39B64", 0, 20),
    ("029_tokzic.ips", "tokzic", 76155, "2025-02-12 14:32:27.5035 -0600", "EXC_CRASH (SIGABRT)", "1365D293-B207-4157-931E-0539E9BD4C8A", 0, 115),
    ("031_qlcplus.ips", "qlcplus", 52024, "2025-12-01 20:05:56.5074 +0100", "EXC_BAD_ACCESS (SIGSEGV)", "3FC626CB-8696-4136-8961-D1D09F3796AA", 0, 30),
    ("035_novellum.ips", "novellum", 47387, "2026-05-01 11:00:00.7819 -0400", "EXC_CRASH (SIGABRT)", "D45B85C7-5FB9-456A-99C4-372C53C6B026", 0, 40),
    ("039_novellum.ips", "novellum", 50701, "2026-05-01 11:09:26.9056 -0400", "EXC_CRASH (SIGABRT)", "4A3E3E73-26CA-4B9F-A524-4D475E8EDAFE", 0, 40),
    ("043_MySQLWorkbench.ips", "MySQLWorkbench", 842, "2024-05-01 14:47:18.2119 -0500", "EXC_BAD_ACCESS (SIGSEGV)", "B46D6B09-7A15-4E05-9835-D4AE63700CC7", 0, 31),
    ("047_Execudex.ips", "Execudex", 72934, "2025-12-15 22:16:26.2363 -0500", "EXC_BAD_ACCESS (SIGSEGV)", "1C6830B1-D5D0-46E7-8210-EEA024F333FE", 6, 33),
    ("048_Transit.ips", "Transit", 27589, "2025-02-01 18:45:54.0676 -0500", "EXC_BREAKPOINT (SIGTRAP)", "6D7FEBB5-F462-49B5-B498-6D5C30B8212A", 13, 32),
    ("051_itunescloudd.ips", "itunescloudd", 692, "2021-10-22 00:14:53.0749 +0300", "EXC_CRASH (SIGABRT)", "13917FF0-E1B1-4652-84C2-85516D101DFE", 7, 15),
    ("053_sleep.ips", "sleep", 10277, "2022-01-06 15:09:22.6192 +0200", "EXC_BAD_ACCESS (SIGSEGV)", "051760D9-97FF-475F-8B61-B0FDFB04D484", 0, 4),
    ("059_iOSCrashingTest.ips", "iOSCrashingTest", 455, "2022-09-18 15:28:37.3451 +0900", "EXC_BREAKPOINT (SIGTRAP)", "356753AC-2172-45DC-977A-11F2328980D0", 0, 48),
    ("069_CrashingTest.ips", "CrashingTest", 1710, "2022-08-03 20:36:44.3125 +0900", "EXC_BAD_ACCESS (SIGSEGV)", "02F8E982-2985-4720-946D-B4ECDE40DC2C", 0, 3),
    ("089_MemoryLeakingApp.ips", "MemoryLeakingApp", 8592, "2022-08-05 13:24:19.1161 +0400", "EXC_CRASH (SIGSEGV)", "E84B8735-5755-484C-9E6D-ACB5DC36E7C2", 0, 33),
];

#[test]
fn every_crash_yields_its_facts() {
    for (file, process, pid, when, exception, incident, thread, frames) in EXPECTED {
        let report = read(file);
        assert_eq!(report.process_name(), Some(process), "{file}: process");
        assert_eq!(report.process.pid, Some(pid), "{file}: pid");
        assert_eq!(
            report.time().as_ref().map(time::format).as_deref(),
            Some(when),
            "{file}: time"
        );
        assert_eq!(
            report.exception_title().as_deref(),
            Some(exception),
            "{file}: exception"
        );
        assert_eq!(report.incident(), Some(incident), "{file}: incident");
        assert_eq!(
            report.faulting_thread,
            Some(thread),
            "{file}: crashed thread"
        );
        assert_eq!(report.crashed_frames().len(), frames, "{file}: frames");
        assert_eq!(report.absent(), [], "{file}: nothing is absent");
        assert!(report.is_process_crash(), "{file}");
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
fn no_report_is_left_out_of_the_tables() {
    let mut expected: BTreeSet<String> = EXPECTED.iter().map(|row| row.0.to_owned()).collect();
    expected.insert("092_x.ips".to_owned());
    let names = fs::read_dir(folder()).expect("the folder").map(|entry| {
        entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("plain names")
    });
    let found: BTreeSet<String> = names
        .filter(|name| Path::new(name).extension().is_some_and(|e| e == "ips"))
        .collect();
    assert_eq!(found, expected);
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

#[test]
fn text_reports_of_other_writers_are_read() {
    for (file, process, pid, exception, crashed_in) in [
        (
            "054_WebDriverAgent.crash",
            "WebDriverAgent",
            39655,
            "EXC_CRASH (SIGABRT)",
            "libobjc.A.dylib`_objc_terminate() + 108",
        ),
        (
            "093_iTubeDownloader.crash",
            "iTubeDownloader",
            590,
            "SIGSEGV",
            "com.apple.JavaScriptCore`JSValueIsString + 155",
        ),
        (
            "098_Crash-Tester.crash",
            "Crash-Tester",
            862,
            "EXC_CRASH (SIGABRT)",
            "Crash-Tester`-[Crasher doAbort] + 8",
        ),
        (
            "097_Slack.crash",
            "Slack",
            2214,
            "EXC_BAD_ACCESS",
            "dyld`memcmp + 208",
        ),
    ] {
        let report = read(file);
        assert_eq!(report.process_name(), Some(process), "{file}");
        assert_eq!(report.process.pid, Some(pid), "{file}");
        assert_eq!(
            report.exception_title().as_deref(),
            Some(exception),
            "{file}"
        );
        if process != "WebDriverAgent" {
            assert_eq!(
                frames::crashed_in(&report).as_deref(),
                Some(crashed_in),
                "{file}"
            );
        }
    }
}
