//! The JSON Schemas in `schemas/` describe what the commands print: each command is run for real, in several situations, and all
//! that it printed is valid, while the same with a field more is not.

#[path = "../common/mod.rs"]
mod common;
#[path = "../patch/images.rs"]
mod images;
#[path = "../patch/signing.rs"]
mod signing;

#[path = "../audit_command/crash.rs"]
mod crash;
#[path = "../audit_command/driver.rs"]
mod driver;
#[allow(dead_code, reason = "the reader's tests use the rest")]
#[path = "../audit/encode.rs"]
mod encode;
#[allow(dead_code, reason = "as above")]
#[path = "../audit/image.rs"]
mod image;
#[allow(dead_code, reason = "as above")]
#[path = "../audit/zoo.rs"]
mod zoo;

mod audits;
mod files;
mod looks;
mod patches;
mod rehearsals;
mod runs;
mod schema;
mod series;
mod written;

use schema::{Printed, assert_describes};

/// A test for each schema, of what the commands that it describes print.
macro_rules! schemas {
    ($($name:ident: $file:literal, [$($command:literal),*], $outputs:path;)*) => {
        $(
            #[test]
            fn $name() {
                assert_describes($file, &$outputs());
            }
        )*

        /// The files, and the commands whose `--json` each describes: words, separated by blanks.
        const SCHEMAS: &[(&str, &[&str])] = &[$(($file, &[$($command),*])),*];
    };
}

schemas! {
    run: "run.json", ["run"], runs::records;
    history_line: "history-line.json", [], runs::lines;
    history: "history.json", ["history"], runs::histories;
    stress: "stress.json", ["stress"], series::stress;
    compare: "compare.json", ["compare"], series::compare;
    check_crashes: "check-crashes.json", ["check-crashes", "snapshot"], looks::crashes;
    snapshot_file: "snapshot.json", [], looks::snapshot_files;
    show: "show.json", ["show"], looks::shown;
    inspect: "inspect.json", ["inspect"], looks::inspections;
    audit: "audit.json", ["audit"], audits::all;
    doctor: "doctor.json", ["doctor"], looks::findings;
    fix_list: "fix-list.json", ["fix list"], looks::policies;
    monitor_status: "monitor-status.json", ["monitor status"], looks::monitors;
    patch: "patch.json", ["patch"], patches::answers;
    rehearse: "rehearse.json", ["rehearse"], rehearsals::both;
    matrix: "matrix.json", ["rehearse"], rehearsals::matrices;
}

/// What a command printed, as JSON; `what` says in which situation.
fn printed(what: &str, output: &std::process::Output) -> Printed {
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        let stderr = String::from_utf8_lossy(&output.stderr);
        panic!("{what}: {error}: {stderr}")
    });
    Printed::new(what, json)
}

/// What a file holds.
fn in_file(what: &str, path: &std::path::Path) -> Printed {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{what}: {error}"));
    Printed::new(what, serde_json::from_slice(&text).expect("JSON"))
}
