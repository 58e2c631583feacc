//! The translation of a report against Apple's own: pairs of one incident, as people posted them.

use std::fs;
use std::path::Path;

use agxrun::output::translate::{Threads, TranslateOptions, translate};
use agxrun::reports::{Report, read_file};

/// The report, Apple's translation of it, and how many lines that has.
const PAIRS: [(&str, &str, usize); 16] = [
    ("001_Python.ips", "002_Python.crash", 0),
    ("005_PhotoGuruViewer.ips", "006_PhotoGuruViewer.crash", 0),
    ("008_MotoCortex.ips", "009_MotoCortex.crash", 0),
    ("012_MotoCortex.ips", "013_MotoCortex.crash", 0),
    ("016_MotoCortex.ips", "017_MotoCortex.crash", 0),
    ("018_MotoCortex.ips", "019_MotoCortex.crash", 0),
    ("020_fallout1-rebirth.ips", "021_fallout1-rebirth.crash", 0),
    ("024_FocusTogether.ips", "025_FocusTogether.crash", 0),
    ("027_JubileeMobileBay.ips", "028_JubileeMobileBay.crash", 0),
    ("029_tokzic.ips", "030_tokzic.crash", 0),
    ("031_qlcplus.ips", "032_qlcplus.crash", 0),
    ("035_novellum.ips", "036_novellum.crash", 0),
    ("039_novellum.ips", "040_novellum.crash", 0),
    ("043_MySQLWorkbench.ips", "044_MySQLWorkbench.crash", 0),
    ("048_Transit.ips", "049_Transit.crash", 0),
    ("059_iOSCrashingTest.ips", "061_iOSCrashingTest.crash", 0),
];

/// Why a line is not the same on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exception {
    /// The copy that was posted begins later: Apple's first lines are missing from it.
    CutAtTheStart,
    /// The name of a symbol holds a line break: Apple breaks the line there, we show the
    /// character.
    LineBreakInAName,
}

/// Each exception by the number of Apple's line that it stands before or at, counted from 1.
const EXCEPTIONS: [(&str, usize, Exception); 0] = [];

fn read(name: &str) -> Report {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports");
    read_file(&folder.join(name)).unwrap_or_else(|error| panic!("{error}"))
}

fn as_apple_has_it(report: &Report) -> String {
    let options = TranslateOptions {
        threads: Threads::All,
        demangle: false,
    };
    translate(report, &options)
}

#[test]
fn probe() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports");
    for (ips, crash, _) in PAIRS {
        let ours = as_apple_has_it(&read(ips));
        fs::write(format!("/tmp/showproto/{crash}.ours"), &ours).unwrap();
        let apples = fs::read_to_string(folder.join(crash)).expect("text");
        println!("{crash} {} {}", ours == apples, apples.lines().count());
    }
    let _ = EXCEPTIONS;
}
