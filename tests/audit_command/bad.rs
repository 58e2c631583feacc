//! What `agxrun audit` says of files that are no drivers, damaged, or no files at all: the reason, and
//! the rest goes on.

use std::fs;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::json;

use crate::common::Sandbox;
use crate::driver::Driver;
use crate::image::{ARM64, ARM64E, Style, X86_64};
use crate::printed::{assert_code, audit, install, json, kept, stderr, stdout};
use crate::zoo::{Lists, zoo};

#[test]
fn each_file_that_cannot_be_read_has_its_reason_and_the_others_go_on() {
    let sandbox = Sandbox::new();
    install(&sandbox, "AGXMetalG16X", &Driver::own());
    let good = "extensions/AGXMetalG16X.bundle";
    fs::write(sandbox.path("text"), "no Mach-O").expect("written");
    fs::write(sandbox.path("empty"), "").expect("written");
    fs::create_dir(sandbox.path("folder")).expect("made");
    mkfifo(&sandbox.path("pipe"), Mode::S_IRWXU).expect("made");
    fs::write(sandbox.path("cache"), "dyld_v1  arm64e\0").expect("written");
    let image = Driver::own().build();
    fs::write(sandbox.path("head"), &image[..40]).expect("written");
    for (file, why) in [
        ("text", "not Mach-O"),
        ("empty", "not Mach-O"),
        ("missing", "No such file or directory"),
        ("folder", "is a folder and no bundle"),
        ("pipe", "not a regular file"),
        ("cache", "a shared cache"),
        ("head", "there are only 40"),
    ] {
        let output = audit(&sandbox, &[file, good]);
        assert_code(&output, 125);
        let said = stderr(&output);
        assert!(
            said.contains(&format!("`{file}`")) && said.contains(why),
            "{file}: {said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(stdout(&output).contains("driver of family G16X"), "{file}");
        assert!(
            stdout(&output).contains("1 file or part could not be read"),
            "{file}"
        );

        let output = audit(&sandbox, &[file, "--json"]);
        assert_code(&output, 125);
        let json = crate::printed::json(&output);
        assert!(
            json["files"][0]["error"].is_string()
                || json["files"][0]["parts"][0]["error"].is_string(),
            "{file}"
        );
        assert_eq!(json["verdict"]["failed"], 1);
    }
}

#[test]
fn of_a_truncated_driver_what_is_there_is_told() {
    let sandbox = Sandbox::new();
    let image = Driver::own().build();
    // The classes are there; the tables by which the loader adjusts pointers are not.
    fs::write(sandbox.path("cut"), &image[..image.len() * 3 / 4]).expect("written");
    let output = audit(&sandbox, &["cut", "--json"]);
    let json = crate::printed::json(&output);
    let image = &json["files"][0]["parts"][0]["image"];
    assert!(
        image["gaps"]["count"].as_u64().expect("a number") > 0,
        "{image}"
    );
    assert_eq!(image["unseen"][0]["kind"], "damaged");
    assert!(json["verdict"]["unseen"].as_u64().expect("a number") > 0);
    assert_code(&output, 0);
}

#[test]
fn fail_does_not_pass_what_is_damaged() {
    let sandbox = Sandbox::new();
    let image = zoo(ARM64, Lists::Relative).image.build(Style::Chained(6));
    fs::write(sandbox.path("cut"), &image[..image.len() / 4]).expect("written");
    assert_code(&audit(&sandbox, &["cut"]), 0);
    let output = audit(&sandbox, &["cut", "--fail"]);
    assert_code(&output, 125);
    assert!(
        crate::printed::stderr(&output).contains("`cut` (arm64) could be read in part only"),
        "{}",
        crate::printed::stderr(&output)
    );
}

#[test]
fn an_image_without_driver_classes_is_no_driver_and_no_failure() {
    let sandbox = Sandbox::new();
    fs::write(
        sandbox.path("zoo"),
        zoo(ARM64, Lists::Relative).image.build(Style::Chained(6)),
    )
    .expect("written");
    let output = audit(&sandbox, &["zoo", "--fail"]);
    assert_code(&output, 0);
    assert!(stdout(&output).contains("none of encoders, command buffers, queues or devices"));
    assert!(!kept(&sandbox).exists());
}

#[test]
fn a_driver_of_no_known_family_is_judged_by_its_superclasses_and_says_so() {
    let sandbox = Sandbox::new();
    let mut driver = Driver::own();
    for class in &mut driver.classes {
        class.name = class.name.strip_prefix("AGX").expect("the driver's");
        class.superclass = class.superclass.trim_start_matches("AGX");
    }
    fs::write(sandbox.path("unknown"), driver.build()).expect("written");
    let json = json(&audit(&sandbox, &["unknown", "--json"]));
    let image = &json["files"][0]["parts"][0]["image"];
    assert!(image["family"].is_null());
    assert_eq!(image["unseen"][0]["kind"], "family");
    assert_eq!(
        image["coverage"]["classes"]
            .as_array()
            .expect("classes")
            .len(),
        11
    );
}

#[test]
fn a_part_for_another_processor_is_looked_at_only_where_it_is_asked_for() {
    let sandbox = Sandbox::new();
    let driver = Driver {
        processor: X86_64,
        style: Style::Chained(6),
        ..Driver::own()
    };
    fs::write(sandbox.path("intel"), driver.build()).expect("written");
    let json = json(&audit(&sandbox, &["intel", "--json"]));
    let part = &json["files"][0]["parts"][0];
    assert_eq!(part["arch"], "x86_64");
    assert_eq!(part["image"]["unseen"][0]["kind"], "code");
    let output = audit(&sandbox, &["intel", "--arch", "arm64e"]);
    assert_code(&output, 125);
    assert!(
        stderr(&output).contains("no part for arm64e (hint: it has x86_64)"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn of_an_encrypted_driver_it_is_said_what_cannot_be_seen() {
    let sandbox = Sandbox::new();
    let mut image = Driver::own().image();
    // The selectors and types; the classes themselves are in the data.
    image.encrypted = Some((0x1000, 0x1f000));
    fs::write(sandbox.path("encrypted"), image.build(Style::Chained(9))).expect("written");
    let output = audit(&sandbox, &["encrypted", "--json"]);
    assert_code(&output, 0);
    let json = crate::printed::json(&output);
    let image = &json["files"][0]["parts"][0]["image"];
    let kinds: Vec<_> = image["unseen"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| &it["kind"])
        .collect();
    assert!(kinds.iter().any(|kind| **kind == "encrypted"), "{kinds:?}");
    assert_eq!(image["classes"], 11);
    assert!(stdout(&audit(&sandbox, &["encrypted"])).contains("encrypted in the file"));
}

#[test]
fn of_a_universal_file_silicons_part_is_looked_at_and_the_others_are_named() {
    let sandbox = Sandbox::new();
    let intel = Driver {
        processor: X86_64,
        style: Style::Chained(6),
        ..Driver::own()
    };
    let (first, second) = (intel.build(), Driver::own().build());
    fs::write(
        sandbox.path("fat"),
        universal(&[(X86_64, &first), (ARM64E, &second)]),
    )
    .expect("written");
    let looked_at = |options: &[&str]| {
        let output = audit(&sandbox, &[&["fat", "--json"], options].concat());
        assert_code(&output, 0);
        let file = json(&output)["files"][0].clone();
        let parts = file["parts"].as_array().expect("parts").iter();
        let archs: Vec<_> = parts
            .map(|part| part["arch"].as_str().expect("text").to_owned())
            .collect();
        (archs, file["passed_over"].clone())
    };
    assert_eq!(
        looked_at(&[]),
        (vec!["arm64e".to_owned()], json!(["x86_64"]))
    );
    assert_eq!(
        looked_at(&["--arch", "x86_64"]),
        (vec!["x86_64".to_owned()], json!(["arm64e"]))
    );
    assert_eq!(looked_at(&["--arch", "all"]).0, ["x86_64", "arm64e"]);
    assert!(stdout(&audit(&sandbox, &["fat"])).contains("not looked at: its parts for x86_64"));

    // One that is cut off says so of its last part, and tells the others.
    let mut cut = universal(&[(X86_64, &first), (ARM64E, &second)]);
    cut.truncate(0x4000 + first.len().next_multiple_of(0x4000) + 0x20);
    fs::write(sandbox.path("cut"), cut).expect("written");
    let output = audit(&sandbox, &["cut", "--arch", "all"]);
    assert_code(&output, 125);
    assert!(
        stderr(&output).contains("`cut` (arm64e)"),
        "{}",
        stderr(&output)
    );
    assert!(stdout(&output).contains("x86_64, library"));
}

/// A universal file of these parts.
fn universal(parts: &[((u32, u32), &[u8])]) -> Vec<u8> {
    let short = |size: usize| u32::try_from(size).expect("small");
    let mut head = vec![0xcafe_babe, short(parts.len())];
    let mut bytes = Vec::new();
    let mut at = 0x4000;
    for ((cpu, subtype), part) in parts {
        head.extend([*cpu, *subtype, short(at), short(part.len()), 14]);
        bytes.resize(at, 0);
        bytes.extend_from_slice(part);
        at += part.len().next_multiple_of(0x4000);
    }
    for (at, word) in head.into_iter().enumerate() {
        bytes[4 * at..4 * at + 4].copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

#[test]
fn options_that_mean_nothing_are_refused() {
    let sandbox = Sandbox::new();
    install(&sandbox, "AGXMetalG16X", &Driver::own());
    let bundle = "extensions/AGXMetalG16X.bundle";
    fs::write(sandbox.path("other.json"), "{\"schema\": 99}").expect("written");
    fs::write(sandbox.path("broken.json"), "{").expect("written");
    for (arguments, code, why) in [
        (&[bundle, "--fix", "v9"][..], 125, "no policy `v9`"),
        (
            &[bundle, "--against", "missing.json"],
            125,
            "cannot compare with `missing.json`",
        ),
        (
            &[bundle, "--against", "other.json"],
            125,
            "has the layout 99",
        ),
        (
            &[bundle, "--against", "broken.json"],
            125,
            "no audit that agxrun wrote",
        ),
        (&[bundle, "-o", "missing/out.json"], 125, "check --output"),
        (&[bundle, "--json", "-v"], 2, "cannot be used with"),
    ] {
        let output = audit(&sandbox, arguments);
        assert_code(&output, code);
        assert!(
            stderr(&output).contains(why),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert_eq!(stdout(&output), "", "{arguments:?}");
    }
}
