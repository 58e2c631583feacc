//! Memory: samples are read without being held, and hostile reports are read in bounded room.

#![allow(unsafe_code)] // Counting what is allocated takes an allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use agxrun::reports::{Problem, Report, ips, read_file};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came; only numbers are kept beside.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test runs at a time: the counters are the process's.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const MIB: usize = 1024 * 1024;

/// The most that `run` had at once beyond what stood before, in bytes, and its result.
fn most<T>(run: impl FnOnce() -> T) -> (usize, T) {
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let result = run();
    (MOST.load(Ordering::Relaxed).saturating_sub(before), result)
}

fn sample() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports/092_x.ips");
    fs::read(path).expect("test data")
}

fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("written");
    file
}

fn header(bug_type: &str) -> String {
    format!(
        "{{\"bug_type\":\"{bug_type}\",\"timestamp\":\"2026-01-02 03:04:05.00 +0000\",\"incident_id\":\"I\"}}\n"
    )
}

/// The sample with each process twice, the second time under another id: 3 MB.
fn large_sample() -> Vec<u8> {
    let sample = String::from_utf8(sample()).expect("text");
    let start = sample.find("\"processByPid\" : {").expect("its processes") + 18;
    let end = sample.find("\"postSampleVMStats\"").expect("what follows");
    let processes = sample[start..end].trim_end().trim_end_matches(',');
    let processes = processes.strip_suffix('}').expect("an object").trim_end();
    let again = processes.replace("\n    \"", "\n    \"9");
    format!(
        "{}{processes},{again}}},{}",
        &sample[..start],
        &sample[end..]
    )
    .into_bytes()
}

#[test]
fn a_sample_is_never_in_memory_as_a_whole() {
    let _alone = alone();
    let bytes = large_sample();
    assert!(bytes.len() > 2 * MIB);
    let file = file_of(&bytes);
    drop(bytes);
    let (most, report) = most(|| read_file(file.path()).expect("a report"));
    assert_eq!(report.problems, []);
    let details = report.details.expect("a sample");
    let sample = details.stackshot().expect("a sample");
    assert_eq!(sample.thread_count, 2 * 2119);
    assert!(most < 2 * MIB, "{most} bytes for a sample of 3 MB");
}

#[test]
fn a_sample_of_sixty_megabytes_takes_no_more() {
    let _alone = alone();
    let sample = String::from_utf8(sample()).expect("text");
    let start = sample.find("\"34\" : {").expect("a process") + 7;
    let end = start + sample[start..].find("\n},").expect("its end") + 2;
    let process = &sample[start..end];
    let mut bytes = header("288") + "{\"processByPid\":{";
    let mut number = 0;
    while bytes.len() < 60 * MIB {
        bytes.extend(["\"", &number.to_string(), "\":", process, ","]);
        number += 1;
    }
    bytes += "\"0\":{}}}";
    let file = file_of(bytes.as_bytes());
    drop(bytes);
    let (most, report) = most(|| read_file(file.path()).expect("a report"));
    let sample = report.details.expect("a sample");
    let sample = sample.stackshot().expect("a sample");
    assert_eq!(sample.processes.len(), number + 1);
    assert!(most < 16 * MIB, "{most} bytes for {number} processes");
}

/// Reads a hostile report from memory; the room that it took beyond its bytes.
fn hostile(bytes: &[u8]) -> (usize, Report) {
    let (most, report) = most(|| ips::read(bytes));
    (most, report.expect("it has the header of a report"))
}

fn cut(report: &Report) -> bool {
    let mut problems = report.problems.iter();
    problems.any(|problem| matches!(problem, Problem::TooMany { .. }))
}

#[test]
fn ten_million_frames_are_cut() {
    let _alone = alone();
    // 2,000 threads of 5,000 frames each, which is as many as one thread may have.
    let frames = "{},".repeat(4_999) + "{}";
    let threads = format!("{{\"frames\":[{frames}]}},").repeat(2_000);
    let body = format!("{{\"pid\":7,\"threads\":[{threads}{{}}],\"procName\":\"x\"}}");
    let (most, report) = hostile((header("309") + &body).as_bytes());
    assert_eq!(
        (report.process.pid, report.process_name()),
        (Some(7), Some("x"))
    );
    assert!(cut(&report), "{:?}", report.problems);
    let frames: usize = report
        .threads
        .iter()
        .map(|thread| thread.frames.len())
        .sum();
    assert!(frames <= 300_000 && frames > 200_000, "{frames}");
    assert!(most < 256 * MIB, "{most} bytes");
}

