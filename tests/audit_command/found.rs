//! Ways past the hooks, and the race, as `agxrun audit` tells them.

use std::fs;

use serde_json::{Value, json};

use crate::common::Sandbox;
use crate::driver::{Code, Driver};
use crate::printed::{assert_code, audit, json, stdout};

const CLASS: &str = "AGXG16XFamilyComputeContext";

pub fn driver(repaired: bool, bypasses: bool) -> Driver {
    Driver {
        code: Some(Code { repaired, bypasses }),
        ..Driver::own()
    }
}

/// What is told of the one image.
fn image(sandbox: &Sandbox, driver: &Driver, options: &[&str]) -> Value {
    fs::write(sandbox.path("driver"), driver.build()).expect("written");
    let output = audit(sandbox, &[&["driver", "--json"], options].concat());
    assert_code(&output, 0);
    json(&output)["files"][0]["parts"][0]["image"].clone()
}

/// Where a method's code begins.
pub fn address(image: &Value, selector: &str) -> u64 {
    let classes = image["coverage"]["classes"].as_array().expect("classes");
    let class = classes.iter().find(|class| class["name"] == CLASS);
    let methods = class.expect("the class")["methods"]
        .as_array()
        .expect("methods");
    let method = methods.iter().find(|method| method["selector"] == selector);
    method.expect("the method")["address"]
        .as_u64()
        .expect("an address")
}

#[test]
fn a_call_past_the_hook_is_found_with_who_makes_it() {
    let sandbox = Sandbox::new();
    let image = image(&sandbox, &driver(false, true), &[]);
    let (from, to) = (
        address(&image, "deferredEndEncoding"),
        address(&image, "destroyImpl"),
    );
    assert_eq!(
        image["bypass"]["references"],
        json!([{
            "kind": "call",
            "at": {"address": from, "function": format!("-[{CLASS} deferredEndEncoding]"), "into": 0},
            "methods": [format!("-[{CLASS} destroyImpl]")],
            "target": to,
            "within_target": false,
            "pointer": null,
            "signed": null,
            "instructions": [{"address": from, "text": format!("bl {to:#x}")}],
        }])
    );
    let asks = address(&image, "endEncoding");
    assert_eq!(
        image["bypass"]["lookups"],
        json!([{
            "name": "class_getMethodImplementation",
            "selector": false,
            "uses": [{"address": asks, "function": format!("-[{CLASS} endEncoding]"), "into": 0}],
        }])
    );
    let output = audit(&sandbox, &["driver", "--fail"]);
    assert_code(&output, 86);
    let text = stdout(&output);
    assert!(
        text.contains("1 way to the code of methods that v3 hooks leads past the hooks"),
        "{text}"
    );
    assert!(!text.contains("no bypass found"), "{text}");
}

#[test]
fn where_none_is_found_it_is_said_in_how_many_places() {
    let sandbox = Sandbox::new();
    let found = image(&sandbox, &driver(false, false), &[]);
    assert_eq!(found["bypass"]["references"], json!([]));
    let looked_at = &found["bypass"]["looked_at"];
    let number = |name: &str| looked_at[name].as_u64().expect("a number");
    assert_eq!(number("methods"), 389);
    let places = number("instructions") + number("pointers") + number("distances");
    let output = audit(&sandbox, &["driver", "--fail"]);
    assert_code(&output, 0);
    let text = stdout(&output);
    let sentence = format!("no bypass found in {places} places looked at; what other images do");
    assert!(text.contains(&sentence), "{text}");

    // Of a version that hooks other methods, others are asked about.
    let v1 = image(&sandbox, &driver(false, true), &["--fix", "v1"]);
    assert_eq!(v1["bypass"]["looked_at"]["methods"], 22);
}

#[test]
fn the_race_is_told_with_its_instructions_and_the_faults_that_it_foretells() {
    let sandbox = Sandbox::new();
    let found = image(&sandbox, &driver(false, false), &[]);
    let [destroy] = &found["race"]["destroys"].as_array().expect("methods")[..] else {
        panic!("{}", found["race"])
    };
    let start = address(&found, "destroyImpl");
    assert_eq!(destroy["class"], CLASS);
    assert_eq!(destroy["address"], start);
    assert_eq!(destroy["order"], "after_unlock");
    let steps: Vec<_> = destroy["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|step| {
            let at = step["instruction"]["address"].as_u64().expect("an address");
            (
                (at - start) / 4,
                step["action"].as_str().expect("an action"),
            )
        })
        .collect();
    assert_eq!(
        steps,
        [
            (1, "load"),
            (3, "lock"),
            (6, "give"),
            (8, "unlock"),
            (11, "unlock"),
            (13, "free"),
            (14, "store")
        ]
    );
    let function = |selector: &str| format!("-[{CLASS} {selector}]");
    assert_eq!(
        found["race"]["predicted_faults"],
        json!([
            {"address": 0x10, "functions": [function("updateFence:")]},
            {"address": 0x5c8, "functions": [function("setComputePipelineState:")]},
        ])
    );
    // Another function reads it for this method.
    let passes = address(&found, "updateFence:");
    let read = &found["race"]["untested_reads"][1];
    assert_eq!(read["function"], function("updateFence:"));
    assert_eq!(read["calls"][0]["address"], passes + 4);
    assert_eq!(read["at"]["address"], start + 0x50);
    let text = stdout(&audit(&sandbox, &["driver"]));
    let race = text
        .find("The race, and faults foretold")
        .expect("it is told");
    let end = race + text[race..].find("\n\n").expect("a blank line");
    insta::assert_snapshot!("the_race", &text[race..end]);

    let repaired = image(&sandbox, &driver(true, false), &[]);
    assert_eq!(repaired["race"]["destroys"][0]["order"], "before_unlock");
    // The readers still read.
    assert_eq!(
        repaired["race"]["predicted_faults"],
        found["race"]["predicted_faults"]
    );
}

#[test]
fn a_build_without_the_race_is_told_against_one_that_has_it() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("old"), driver(false, false).build()).expect("written");
    let mut new = driver(true, false);
    new.uuid[0] ^= 1;
    fs::write(sandbox.path("new"), new.build()).expect("written");
    let answer = json(&audit(&sandbox, &["new", "--against", "old", "--json"]));
    let changes = &answer["against"]["images"][0];
    assert_eq!(
        changes["changed_orders"],
        json!([{"class": CLASS, "before": "after_unlock", "after": "before_unlock"}])
    );
    assert_eq!(changes["new_faults"], json!([]));
    let text = stdout(&audit(&sandbox, &["new", "--against", "old"]));
    assert!(
        text.contains("stores NULL to _impl before the unlock; before, it stores NULL to _impl after the unlock"),
        "{text}"
    );

    // An audit of what has no code at all foretells nothing.
    fs::write(sandbox.path("none"), crate::driver::Driver::own().build()).expect("written");
    let answer = json(&audit(&sandbox, &["none", "--against", "old", "--json"]));
    assert_eq!(
        answer["against"]["images"][0]["gone_faults"],
        json!([0x10, 0x5c8])
    );
}
