//! What cannot be done is said in one line, with what to do instead.

mod workload;

use workload::{Ended, SCRIPT, python, workload as run};

#[track_caller]
fn assert_refused(ended: &Ended, parts: &[&str]) {
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    for part in parts {
        assert!(
            ended.stderr.contains(part),
            "{part:?} is missing: {ended:?}"
        );
    }
}

#[test]
fn a_missing_driver() {
    let parts = ["/no/such/driver.so", "cargo build -p agx-rehearsal"];
    assert_refused(&run(&["--driver", "/no/such/driver.so"]), &parts);
    assert_refused(&python(&["--driver", "/no/such/driver.so"]), &parts);
}

#[test]
fn a_driver_that_is_no_library() {
    assert_refused(
        &run(&["--driver", SCRIPT]),
        &["cannot load the rehearsal driver", SCRIPT],
    );
    assert_refused(
        &python(&["--driver", SCRIPT]),
        &["cannot load the rehearsal driver", SCRIPT],
    );
}

#[test]
fn an_unknown_fault() {
    assert_refused(
        &run(&["--fault", "sunspots"]),
        &["--fault", "sunspots", "--help"],
    );
    assert_refused(&python(&["--fault", "sunspots"]), &["sunspots"]);
}
