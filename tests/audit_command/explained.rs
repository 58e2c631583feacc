//! A crash explained by the audit of the driver's build.

use std::fs;
use std::process::Output;

use serde_json::{Value, json};

use crate::common::Sandbox;
use crate::crash;
use crate::driver::FUNCTION;
use crate::found::{address, driver};
use crate::printed::{assert_code, audit, json, kept, stderr, stdout};

const UUID: &str = "0ce453ff-9f17-321f-bc18-383573a48221";
const CLASS: &str = "AGXG16XFamilyComputeContext";

fn report(sandbox: &Sandbox, uuid: &str, offsets: &[u64], fault: u64) {
    let text = crash::report(uuid, offsets, fault);
    fs::write(sandbox.path("crash.ips"), text).expect("written");
}

fn show(sandbox: &Sandbox, options: &[&str]) -> Output {
    let mut agxrun = sandbox.agxrun();
    agxrun.args(["show", "crash.ips"]).args(options);
    agxrun.output().expect("agxrun starts")
}

/// The driver, audited and kept; where a method is, in bytes from the image's start.
fn audited(sandbox: &Sandbox) -> impl Fn(&str) -> u64 {
    fs::write(sandbox.path("driver"), driver(false, true).build()).expect("written");
    let output = audit(sandbox, &["driver", "--json", "-o", "saved.json"]);
    assert_code(&output, 0);
    let image = json(&output)["files"][0]["parts"][0]["image"].clone();
    move |selector| address(&image, selector) - image["base"].as_u64().expect("an address")
}

#[test]
fn a_fault_that_was_foretold_is_explained_by_the_kept_audit() {
    let sandbox = Sandbox::new();
    let at = audited(&sandbox);
    let read = at("setComputePipelineState:") + 4;
    // The caller's address is the one behind its call, at the end of the function.
    let caller = at("endEncoding") + FUNCTION;
    report(&sandbox, UUID, &[read, caller], 0x5c8);
    let output = show(&sandbox, &[]);
    assert_code(&output, 0);
    let text = stdout(&output);
    let explained = text.find("\nBy the audit of").expect("it is explained");
    insta::assert_snapshot!("explained", &text[explained..]);

    let document = json(&show(&sandbox, &["--json"]));
    let explanation = &document["explanations"][0];
    assert_eq!(explanation["uuid"], UUID);
    assert_eq!(explanation["frames"][0]["into"], 4);
    assert_eq!(
        explanation["frames"][1]["method"],
        format!("-[{CLASS} endEncoding]")
    );
    assert_eq!(explanation["fault"]["predicted"][0]["fit"], "instruction");

    // Elsewhere in the function, in another function, and at an address of which nothing is foretold.
    for (offset, fault, fit) in [
        (read + 4, 0x5c8, json!("function")),
        (at("endEncoding"), 0x5c8, json!("address")),
        (at("destroyImpl") + 0x50, 0x10, json!("instruction")),
        (read, 0x18, Value::Null),
    ] {
        report(&sandbox, UUID, &[offset], fault);
        let document = json(&show(&sandbox, &["--json"]));
        assert_eq!(
            document["explanations"][0]["fault"]["predicted"][0]["fit"],
            fit
        );
    }
    assert!(stdout(&show(&sandbox, &[])).contains("0x18: not predicted"));
}

#[test]
fn another_build_is_not_explained() {
    let sandbox = Sandbox::new();
    let at = audited(&sandbox);
    let other = "0ce453ff-9f17-321f-bc18-383573a48222";
    report(
        &sandbox,
        other,
        &[at("setComputePipelineState:") + 4],
        0x5c8,
    );
    let output = show(&sandbox, &[]);
    assert_code(&output, 0);
    assert!(!stdout(&output).contains("By the audit of"));
    assert_eq!(stderr(&output), "");
    let output = show(&sandbox, &["--audit", "saved.json"]);
    assert_code(&output, 0);
    assert!(
        stderr(&output).contains("it is of other builds"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn an_audit_can_be_named_and_one_that_is_damaged_is_told() {
    let sandbox = Sandbox::new();
    let at = audited(&sandbox);
    let kept_file = kept(&sandbox).join(format!("{UUID}.json"));
    report(
        &sandbox,
        &UUID.to_uppercase(),
        &[at("setComputePipelineState:") + 4],
        0x5c8,
    );
    fs::write(&kept_file, "{\"schema\": 1").expect("written");
    let output = show(&sandbox, &[]);
    assert_code(&output, 0);
    assert!(
        stderr(&output).contains("is no audit that agxrun wrote"),
        "{}",
        stderr(&output)
    );
    assert!(!stdout(&output).contains("By the audit of"));

    fs::remove_file(&kept_file).expect("removed");
    let output = show(&sandbox, &["--audit", "saved.json"]);
    assert_eq!(stderr(&output), "");
    assert!(
        stdout(&output)
            .contains("0x5c8: predicted: -[AGXG16XFamilyComputeContext setComputePipelineState:]")
    );
    let output = show(&sandbox, &["--audit", "crash.ips"]);
    assert_code(&output, 125);
    assert!(
        stderr(&output).contains("cannot explain by `crash.ips`"),
        "{}",
        stderr(&output)
    );
}
