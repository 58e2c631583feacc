//! Equal crashes have one fingerprint, others have others.

use std::path::Path;

use agxrun::diagnose::{Fingerprint, Groups, diagnose, fingerprint};
use agxrun::reports::frames::interesting_frame;
use agxrun::reports::model::Report;
use proptest::prelude::*;

use super::{crash, data, read};

/// Reports of every form that has frames.
const SAMPLES: [&str; 8] = [
    "001_Python.ips",
    "005_PhotoGuruViewer.ips",
    "016_MotoCortex.ips",
    "029_tokzic.ips",
    "031_qlcplus.ips",
    "048_Transit.ips",
    "059_iOSCrashingTest.ips",
    "089_MemoryLeakingApp.ips",
];

/// Moves every image, and with it nothing else, as address space randomisation does.
fn slid(mut report: Report, slide: u64) -> Report {
    for image in &mut report.images {
        image.base = image.base.map(|base| base.wrapping_add(slide));
    }
    report
}

/// The crashed thread at another place among others.
fn renumbered(mut report: Report, before: usize) -> Report {
    let threads = std::iter::repeat_n(agxrun::reports::model::Thread::default(), before);
    report.threads.splice(0..0, threads);
    report.faulting_thread = report.faulting_thread.map(|index| index + before);
    for (id, thread) in report.threads.iter_mut().enumerate() {
        thread.id = u64::try_from(id * 3).ok();
    }
    report
}

/// The images in another order.
fn reordered(mut report: Report, by: usize) -> Report {
    let count = report.images.len();
    if count == 0 {
        return report;
    }
    report.images.rotate_left(by % count);
    let moved = |index: usize| (index + count - by % count) % count;
    let threads = report
        .threads
        .iter_mut()
        .flat_map(|thread| &mut thread.frames);
    for frame in threads.chain(&mut report.last_exception_backtrace) {
        frame.image_index = frame.image_index.filter(|index| *index < count).map(moved);
    }
    report
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_changes_from_run_to_run_does_not_count(
        sample in 0..SAMPLES.len(),
        slide in (0_u64..0x1_0000).prop_map(|pages| pages * 0x4000),
        before in 0..40_usize,
        by in any::<usize>(),
        pid in any::<i32>(),
    ) {
        let report = read("reports", SAMPLES[sample]);
        let expected = fingerprint(&report);
        let mut other = reordered(renumbered(slid(report, slide), before), by % 1000);
        other.process.pid = Some(pid);
        other.process.captured = None;
        other.header.incident = None;
        prop_assert_eq!(fingerprint(&other), expected);
    }

    #[test]
    fn another_function_is_another_crash(a in "[a-z_]{3,20}", b in "[a-z_]{3,20}") {
        prop_assume!(a != b);
        let of = |name: &str| fingerprint(&crash("EXC_BAD_ACCESS", "SIGSEGV", &[("app", name), ("app", "main")]));
        prop_assert_ne!(of(&a), of(&b));
    }

    #[test]
    fn a_fingerprint_is_read_back(sample in 0..SAMPLES.len()) {
        let one = fingerprint(&read("reports", SAMPLES[sample]));
        let text = one.to_string();
        prop_assert_eq!(text.len(), 16);
        prop_assert_eq!(text.parse::<Fingerprint>(), Ok(one));
        prop_assert!((4..=16).all(|length| one.has_prefix(&text[..length])));
        prop_assert!(!one.has_prefix(&text[..3]));
        prop_assert!(one.has_prefix(&text[..6].to_ascii_uppercase()));
    }
}

#[test]
fn what_is_no_fingerprint_is_refused() {
    for text in [
        "",
        "12",
        "0123456789abcdeg",
        "0123456789abcdef0",
        "+123456789abcdef",
    ] {
        assert!(text.parse::<Fingerprint>().is_err(), "{text}");
    }
}

#[test]
fn one_crash_is_the_same_on_every_chip_and_system() {
    let on = |family: &str, suffix: &str, line: u64| {
        let driver = format!("AGXMetal{family}");
        let method = format!("-[AGX{family}FamilyComputeContext{suffix} setComputePipelineState:]");
        let frames = [
            (driver.as_str(), method.as_str()),
            (
                "libtorch_cpu.dylib",
                "at::native::mps::f(at::Tensor const&)",
            ),
        ];
        let mut report = crash("EXC_BAD_ACCESS", "SIGSEGV", &frames);
        report.threads[0].frames[1].source_line = Some(line);
        report.threads[0].frames[0].symbol_location = Some(line);
        fingerprint(&report)
    };
    let one = on("G16X", "", 32);
    for (family, suffix, line) in [
        ("G13G", "", 32),
        ("G14S", "", 36),
        ("G17G", "_mtlnext", 40),
        ("G15X", "", 28),
    ] {
        assert_eq!(on(family, suffix, line), one, "{family}");
    }
}

