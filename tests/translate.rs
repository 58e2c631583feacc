//! The translation of a report against Apple's own: pairs of one incident, as people posted them.

use std::fs;
use std::path::{Path, PathBuf};

use agxrun::output::translate::{Threads, TranslateOptions, translate};
use agxrun::reports::{Report, read_file};

/// Why lines are not the same on both sides. There is no other reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Excepted {
    /// The posted copy begins later: so many of the first lines are missing from it. They name the
    /// text as a translation and hold no fact of the report.
    CutAtTheStart(usize),
    /// A symbol's name holds a line break. Apple breaks the line in the middle of the frame; here
    /// the frame stays one line and the break is shown as `\n`. The number is that of Apple's
    /// first such line, from 1.
    LineBreakInAName(usize),
}

use Excepted::{CutAtTheStart, LineBreakInAName};

/// The report, Apple's translation, how many lines that has, and what is excepted of them. None of
/// the pairs known to be public is left out; none was reflowed.
const PAIRS: [(&str, &str, usize, &[Excepted]); 16] = [
    ("001_Python.ips", "002_Python.crash", 251, &[]),
    (
        "005_PhotoGuruViewer.ips",
        "006_PhotoGuruViewer.crash",
        679,
        &[],
    ),
    ("008_MotoCortex.ips", "009_MotoCortex.crash", 638, &[]),
    ("012_MotoCortex.ips", "013_MotoCortex.crash", 657, &[]),
    ("016_MotoCortex.ips", "017_MotoCortex.crash", 358, &[]),
    ("018_MotoCortex.ips", "019_MotoCortex.crash", 523, &[]),
    (
        "020_fallout1-rebirth.ips",
        "021_fallout1-rebirth.crash",
        150,
        &[],
    ),
    ("024_FocusTogether.ips", "025_FocusTogether.crash", 583, &[]),
    (
        "027_JubileeMobileBay.ips",
        "028_JubileeMobileBay.crash",
        312,
        &[],
    ),
    ("029_tokzic.ips", "030_tokzic.crash", 314, &[]),
    ("031_qlcplus.ips", "032_qlcplus.crash", 451, &[]),
    ("035_novellum.ips", "036_novellum.crash", 241, &[]),
    ("039_novellum.ips", "040_novellum.crash", 199, &[]),
    (
        "043_MySQLWorkbench.ips",
        "044_MySQLWorkbench.crash",
        261,
        &[CutAtTheStart(1)],
    ),
    (
        "048_Transit.ips",
        "049_Transit.crash",
        470,
        &[LineBreakInAName(198)],
    ),
    (
        "059_iOSCrashingTest.ips",
        "061_iOSCrashingTest.crash",
        216,
        &[CutAtTheStart(4)],
    ),
];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/reports")
        .join(name)
}

fn read(name: &str) -> Report {
    read_file(&file(name)).unwrap_or_else(|error| panic!("{error}"))
}

/// As ReportCrash writes names, which leaves some mangled.
const AS_WRITTEN: TranslateOptions = TranslateOptions {
    threads: Threads::All,
    demangle: false,
};

/// How many lines are the same, and how many of Apple's and of ours are excepted.
fn compare(name: &str, ours: &str, apples: &str, excepted: &[Excepted]) -> (usize, usize) {
    let (ours, apples): (Vec<_>, Vec<_>) = (ours.lines().collect(), apples.lines().collect());
    let (mut our, mut theirs, mut equal, mut passed) = (0, 0, 0, 0);
    for exception in excepted {
        if let CutAtTheStart(count) = exception {
            our += count;
            passed += count;
        }
    }
    while theirs < apples.len() {
        let line = ours
            .get(our)
            .unwrap_or_else(|| panic!("{name}: ours ends early"));
        if excepted.contains(&LineBreakInAName(theirs + 1)) {
            let joined = format!("{}\\n{}", apples[theirs], apples[theirs + 1]);
            assert_eq!(*line, joined, "{name}:{}", theirs + 1);
            (our, theirs, passed) = (our + 1, theirs + 2, passed + 2);
            continue;
        }
        assert_eq!(*line, apples[theirs], "{name}:{}", theirs + 1);
        (our, theirs, equal) = (our + 1, theirs + 1, equal + 1);
    }
    assert_eq!(our, ours.len(), "{name}: ours goes on: {:?}", ours.get(our));
    (equal, passed)
}

#[test]
fn the_text_is_apples_line_by_line() {
    for (ips, crash, lines, excepted) in PAIRS {
        let ours = translate(&read(ips), &AS_WRITTEN);
        let apples = fs::read_to_string(file(crash)).expect("text");
        assert_eq!(apples.lines().count(), lines, "{crash}");
        let (equal, passed) = compare(crash, &ours, &apples, excepted);
        println!("{crash}: {equal} lines equal, {passed} excepted {excepted:?}");
        let cut = |exception: &&Excepted| matches!(exception, CutAtTheStart(_));
        let of_apple = if excepted.iter().any(|one| cut(&one)) {
            0
        } else {
            passed
        };
        assert_eq!(
            equal + of_apple,
            lines,
            "{crash}: every line is accounted for"
        );
    }
}

#[test]
fn demangling_changes_mangled_names_and_nothing_else() {
    let mut changed = 0;
    for (ips, ..) in PAIRS {
        let report = read(ips);
        let (written, read) = (
            translate(&report, &AS_WRITTEN),
            translate(&report, &TranslateOptions::default()),
        );
        assert_eq!(written.lines().count(), read.lines().count(), "{ips}");
        for (written, read) in written.lines().zip(read.lines()) {
            if written != read {
                changed += 1;
                let (head, mangled) = written.split_at(54);
                assert!(read.starts_with(head), "{ips}: {read}");
                let is_mangled = |name: &str| name.starts_with("_Z") || name.starts_with("_R");
                assert!(is_mangled(mangled), "{ips}: {written}");
                assert!(!is_mangled(&read[54..]), "{ips}: {read}");
            }
        }
    }
    assert_eq!(changed, 4, "names that ReportCrash left mangled");
}

#[test]
fn every_crash_is_translated_with_its_thread_and_images() {
    let folder = fs::read_dir(file("")).expect("the folder");
    for entry in folder {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "ips") {
            continue;
        }
        let report = read_file(&path).expect("read");
        let text = translate(&report, &TranslateOptions::default());
        let crashed = text.lines().any(|line| line.contains(" Crashed:"));
        assert_eq!(crashed, report.is_process_crash(), "{}", path.display());
        let all = report.threads.iter().flat_map(|thread| &thread.frames);
        let frames = all.chain(&report.last_exception_backtrace).count();
        let shown = text
            .lines()
            .filter(|line| line.get(34..35) == Some("\t"))
            .count();
        if report
            .images
            .iter()
            .all(|image| image.name.as_ref().is_none_or(|name| name.len() <= 30))
        {
            assert_eq!(shown, frames, "{}", path.display());
        }
    }
}
