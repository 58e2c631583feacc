//! What `agxrun audit` prints and writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use agx_policy::dump::Method;
use agxrun::inject::platform::state_folder;
use serde_json::Value;

use crate::common::Sandbox;
use crate::driver::Driver;

/// `agxrun audit ARGUMENTS` in the sandbox.
pub fn audit(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    let mut agxrun = sandbox.agxrun();
    agxrun.arg("audit").args(arguments);
    agxrun.output().expect("agxrun starts")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

#[track_caller]
pub fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", stderr(output));
}

pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

/// Where the sandbox's audits are kept.
pub fn kept(sandbox: &Sandbox) -> PathBuf {
    let home = |name: &str| (name == "HOME").then(|| sandbox.path("home").into_os_string());
    let folder = state_folder(home).expect("a home");
    folder.join("audits")
}

/// What was printed, without the sandbox's own folders.
fn redacted(sandbox: &Sandbox, text: &str) -> String {
    text.replace(&*kept(sandbox).to_string_lossy(), "KEPT")
}

/// A driver's bundle in the sandbox.
pub fn install(sandbox: &Sandbox, name: &str, driver: &Driver) {
    let code = sandbox.path(&format!("extensions/{name}.bundle/Contents/MacOS"));
    fs::create_dir_all(&code).expect("made");
    fs::write(code.join(name), driver.build()).expect("written");
}

#[test]
fn a_driver_is_told_by_class_reason_and_in_sum() {
    let sandbox = Sandbox::new();
    install(&sandbox, "AGXMetalG16X", &Driver::own());
    let output = audit(&sandbox, &["extensions/AGXMetalG16X.bundle"]);
    assert_code(&output, 0);
    assert_eq!(stderr(&output), "");
    let text = redacted(&sandbox, &stdout(&output));
    insta::assert_snapshot!("a_driver", text);
}

#[test]
fn a_published_version_leaves_work_alone_and_fail_says_so() {
    let sandbox = Sandbox::new();
    install(&sandbox, "AGXMetalG16X", &Driver::own());
    let bundle = "extensions/AGXMetalG16X.bundle";
    let output = audit(&sandbox, &[bundle, "--fix", "2.8", "--fail"]);
    assert_code(&output, 86);
    insta::assert_snapshot!("a_published_version", redacted(&sandbox, &stdout(&output)));
    assert_code(&audit(&sandbox, &[bundle, "--fail"]), 0);
    assert_code(&audit(&sandbox, &[bundle, "--fix", "v2.8"]), 0);
}

#[test]
fn verbose_has_every_method_and_who_hooks_it() {
    let sandbox = Sandbox::new();
    install(&sandbox, "AGXMetalG16X", &Driver::own());
    let text = stdout(&audit(&sandbox, &["extensions/AGXMetalG16X.bundle", "-v"]));
    let line = |selector: &str| {
        let found = text.lines().find(|line| line.contains(selector));
        found
            .unwrap_or_else(|| panic!("{selector}: {text}"))
            .to_owned()
    };
    assert!(
        line("-setComputePipelineState:").ends_with("v@:@  hooked by all"),
        "{}",
        line("-setComputePipelineState:")
    );
    assert!(line("-setImageBlockWidth:height:").contains("hooked by v3"));
    assert!(
        line("-newCommandQueueWithDescriptor:")
            .contains("not hooked: no method of a device is hooked")
    );
    let methods: usize = Driver::own()
        .classes
        .iter()
        .map(|it| it.methods.len())
        .sum();
    assert_eq!(
        text.matches("  0x1000").count(),
        methods,
        "every method has its address"
    );
}

