//! The command: files in, files out, what it says.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::common::Sandbox;
use crate::images::{Shape, Tools};

fn run(sandbox: &Sandbox, options: &[&str]) -> Output {
    let mut agxrun = sandbox.agxrun();
    agxrun.arg("patch").args(options);
    agxrun.output().expect("agxrun starts")
}

#[track_caller]
fn assert_code(output: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}{complained}");
    said + &complained
}

/// A sandbox with `driver`.
fn with_driver(driver: &[u8]) -> Sandbox {
    let sandbox = Sandbox::new();
    let path = sandbox.path("driver");
    fs::write(&path, driver).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
    sandbox
}

const MAKE: [&str; 4] = ["--input", "driver", "--output", "copy"];

/// Names of everything in the sandbox but its folders.
fn files(sandbox: &Sandbox) -> Vec<String> {
    let entries = fs::read_dir(sandbox.root.path()).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| !entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_copy_is_written_with_the_originals_mode_and_the_original_stays() {
    let Some(tools) = Tools::find() else { return };
    let driver = tools.driver(Shape::default());
    let sandbox = with_driver(&driver);
    let said = assert_code(&run(&sandbox, &MAKE), 0);
    for part in [
        "> mov x20, xzr",
        "_os_unfair_lock_unlock",
        "ad hoc",
        "cannot do",
        "wrote copy",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(fs::read(sandbox.path("driver")).expect("there"), driver);
    let copy = fs::metadata(sandbox.path("copy")).expect("there");
    assert_eq!(copy.permissions().mode() & 0o7777, 0o755);
    assert_eq!(files(&sandbox), ["copy", "driver"]);

    let said = assert_code(&run(&sandbox, &["--verify", "--output", "copy"]), 0);
    assert!(said.contains("patched (rebuilt)"), "{said}");
    let with_input = ["--verify", "--output", "copy", "--input", "driver"];
    let said = assert_code(&run(&sandbox, &with_input), 0);
    assert!(said.contains("nothing differs"), "{said}");
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let Some(tools) = Tools::find() else { return };
    let sandbox = with_driver(&tools.driver(Shape::default()));
    let dry = assert_code(&run(&sandbox, &["--input", "driver", "--dry-run"]), 0);
    assert_eq!(files(&sandbox), ["driver"]);
    let made = assert_code(&run(&sandbox, &MAKE), 0);
    let table = |said: &str| said.split("ok:").next().expect("a table").to_owned();
    assert_eq!(table(&dry), table(&made));
}

#[test]
fn the_input_is_never_the_output_by_whatever_name() {
    let Some(tools) = Tools::find() else { return };
    let driver = tools.driver(Shape::default());
    let sandbox = with_driver(&driver);
    symlink("driver", sandbox.path("link")).expect("a link");
    fs::hard_link(sandbox.path("driver"), sandbox.path("same")).expect("a link");
    for output in ["driver", "./driver", "link", "same"] {
        let said = assert_code(
            &run(
                &sandbox,
                &["--input", "driver", "--output", output, "--force"],
            ),
            125,
        );
        assert!(said.contains("the input itself"), "{said}");
    }
    assert_eq!(fs::read(sandbox.path("driver")).expect("there"), driver);
}

#[test]
fn a_file_that_is_there_is_replaced_only_by_force() {
    let Some(tools) = Tools::find() else { return };
    let sandbox = with_driver(&tools.driver(Shape::default()));
    fs::write(sandbox.path("copy"), "precious").expect("written");
    let said = assert_code(&run(&sandbox, &MAKE), 125);
    assert!(said.contains("--force"), "{said}");
    assert_eq!(fs::read(sandbox.path("copy")).expect("there"), b"precious");
    assert_code(&run(&sandbox, &[&MAKE[..], &["--force"]].concat()), 0);
    assert_ne!(fs::read(sandbox.path("copy")).expect("there"), b"precious");
    let said = assert_code(
        &run(
            &sandbox,
            &["--input", "driver", "--output", "reports", "--force"],
        ),
        125,
    );
    assert!(said.contains("no file"), "{said}");
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    let Some(tools) = Tools::find() else { return };
    let sandbox = with_driver(&tools.driver(Shape {
        with: &["SOUND"],
        ..Shape::default()
    }));
    let output = run(&sandbox, &[&MAKE[..], &["--json"]].concat());
    assert_code(&output, 125);
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["outcome"], "refused");
    let why = answer["refused"].as_str().expect("a reason");
    assert!(why.contains("no race to repair"), "{why}");
    assert_eq!(files(&sandbox), ["driver"]);
    // A copy that cannot be written whole leaves none at all.
    let driver = tools.driver(Shape::default());
    fs::write(sandbox.path("driver"), driver).expect("written");
    let mut limited = sandbox.limited_agxrun();
    let output = limited.arg("patch").args(MAKE).output().expect("it starts");
    let said = assert_code(&output, 125);
    assert!(said.contains("could not write"), "{said}");
    assert_eq!(files(&sandbox), ["driver"]);
}

#[test]
fn a_copy_in_which_something_else_differs_is_not_verified() {
    let Some(tools) = Tools::find() else { return };
    let driver = tools.driver(Shape::default());
    let sandbox = with_driver(&driver);
    assert_code(&run(&sandbox, &MAKE), 0);
    let copy = fs::read(sandbox.path("copy")).expect("there");
    let change = |at: usize, options: &[&str]| {
        let mut changed = copy.clone();
        changed[at] ^= 1;
        fs::write(sandbox.path("copy"), changed).expect("written");
        assert_code(&run(&sandbox, options), 1)
    };
    let alone = ["--verify", "--output", "copy"];
    let against = ["--verify", "--output", "copy", "--input", "driver"];
    let data = copy.len() / 2;
    let said = change(data, &alone);
    assert!(said.contains("pages have another hash"), "{said}");
    let said = change(data, &against);
    assert!(
        said.contains(&format!("offset {data:#x} differs")),
        "{said}"
    );
    // An original is no patched copy.
    let said = assert_code(&run(&sandbox, &["--verify", "--output", "driver"]), 1);
    assert!(said.contains("not patched"), "{said}");
}

#[test]
fn the_other_parts_of_a_universal_file_stay_as_they_are() {
    let Some(tools) = Tools::find() else { return };
    let authenticated = tools.driver(Shape {
        authenticated: true,
        published: true,
        ..Shape::default()
    });
    let intel = tools.intel();
    let universal = tools.universal(&[&intel, &authenticated]);
    let sandbox = with_driver(&universal);
    let output = run(&sandbox, &[&MAKE[..], &["--published", "--json"]].concat());
    assert_code(&output, 0);
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let patched = &answer["patched"];
    assert_eq!(patched["untouched"], serde_json::json!(["x86_64"]));
    let part = &patched["parts"][0];
    assert_eq!(part["processor"], "arm64e");
    assert_eq!(part["uuid"], "0CE453FF-9F17-321F-BC18-383573A48221");
    let method = &part["methods"][0];
    assert_eq!(method["leaks"], true);
    assert_eq!(method["edits"].as_array().map(Vec::len), Some(9));

    let copy = fs::read(sandbox.path("copy")).expect("there");
    let offset = usize::try_from(part["offset"].as_u64().expect("a number")).expect("small");
    assert_eq!(copy.len(), universal.len());
    assert_eq!(
        copy[..offset],
        universal[..offset],
        "the header and the part for Intel"
    );
    assert!(
        copy[..offset]
            .windows(intel.len())
            .any(|part| part == intel)
    );
    let edits = method["edits"].as_array().expect("edits").iter();
    let expected: Vec<u64> = edits
        .map(|edit| edit["address"].as_u64().expect("a number") + offset as u64)
        .collect();
    let found: Vec<u64> = method["edits"]
        .as_array()
        .expect("edits")
        .iter()
        .map(|edit| edit["offset"].as_u64().expect("a number"))
        .collect();
    assert_eq!(found, expected, "an address is an offset in the slice");
    let against = ["--verify", "--output", "copy", "--input", "driver"];
    let said = assert_code(&run(&sandbox, &against), 0);
    assert!(said.contains("the published edits"), "{said}");
}

#[test]
fn files_that_are_no_drivers() {
    let sandbox = with_driver(b"#!/bin/sh\n");
    let complaint = |options: &[&str]| {
        let output = run(&sandbox, options);
        assert_code(&output, 125)
    };
    assert!(complaint(&MAKE).contains("not Mach-O"));
    assert!(
        complaint(&["--input", "missing", "--output", "copy"]).contains("`missing` cannot be read")
    );
    assert!(
        complaint(&["--input", "reports", "--output", "copy"]).contains("`reports` cannot be read")
    );
    assert!(complaint(&["--input", "driver", "--output", "missing/copy"]).contains("not Mach-O"));
    assert!(complaint(&["--verify", "--output", "driver"]).contains("not Mach-O"));
    let own = std::env::current_exe().expect("a path");
    let own = own.to_str().expect("text");
    assert_code(&run(&sandbox, &["--input", own, "--output", "copy"]), 125);
    assert!(!Path::new(&sandbox.path("copy")).exists());
}

#[test]
fn wrong_usage() {
    let sandbox = Sandbox::new();
    for options in [
        &[][..],
        &["--output", "copy"],
        &["--input", "driver"],
        &["--verify", "--input", "driver"],
        &["--verify", "--dry-run", "--output", "copy"],
        &["--verify", "--published", "--output", "copy"],
    ] {
        assert_code(&run(&sandbox, options), 2);
    }
}

#[test]
fn what_is_read() {
    let Some(tools) = Tools::find() else { return };
    let published = tools.driver(Shape {
        authenticated: true,
        published: true,
        ..Shape::default()
    });
    let sandbox = with_driver(&published);
    // The linker's version shows in them.
    let filters = vec![(
        r"cdhash [0-9a-f]{40}; \d+ of \d+",
        "cdhash [hash]; [size] of [room]",
    )];
    insta::with_settings!({filters => filters, omit_expression => true}, {
        let said = run(&sandbox, &["--input", "driver", "--dry-run"]);
        insta::assert_snapshot!("rebuilt", assert_code(&said, 0));
        let said = run(&sandbox, &["--input", "driver", "--output", "copy", "--published"]);
        insta::assert_snapshot!("published", assert_code(&said, 0));
        let said = run(&sandbox, &["--verify", "--input", "driver", "--output", "copy"]);
        insta::assert_snapshot!("verified", assert_code(&said, 0));
        let said = run(&sandbox, &["--input", "copy", "--dry-run"]);
        insta::assert_snapshot!("refused", assert_code(&said, 125));
    });
}
