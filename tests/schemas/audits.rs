//! What `agxrun audit` prints.

use std::fs;
use std::path::PathBuf;

use agx_policy::dump::Method;
use serde_json::Value;

use super::common::Sandbox;
use super::crash;
use super::driver::{Code, Driver};
use super::image::{ARM64, Style, X86_64};
use super::schema::Printed;
use super::zoo::{Lists, zoo};
use super::{in_file, printed};

/// A few methods of each class are as good as all: a schema takes its time with each.
fn few(mut driver: Driver) -> Driver {
    for class in &mut driver.classes {
        class.methods.truncate(6);
    }
    driver
}

/// The compute encoder alone, with the race and a call past a hook.
fn racy() -> Driver {
    let mut driver = Driver::own();
    driver.code = Some(Code {
        repaired: false,
        bypasses: true,
    });
    driver
        .classes
        .retain(|class| class.name.ends_with("FamilyComputeContext"));
    driver
}

/// The report of a crash in that encoder, whose audit is kept in the sandbox.
pub fn explained(sandbox: &Sandbox) -> PathBuf {
    fs::write(sandbox.path("racy"), racy().build()).expect("written");
    let mut agxrun = sandbox.agxrun();
    let output = agxrun.args(["audit", "--json", "racy"]).output();
    let audit: Value =
        serde_json::from_slice(&output.expect("agxrun starts").stdout).expect("JSON");
    let image = &audit["files"][0]["parts"][0]["image"];
    let reads = image["race"]["untested_reads"].as_array().expect("reads");
    let passed = |read: &&Value| {
        read["calls"]
            .as_array()
            .is_some_and(|calls| !calls.is_empty())
    };
    let read = reads.iter().find(passed).expect("one that is passed on");
    let number = |value: &Value| value.as_u64().expect("a number");
    let base = number(&image["base"]);
    let offset = number(&read["at"]["address"]) - base;
    let caller = number(&read["calls"][0]["address"]) + 4 - base;
    let uuid = image["uuid"].as_str().expect("a UUID");
    let path = sandbox.path("explained.ips");
    let report = crash::report(uuid, &[offset, caller], number(&read["offset"]));
    fs::write(&path, report).expect("written");
    path
}

pub fn all() -> Vec<Printed> {
    let sandbox = Sandbox::new();
    let put = |name: &str, bytes: &[u8]| fs::write(sandbox.path(name), bytes).expect("written");
    let driver = few(Driver::own()).build();
    put("driver", &driver);
    put("cut", &driver[..driver.len() * 3 / 4]);
    put("text", b"no Mach-O");
    put(
        "zoo",
        &zoo(ARM64, Lists::Cache).image.build(Style::Chained(6)),
    );
    let mut other = few(Driver::own()).of_family("G13X");
    other
        .classes
        .retain(|class| !class.name.contains("Sampled"));
    let blit = other.class("AGXG13XFamilyBlitContext");
    blit.superclass = "IOGPUMetalTensorCommandEncoder";
    let compute = other.class("AGXG13XFamilyComputeContext");
    compute.methods.pop();
    compute.methods[0].encoding = "v@:![16,16f]";
    compute.methods.push(Method {
        selector: "setVector:",
        encoding: "v@:![16,16f]",
    });
    put("other", &other.build());
    let intel = Driver {
        processor: X86_64,
        style: Style::Opcodes,
        ..Driver::whole()
    };
    put("intel", &few(intel).build());
    let mut racy = Driver::own();
    racy.code = Some(Code {
        repaired: false,
        bypasses: true,
    });
    racy.classes
        .retain(|class| class.name.ends_with("FamilyComputeContext"));
    put("racy", &racy.build());
    let audit = |arguments: &[&str]| {
        let mut agxrun = sandbox.agxrun();
        let output = agxrun.args(["audit", "--json"]).args(arguments).output();
        printed(&format!("{arguments:?}"), &output.expect("agxrun starts"))
    };
    vec![
        audit(&["driver", "-o", "saved.json"]),
        in_file("saved", &sandbox.path("saved.json")),
        audit(&["other", "--against", "saved.json", "--fix", "v2.4nr"]),
        audit(&["driver", "--against", "other"]),
        audit(&["racy"]),
        audit(&["zoo", "--against", "driver"]),
        audit(&["text", "cut", "zoo", "missing"]),
        audit(&["intel", "--arch", "x86_64"]),
        audit(&["intel", "--arch", "arm64"]),
    ]
}