#[test]
fn the_drivers_of_a_folder_are_found_and_each_is_looked_at() {
    let sandbox = Sandbox::new();
    install(&sandbox, "AGXMetalG16X", &Driver::own());
    install(&sandbox, "AGXMetalG13X", &Driver::own().of_family("G13X"));
    let output = audit(&sandbox, &["--extensions", "extensions", "--json"]);
    assert_code(&output, 0);
    let json = json(&output);
    let families: Vec<_> = json["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| {
            file["parts"][0]["image"]["family"]
                .as_str()
                .expect("a family")
        })
        .collect();
    assert_eq!(families, ["G13X", "G16X"]);
    assert_eq!(json["verdict"]["looked_at"]["images"], 2);

    fs::create_dir(sandbox.path("none")).expect("made");
    let output = audit(&sandbox, &["--extensions", "none"]);
    assert_code(&output, 125);
    assert!(stderr(&output).contains("no AGX driver in `none`"));
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_file_linux_says_what_to_name() {
    let sandbox = Sandbox::new();
    let output = audit(&sandbox, &[]);
    assert_code(&output, 125);
    assert!(
        stderr(&output).contains("hint: name files or bundles"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn what_is_new_is_told_against_a_saved_audit_and_against_another_build() {
    let sandbox = Sandbox::new();
    install(&sandbox, "AGXMetalG13X", &Driver::own().of_family("G13X"));
    let old = "extensions/AGXMetalG13X.bundle";
    assert_code(&audit(&sandbox, &[old, "--output", "saved.json"]), 0);

    let mut driver = Driver::own();
    driver.uuid[0] = 0xff;
    driver
        .classes
        .retain(|class| !class.name.ends_with("SampledRenderContext"));
    let compute = driver.class("AGXG16XFamilyComputeContext");
    compute
        .methods
        .retain(|method| method.selector != "setStageInRegion:");
    compute.methods.push(Method {
        selector: "setTensor:atIndex:",
        encoding: "v32@0:8@16Q24",
    });
    let changed = compute
        .methods
        .iter_mut()
        .find(|it| it.selector == "setTexture:atIndex:");
    changed.expect("it is there").encoding = "v@:![16,16f]Q";
    install(&sandbox, "AGXMetalG16X", &driver);
    let new = "extensions/AGXMetalG16X.bundle";
    let mut answers = Vec::new();
    for other in ["saved.json", old] {
        let output = audit(&sandbox, &[new, "--against", other, "--json"]);
        assert_code(&output, 0);
        answers.push(json(&output)["against"]["images"].clone());
    }
    assert_eq!(answers[0], answers[1]);
    let changes = &answers[0][0];
    assert_eq!(changes["same_build"], false);
    assert_eq!(changes["new_classes"], Value::Array(vec![]));
    assert_eq!(
        changes["gone_classes"][0]["class"],
        "AGXG13XFamilySampledRenderContext"
    );
    assert_eq!(changes["new_methods"][0]["selector"], "setTensor:atIndex:");
    assert_eq!(
        changes["new_methods"][0]["hooked"],
        serde_json::json!(["v3"])
    );
    assert_eq!(changes["gone_methods"][0]["selector"], "setStageInRegion:");
    assert_eq!(changes["changed_types"][0]["before"], "v@:@Q");
    assert_eq!(
        changes["changed_coverage"][0]["lost"],
        serde_json::json!(["v3"])
    );
    let text = stdout(&audit(&sandbox, &[new, "--against", "saved.json"]));
    let from = text.find("against").expect("it is told");
    let from = text[..from].rfind('\n').map_or(0, |at| at + 1);
    insta::assert_snapshot!("against", redacted(&sandbox, &text[from..]));

    let same = stdout(&audit(&sandbox, &[old, "--against", "saved.json"]));
    assert!(same.contains("the same build"), "{same}");
    assert!(
        same.contains("no change in 1 image held against saved.json"),
        "{same}"
    );
}

#[test]
fn what_is_kept_and_what_is_written_is_what_was_printed() {
    let sandbox = Sandbox::new();
    install(&sandbox, "AGXMetalG16X", &Driver::own());
    let bundle = "extensions/AGXMetalG16X.bundle";
    let output = audit(&sandbox, &[bundle, "--json", "-o", "out.json"]);
    assert_code(&output, 0);
    let read = |path: &Path| -> Value {
        let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&text).expect("JSON")
    };
    assert_eq!(read(&sandbox.path("out.json")), json(&output));
    let folder = kept(&sandbox);
    let kept = folder.join("0ce453ff-9f17-321f-bc18-383573a48221.json");
    assert_eq!(read(&kept), json(&output));

    fs::remove_file(&kept).expect("removed");
    assert_code(&audit(&sandbox, &[bundle, "--no-keep"]), 0);
    assert!(!kept.exists());
    // A folder that cannot be made costs a warning and nothing else.
    fs::remove_dir_all(&folder).expect("removed");
    fs::write(&folder, "a file").expect("written");
    let output = audit(&sandbox, &[bundle]);
    assert_code(&output, 0);
    assert!(
        stderr(&output).contains("not kept for `agxrun show`"),
        "{}",
        stderr(&output)
    );
}