#[test]
fn ten_million_frames_of_text_are_cut() {
    let _alone = alone();
    let frames = "0 a 0x1\n".repeat(7_000_000);
    let text = format!("Process: x [7]\nException Type: EXC_CRASH\n\nThread 0:\n{frames}");
    let (most, report) = hostile(text.as_bytes());
    assert_eq!(report.process.pid, Some(7));
    assert!(cut(&report), "{:?}", report.problems);
    assert!(most < 256 * MIB, "{most} bytes");
}

#[test]
fn a_million_sentences_threads_and_processes_are_cut() {
    let _alone = alone();
    let texts = "\"\",".repeat(3_000_000) + "\"\"";
    let (most, report) =
        hostile((header("309") + &format!("{{\"asi\":{{\"a\":[{texts}]}}}}")).as_bytes());
    assert!(cut(&report) && most < 64 * MIB, "{most} bytes");
    let processes = "\"1\":{},".repeat(1_000_000) + "\"2\":{}";
    let (most, report) =
        hostile((header("288") + &format!("{{\"processByPid\":{{{processes}}}}}")).as_bytes());
    assert!(cut(&report) && most < 64 * MIB, "{most} bytes");
    let killed = "{\"reason\":\"\"},".repeat(1_000_000) + "{}";
    let (most, report) =
        hostile((header("298") + &format!("{{\"processes\":[{killed}]}}")).as_bytes());
    assert!(cut(&report) && most < 64 * MIB, "{most} bytes");
    let lines = "Thread 0:\n".repeat(2_000_000);
    let (most, report) = hostile(format!("Process: x [7]\nDate/Time: 1\n{lines}").as_bytes());
    assert_eq!(report.process.pid, Some(7));
    assert!(most < 128 * MIB, "{most} bytes");
}

#[test]
fn deep_nesting_takes_no_stack_and_little_room() {
    let _alone = alone();
    let deep = "[".repeat(10_000_000);
    for bug_type in ["309", "288", "298", "284", "4711"] {
        for key in [
            "x",
            "threads",
            "processByPid",
            "processes",
            "analysis",
            "exception",
        ] {
            let text = header(bug_type) + "{\"pid\":7,\"" + key + "\":" + &deep;
            let (most, report) = hostile(text.as_bytes());
            assert!(!report.problems.is_empty(), "{bug_type} {key}");
            assert!(most < 96 * MIB, "{bug_type} {key}: {most} bytes");
        }
    }
}

#[test]
fn huge_numbers_are_notes() {
    let _alone = alone();
    let digits = "9".repeat(1_000_000);
    for number in [
        "1e999",
        "-1e999",
        "1e-999",
        "99999999999999999999999",
        "-1",
        &digits,
    ] {
        let body = format!(
            "{{\"pid\":{number},\"procName\":\"x\",\"faultingThread\":{number},\"threads\":[{{\"id\":{number},\
             \"frames\":[{{\"imageIndex\":{number},\"imageOffset\":{number}}}]}}]}}"
        );
        let (most, report) = hostile((header("309") + &body).as_bytes());
        assert!(
            !report.problems.is_empty() || report.process.pid.is_none(),
            "{} characters",
            number.len()
        );
        assert!(report.faulting_thread.is_none() && most < 16 * MIB);
        let body = format!(
            "{{\"frontmostPids\":[{number}],\"processByPid\":{{\"{number}\":{{\"pid\":{number},\
             \"residentMemoryBytes\":{number},\"userTimeTask\":{number},\
             \"threadById\":{{\"1\":{{\"userFrames\":[[{number},{number}]]}}}}}}}}}}"
        );
        let (most, report) = hostile((header("288") + &body).as_bytes());
        assert!(
            (report.details.is_some() || !report.problems.is_empty()) && most < 24 * MIB,
            "{} characters",
            number.len()
        );
    }
}

#[test]
fn a_damaged_header_is_not_built_up_in_memory() {
    let _alone = alone();
    let zeros = "0,".repeat(8_000_000);
    let text = format!("{{\"bug_type\":\"309\",\"app_name\":[{zeros}");
    let (most, report) = hostile(text.as_bytes());
    assert_eq!(report.header.bug_type.as_deref(), Some("309"));
    assert!(most < 32 * MIB, "{most} bytes");
}

#[test]
fn escape_sequences_and_markup_stay_text() {
    let _alone = alone();
    let name = "\u{1b}]0;owned\u{7}<script>alert(1)</script>\u{202e}";
    let quoted = serde_json::to_string(name).expect("text");
    for (bug_type, body) in [
        ("309", format!("{{\"pid\":7,\"procName\":{quoted}}}")),
        (
            "288",
            format!(
                "{{\"procName\":{quoted},\"processByPid\":{{\"7\":{{\"procname\":{quoted}}}}}}}"
            ),
        ),
    ] {
        let (_, report) = hostile((header(bug_type) + &body).as_bytes());
        assert_eq!(
            report.process_name(),
            Some(name),
            "as written: showing it is another's work"
        );
    }
}