#[test]
fn the_fix_library_in_the_stack_does_not_make_another_crash() {
    let method = ("AGXMetalG16X", "-[AGXG16XFamilyCommandBuffer commit]");
    let app = ("app", "main");
    let with = crash(
        "EXC_BAD_ACCESS",
        "SIGSEGV",
        &[method, ("libagx_fix_v2_8.dylib", "forward"), app],
    );
    let without = crash("EXC_BAD_ACCESS", "SIGSEGV", &[method, app]);
    assert_eq!(fingerprint(&with), fingerprint(&without));
}

#[test]
fn crashes_of_the_rehearsal_differ_by_their_fault() {
    let of = |file: &str| fingerprint(&read("rehearsal", &format!("{file}.ips")));
    let names = [
        "impl",
        "setBuffer",
        "dispatch",
        "prepare",
        "spill",
        "bind",
        "uaf",
        "commit",
        "event",
        "handler",
    ];
    for (index, one) in names.iter().enumerate() {
        for other in &names[index + 1..] {
            assert_ne!(of(one), of(other), "{one} and {other}");
        }
    }
}

#[test]
fn the_interesting_frame_is_past_what_raises_the_failure() {
    for (file, expected) in [
        ("001_Python.ips", "duckdb::StringStats::Update"),
        ("005_PhotoGuruViewer.ips", "llama_sampler_sample"),
        ("016_MotoCortex.ips", "hermesFatalErrorHandler"),
        ("020_fallout1-rebirth.ips", "SDL_QuitFilesystem"),
        (
            "024_FocusTogether.ips",
            "tao::platform_impl::platform::app::send_event",
        ),
        (
            "035_novellum.ips",
            "tao::platform_impl::platform::app_delegate::did_finish_launching",
        ),
        ("029_tokzic.ips", "facebook::jsi::Function::getHostFunction"),
        (
            "031_qlcplus.ips",
            "QMap<int, AttributeOverride>::operator[]",
        ),
        ("098_Crash-Tester.crash", "-[Crasher doAbort]"),
    ] {
        let report = read("reports", file);
        let frame = interesting_frame(&report).expect("a frame");
        let symbol = frame.symbol.as_deref().unwrap_or_default();
        assert!(symbol.contains(expected), "{file}: {symbol}");
    }
    // Thrown, and caught nowhere: where it was thrown.
    let report = read("reports", "027_JubileeMobileBay.ips");
    let frame = interesting_frame(&report).expect("a frame");
    assert_eq!(report.image_name(frame), Some("CoreLocation"));
}

#[test]
fn groups_count_and_tell_their_newest() {
    let mut groups = Groups::new();
    let mut add = |folder: &str, file: &str| {
        let report = read(folder, file);
        let path = data(folder).join(file);
        groups.add(&path, &report, diagnose(&report).as_ref());
    };
    for file in [
        "008_MotoCortex.ips",
        "012_MotoCortex.ips",
        "018_MotoCortex.ips",
        "001_Python.ips",
    ] {
        add("reports", file);
    }
    add("rehearsal", "impl.ips");
    let groups = groups.finish();
    let counts: Vec<usize> = groups.iter().map(|group| group.count).collect();
    assert_eq!(counts, [3, 1, 1]);
    let first = &groups[0];
    assert_eq!(
        first.newest.file_name(),
        Some(Path::new("008_MotoCortex.ips").as_os_str())
    );
    assert!(first.times.is_sorted() && first.times.len() == 3);
    assert_eq!(
        (first.first, first.last),
        (first.times.first().copied(), first.times.last().copied())
    );
    assert_eq!(first.processes.get("MotoCortex"), Some(&3));
    assert!(
        first.title.starts_with("EXC_CRASH (SIGABRT) in MotoCortex"),
        "{}",
        first.title
    );
    assert!(first.diagnosis.is_none() && first.frames.len() <= 4);
    let driver = groups
        .iter()
        .find(|group| group.diagnosis.is_some())
        .expect("the rehearsal's");
    assert_eq!(
        driver.title,
        "NULL implementation in setComputePipelineState"
    );
    let json = serde_json::to_value(driver).expect("plain data");
    assert_eq!(json["fingerprint"], driver.fingerprint.to_string());
}

#[test]
fn groups_of_nothing_and_of_reports_without_frames_or_times_are_taken() {
    assert!(Groups::new().finish().is_empty());
    let mut groups = Groups::new();
    for path in ["a", "b"] {
        groups.add(Path::new(path), &Report::default(), None);
    }
    let groups = groups.finish();
    assert_eq!((groups.len(), groups[0].count), (1, 2));
    assert_eq!(groups[0].newest, Path::new("b"));
    assert!(groups[0].times.is_empty() && groups[0].last.is_none());
}
