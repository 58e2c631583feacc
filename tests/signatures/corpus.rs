//! Public reports match what a person reads in them, and nothing by accident.

use std::collections::BTreeSet;

use super::{data, id, read};

/// File, and the signature that a person finds in it: none of these crashes is the driver's, and none
/// of Metal; decided by reading exception, termination, information and stack of each file.
const EXPECTED: [(&str, Option<&str>); 31] = [
    // A string copied from a wild address, in DuckDB.
    ("001_Python.ips", None),
    ("002_Python.crash", None),
    // `GGML_ASSERT` in a sampler, without anything of Metal in the stack.
    ("005_PhotoGuruViewer.ips", None),
    // A trap in AppKit: a window used off the main thread.
    ("007_camera_display.crash", None),
    // C++ assertions in React Native.
    ("008_MotoCortex.ips", None),
    ("012_MotoCortex.ips", None),
    ("016_MotoCortex.ips", None),
    ("018_MotoCortex.ips", None),
    ("020_fallout1-rebirth.ips", None),
    ("024_FocusTogether.ips", None),
    ("027_JubileeMobileBay.ips", None),
    ("029_tokzic.ips", None),
    ("031_qlcplus.ips", None),
    ("035_novellum.ips", None),
    ("039_novellum.ips", None),
    ("043_MySQLWorkbench.ips", None),
    ("047_Execudex.ips", None),
    ("048_Transit.ips", None),
    ("051_itunescloudd.ips", None),
    ("053_sleep.ips", None),
    ("054_WebDriverAgent.crash", None),
    ("059_iOSCrashingTest.ips", None),
    ("065_CrashingInAnotherTargetTest.crash", None),
    ("069_CrashingTest.ips", None),
    ("071_iOSCrashingTest.crash", None),
    ("089_MemoryLeakingApp.ips", None),
    ("092_x.ips", None),
    ("093_iTubeDownloader.crash", None),
    ("095_YetAnotherMac.crash", None),
    ("097_Slack.crash", None),
    ("098_Crash-Tester.crash", None),
];

#[test]
fn no_public_report_matches_by_accident() {
    for (file, expected) in EXPECTED {
        assert_eq!(id(&read("reports", file)).as_deref(), expected, "{file}");
    }
}

#[test]
fn every_public_report_stands_in_the_table() {
    let listed: BTreeSet<String> = EXPECTED
        .iter()
        .map(|(file, _)| (*file).to_owned())
        .collect();
    let there: BTreeSet<String> = std::fs::read_dir(data("reports"))
        .expect("test data")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name != "README.md")
        .collect();
    assert_eq!(there, listed);
}
