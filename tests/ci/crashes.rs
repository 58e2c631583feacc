//! A step that cannot be wrapped: `snapshot` before, `check-crashes --since FILE --fail` after.

use std::process::Output;

use crate::common::{Sandbox, old_report};

fn agxrun(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    sandbox
        .agxrun()
        .args(arguments)
        .arg("--reports-dir")
        .arg(sandbox.reports())
        .output()
        .expect("agxrun starts")
}

#[track_caller]
fn assert_code(output: &Output, code: i32) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
}

#[test]
fn what_crashed_between_the_two_fails_and_nothing_else() {
    let sandbox = Sandbox::new();
    let before = sandbox.reports().join("Python-before.ips");
    std::fs::copy(old_report(), before).expect("copied");
    let output = agxrun(&sandbox, &["snapshot", "-o", "before.json"]);
    assert_code(&output, 0);
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 report file is known"));

    let check = [
        "check-crashes",
        "--since",
        "before.json",
        "--fail",
        "--junit",
        "junit.xml",
    ];
    assert_code(&agxrun(&sandbox, &check), 0);
    let read = crate::readers::read_valid(&sandbox.path("junit.xml"));
    let cases = read["suites"][0]["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 1);
    let name = cases[0]["name"].as_str().expect("a name");
    assert!(
        name.starts_with("no crash since the snapshot before.json of "),
        "{name}"
    );

    // The step: a crash that agxrun does not see.
    let text = std::fs::read_to_string(old_report()).expect("a report");
    let other = text.replace("\"incident_id\":\"", "\"incident_id\":\"0");
    assert_ne!(other, text);
    std::fs::write(sandbox.reports().join("Python-after.ips"), other).expect("written");
    let output = agxrun(&sandbox, &check);
    assert_code(&output, 86);
    let read = crate::readers::read_valid(&sandbox.path("junit.xml"));
    let cases = read["suites"][0]["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 1, "only what is new");
    let name = cases[0]["name"].as_str().expect("a name");
    assert!(name.ends_with("(Python-after.ips)"), "{name}");
}

#[test]
fn it_is_the_same_as_the_option_of_check_crashes() {
    let sandbox = Sandbox::new();
    std::fs::copy(old_report(), sandbox.reports().join("Python-old.ips")).expect("copied");
    assert_code(&agxrun(&sandbox, &["snapshot", "--output", "a.json"]), 0);
    assert_code(
        &agxrun(&sandbox, &["check-crashes", "--snapshot", "b.json"]),
        0,
    );
    let read = |name: &str| -> serde_json::Value {
        let bytes = std::fs::read(sandbox.path(name)).expect("a file");
        let mut json: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        json.as_object_mut()
            .expect("an object")
            .remove("taken")
            .expect("when");
        json
    };
    assert_eq!(read("a.json"), read("b.json"));
}

#[test]
fn a_report_that_cannot_be_read_is_an_error_of_the_suite_and_fails() {
    let sandbox = Sandbox::new();
    assert_code(&agxrun(&sandbox, &["snapshot", "-o", "before.json"]), 0);
    std::fs::write(sandbox.reports().join("Python-x.ips"), "{}\n{ no json").expect("written");
    let check = [
        "check-crashes",
        "--since",
        "before.json",
        "--fail",
        "--junit",
        "junit.xml",
    ];
    assert_code(&agxrun(&sandbox, &check), 86);
    let read = crate::readers::read_valid(&sandbox.path("junit.xml"));
    assert_eq!(read["counts"]["errors"], 1, "{read}");
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let sandbox = Sandbox::new();
    for arguments in [
        &["snapshot"][..],
        &["check-crashes", "--watch", "--junit", "x.xml"],
        &["check-crashes", "--watch", "--github"],
        &["check-crashes", "--sync", "--baseline", "x.toml"],
        &["check-crashes", "--clean", "--junit", "x.xml"],
        &["check-crashes", "--snapshot", "a", "--github"],
    ] {
        assert_code(&agxrun(&sandbox, arguments), 2);
    }
}
