//! Public reports match what a person reads in them, and nothing by accident.

use std::collections::{BTreeMap, BTreeSet};

use agxrun::diagnose::fingerprint;

use super::{data, id, read};

/// File, and the signature that a person finds in it: none of these crashes is the driver's, and none
/// of Metal; decided by reading exception, termination, information and stack of each file.
const EXPECTED: [(&str, Option<&str>); 45] = [
    // A string copied from a wild address, in DuckDB.
    ("001_Python.ips", None),
    // A failed assertion of ggml in a sampler; other threads have Metal in their stacks, this one not.
    ("005_PhotoGuruViewer.ips", None),
    // A trap in AppKit: a window used off the main thread.
    ("007_camera_display.crash", None),
    // Failed assertions of React Native.
    ("008_MotoCortex.ips", None),
    ("012_MotoCortex.ips", None),
    // Hermes out of memory: a store through NULL, on purpose.
    ("016_MotoCortex.ips", None),
    ("018_MotoCortex.ips", None),
    // A block freed that was not allocated.
    ("020_fallout1-rebirth.ips", None),
    // A panic of Rust.
    ("024_FocusTogether.ips", None),
    // An exception of CoreLocation, caught nowhere.
    ("027_JubileeMobileBay.ips", None),
    // A failed assertion of React Native.
    ("029_tokzic.ips", None),
    // Reads through wild pointers, below 0x10000 as the driver's race is, in Qt and mforms.
    ("031_qlcplus.ips", None),
    ("043_MySQLWorkbench.ips", None),
    // Panics of Rust.
    ("035_novellum.ips", None),
    ("039_novellum.ips", None),
    // A read at 0x1, in Hermes.
    ("047_Execudex.ips", None),
    // A trap of a hardened library in the application.
    ("048_Transit.ips", None),
    // Aborts and traps without symbols, or of test programs made to crash.
    ("051_itunescloudd.ips", None),
    ("053_sleep.ips", None),
    ("054_WebDriverAgent.crash", None),
    ("055_TableSearch.crash", None),
    ("056_TableSearch.crash", None),
    ("057_assetsd.crash", None),
    ("059_iOSCrashingTest.ips", None),
    ("061_iOSCrashingTest.crash", None),
    ("065_CrashingInAnotherTargetTest.crash", None),
    ("067_CrashingInAnotherTargetTest.crash", None),
    ("069_CrashingTest.ips", None),
    ("071_iOSCrashingTest.crash", None),
    ("073_CrashingInAnotherTargetTest.crash", None),
    ("075_CrashingTest.crash", None),
    ("077_iOSCrashingTest.crash", None),
    ("079_CrashingAndHangingTest.crash", None),
    ("081_CrashingAndHangingTest.crash", None),
    ("083_CrashingAndHangingTest.crash", None),
    ("085_CrashingAndHangingTest.crash", None),
    ("087_MacSymbolicator.crash", None),
    ("089_MemoryLeakingApp.ips", None),
    // A stackshot: no crash.
    ("092_x.ips", None),
    ("093_iTubeDownloader.crash", None),
    ("095_YetAnotherMac.crash", None),
    ("097_Slack.crash", None),
    ("098_Crash-Tester.crash", None),
    ("099_Crash-Tester.crash", None),
    ("100_Crash-Tester.crash", None),
];

/// A corrupt object was sent a message: the runtime crashed where it looks the class up, which is
/// further in than the shape of a freed object goes.
const CORRUPT: &str = "101_Crash-Tester.crash";

/// Reports, each with Apple's translation of it.
const TRANSLATIONS: [(&str, &str); 16] = [
    ("001_Python.ips", "002_Python.crash"),
    ("005_PhotoGuruViewer.ips", "006_PhotoGuruViewer.crash"),
    ("008_MotoCortex.ips", "009_MotoCortex.crash"),
    ("012_MotoCortex.ips", "013_MotoCortex.crash"),
    ("016_MotoCortex.ips", "017_MotoCortex.crash"),
    ("018_MotoCortex.ips", "019_MotoCortex.crash"),
    ("020_fallout1-rebirth.ips", "021_fallout1-rebirth.crash"),
    ("024_FocusTogether.ips", "025_FocusTogether.crash"),
    ("027_JubileeMobileBay.ips", "028_JubileeMobileBay.crash"),
    ("029_tokzic.ips", "030_tokzic.crash"),
    ("031_qlcplus.ips", "032_qlcplus.crash"),
    ("035_novellum.ips", "036_novellum.crash"),
    ("039_novellum.ips", "040_novellum.crash"),
    ("043_MySQLWorkbench.ips", "044_MySQLWorkbench.crash"),
    ("048_Transit.ips", "049_Transit.crash"),
    ("069_CrashingTest.ips", "075_CrashingTest.crash"),
];

#[test]
fn no_public_report_matches_by_accident() {
    for (file, expected) in EXPECTED {
        assert_eq!(id(&read("reports", file)).as_deref(), expected, "{file}");
    }
    assert_eq!(id(&read("reports", CORRUPT)), None);
}

#[test]
fn a_report_and_its_translation_are_one_crash() {
    for (report, text) in TRANSLATIONS {
        let (report, text) = (read("reports", report), read("reports", text));
        assert_eq!(id(&report), id(&text));
        assert_eq!(
            fingerprint(&report),
            fingerprint(&text),
            "{:?}",
            text.process.name
        );
    }
}

#[test]
fn different_crashes_differ() {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for (file, _) in EXPECTED {
        let one = fingerprint(&read("reports", file)).to_string();
        if let Some(other) = known.insert(one, file) {
            assert!(SAME.contains(&(other, file)), "{other} and {file}");
        }
    }
}

/// The same crash of the same program, reported twice.
const SAME: [(&str, &str); 6] = [
    ("008_MotoCortex.ips", "012_MotoCortex.ips"),
    ("012_MotoCortex.ips", "018_MotoCortex.ips"),
    ("035_novellum.ips", "039_novellum.ips"),
    ("055_TableSearch.crash", "056_TableSearch.crash"),
    ("059_iOSCrashingTest.ips", "061_iOSCrashingTest.crash"),
    ("069_CrashingTest.ips", "075_CrashingTest.crash"),
];

#[test]
fn every_public_report_stands_in_the_table() {
    let listed: BTreeSet<String> = EXPECTED
        .iter()
        .map(|(file, _)| *file)
        .chain(TRANSLATIONS.iter().map(|(_, text)| *text))
        .chain([CORRUPT])
        .map(str::to_owned)
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
