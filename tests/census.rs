//! The census through `agxrun`: asked for, told, and what it makes of a run.

mod common;

use std::path::PathBuf;

use agx_ledger::builder::Builder;
use agx_ledger::layout::{census_flag, exit_route, flag, state};
use agx_ledger::{Counter, Reason, Tally, file_name};
use common::{Run, Sandbox, in_repository, workload};
use serde_json::{Value, json};

const CLASS: &str = "AGXG16XFamilyComputeContext";

/// A run whose target leaves this ledger, as a process with the library would.
fn run_with_ledger(builder: Builder) -> Run {
    let sandbox = Sandbox::new();
    let ledger = sandbox.path("made.ledger");
    let builder = builder.exited(8, exit_route::IMMEDIATE, 0);
    std::fs::write(&ledger, builder.build()).expect("written");
    let name = file_name(77, 7);
    let copy = format!("cp '{}' \"$AGX_FIX_LEDGER_DIR/{name}\"", ledger.display());
    sandbox.run(&["--census"], &["sh", "-c", &copy])
}

fn asked(taken: u32) -> Builder {
    Builder::new(77, 1, 7)
        .flags(flag::CENSUS_ASKED | taken)
        .armed()
        .counter(Counter::CensusMethods, 2)
        .counter(Counter::CensusClasses, 1)
        .method(
            CLASS,
            "dispatchThreads:threadsPerThreadgroup:",
            state::HOOKED,
            0,
        )
        .tally(Tally {
            calls: 5,
            left: 5,
            shared: 1,
            threads_most: 3,
            ..Tally::default()
        })
}

/// A scenario of the rehearsal with the census.
fn rehearsed(scenario: &str, options: &[&str]) -> Run {
    let options = [&["--census"], options].concat();
    let target = [
        workload().into_os_string(),
        "--scenario".into(),
        scenario.into(),
    ];
    Sandbox::new().run(&options, &target)
}

#[test]
fn a_clean_run_says_what_it_looked_at() {
    for scope in ["global", "buffer"] {
        let run = rehearsed("mixed", &["--lock-scope", scope]);
        run.assert_code(0)
            .assert_stderr("every hook still stands")
            .assert_stderr("encoders shared by threads: 0 of ")
            .assert_stderr("dispatches: ");
        let census = &run.json["census"];
        assert_eq!(census["processes"], 1);
        assert_eq!(census["missing"], json!([]));
        let hooks = run.json["processes"][0]["counters"]["hooks_installed"].clone();
        assert_eq!(census["methods"], hooks);
        assert!(census["encoders"]["one_thread"].as_u64() > Some(0));
        assert_eq!(census["encoders"]["seen_late"], 0);
        for calls in census["calls"].as_array().expect("a list") {
            assert_eq!(calls["seen"], calls["returned"], "{calls}");
        }
        assert_eq!(run.json["fix"]["census"], true);
    }
}

#[test]
fn a_published_version_has_its_census_too() {
    let run = rehearsed("leak", &["--fix", "v2.9"]);
    // Its lists do not reach the classes below the driver's first ones: nobody had counted that at run time.
    run.assert_code(0)
        .assert_stderr(
            "-[AGXG16XFamilySampledComputeContext dispatchThreads:threadsPerThreadgroup:]",
        )
        .assert_stderr("8 overridden out of the version's reach")
        .assert_stderr("8 override(s) of hooked methods")
        .assert_stderr("encoders shared by threads: 0 of ");
    assert_eq!(run.json["census"]["replaced"], json!([]));
    assert_eq!(run.json["census"]["late"], json!([]));
}

#[test]
fn encoders_that_threads_share_are_told() {
    let run = rehearsed("parallel", &[]);
    let encoders = &run.json["census"]["encoders"];
    assert!(encoders["two_threads"].as_u64() > Some(0), "{encoders}");
    let by = run.json["census"]["shared_by"].as_array().expect("a list");
    assert!(!by.is_empty());
    assert!(!run.stderr().contains("shared by threads: 0 of"));
}

#[test]
fn without_the_option_there_is_no_census_and_the_environment_may_ask_for_one() {
    let sandbox = Sandbox::new();
    let target = [
        workload().into_os_string(),
        "--scenario".into(),
        "event-own".into(),
    ];
    let run = sandbox.run(&[], &target);
    assert_eq!(run.json["census"], Value::Null);
    assert!(!run.stderr().contains("census"), "{}", run.stderr());
    let run = sandbox.run(&["--env", "AGX_FIX_CENSUS=1"], &target);
    assert_eq!(run.json["census"]["processes"], 1);
    assert_eq!(run.json["fix"]["census"], false, "not by option");
    sandbox
        .run(&["--no-fix", "--census"], &["true"])
        .assert_code(2);
    let run = sandbox.run(&["-v", "--census"], &["true"]);
    run.assert_code(0)
        .assert_stderr("policy: v3 (the default), census");
    assert_eq!(run.json["census"], Value::Null, "nothing was hooked");
}

/// The driver asserts inside a hooked call.
#[test]
fn a_process_that_crashes_takes_no_census_and_leaves_its_tallies() {
    let target = [
        workload().into_os_string(),
        "--fault".into(),
        "double-commit".into(),
    ];
    let run = Sandbox::new().run(&["--census"], &target);
    run.assert_code(134)
        .assert_stderr("no census of pid ")
        .assert_stderr("no process took it to its end");
    let census = &run.json["census"];
    assert_eq!(census["missing"], json!([run.json["pid"]]));
    assert_eq!(census["methods"], 0, "nobody looked");
    assert!(census["encoders"]["one_thread"].as_u64() > Some(0));
    // Methods of three classes, one calling `super` of the next: each was entered through its hook.
    let ways = &run.json["reports"][0]["fix"]["ways"];
    assert_eq!(ways["hooks_by"], "ledger", "{ways}");
    assert!(ways["frames"].as_u64() > Some(1), "{ways}");
    assert_eq!(ways["through"], ways["frames"]);
    assert!(!run.stderr().contains("bypass"), "{}", run.stderr());
    assert_eq!(run.reasons(), ["signal", "new_reports"]);
}

/// A report in which the frames of the library, whose file has this name, are the program's: what a stack past the library
/// looks like. `when` stands for the times of the launch and of the crash.
fn past_the_library(sandbox: &Sandbox, name: &str, when: &str) -> PathBuf {
    let report = in_repository("tests/data/rehearsal/unlocked-v2.2.ips");
    let text = std::fs::read_to_string(report).expect("readable");
    let (header, body) = text.split_once('\n').expect("two parts");
    let mut body: Value = serde_json::from_str(body).expect("JSON");
    for time in ["procLaunch", "captureTime"] {
        body[time] = json!(when);
    }
    let images = body["usedImages"].as_array_mut().expect("a list");
    let is_library = |image: &Value| {
        let name = image["name"].as_str();
        name.is_some_and(|name| name.starts_with("libagx_fix"))
    };
    let library = images.iter().position(is_library).expect("it was loaded");
    images[library]["name"] = json!(name);
    images[library]["path"] = json!(format!("/opt/agxrun/{name}"));
    for thread in body["threads"].as_array_mut().expect("a list") {
        for frame in thread["frames"].as_array_mut().expect("a list") {
            if frame["imageIndex"] == json!(library) {
                frame["imageIndex"] = json!(0);
                frame["symbol"] = json!("direct_call");
            }
        }
    }
    let folder = sandbox.path("past");
    std::fs::create_dir(&folder).expect("made");
    let path = folder.join("past-2026-01-01-000000.ips");
    std::fs::write(&path, format!("{header}\n{body}")).expect("written");
    path
}

#[cfg(target_os = "linux")] // GNU date, which has the time as a report has it
#[test]
fn a_crash_past_the_library_is_in_the_verdict() {
    let sandbox = Sandbox::new();
    let report = past_the_library(&sandbox, "libagx_fix_v2_2.so", "@NOW@");
    let write = format!(
        "now=$(date '+%F %T.%4N +0000'); sed \"s/@NOW@/$now/\" '{}' > '{}'",
        report.display(),
        sandbox.reports().join("past.ips").display()
    );
    let run = sandbox.run(&["--settle", "0"], &["sh", "-c", &write]);
    run.assert_code(86)
        .assert_stderr("bypass:  frame ")
        .assert_stderr("warning: bypass seen in `")
        .assert_stderr("medium confidence: no ledger says that it was hooked")
        .assert_stderr("87 called past the fix");
    assert_eq!(run.reasons(), ["new_reports", "bypassed", "target"]);
    assert_eq!(run.json["reports"][0]["fix"]["ways"]["hooks_by"], "policy");
}

#[test]
fn a_call_past_the_library_is_told_wherever_a_report_is_shown() {
    let sandbox = Sandbox::new();
    let report = past_the_library(&sandbox, "libagx_fix.so", "2026-01-01 00:00:00.0000 +0000");
    let folder = report.parent().expect("a folder");
    let run = |words: &[&str]| {
        let mut command = sandbox.agxrun();
        command.args(words);
        command.output().expect("agxrun starts")
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let file = report.to_str().expect("UTF-8");

    let shown = run(&["show", file]);
    let stderr = text(&shown.stderr);
    assert!(stderr.contains("bypass seen: frame "), "{stderr}");
    assert!(stderr.contains("direct_call"), "{stderr}");
    assert!(stderr.contains("low confidence"), "no ledger: {stderr}");
    let shown: Value =
        serde_json::from_slice(&run(&["show", "--json", file]).stdout).expect("JSON");
    let bypass = &shown["fix"]["ways"]["bypasses"][0];
    assert_eq!(bypass["confidence"], "low", "{shown}");
    assert_eq!(bypass["because"]["kind"], "by_name");

    let folder = folder.to_str().expect("UTF-8");
    let checked = text(&run(&["check-crashes", "--reports-dir", folder, "--latest"]).stdout);
    assert!(checked.contains("bypass:  frame "), "{checked}");
    let checked = run(&[
        "check-crashes",
        "--reports-dir",
        folder,
        "--latest",
        "--json",
    ])
    .stdout;
    let checked = text(&checked);
    assert!(checked.contains("\"bypasses\""), "{checked}");
    assert!(checked.contains("direct_call"), "{checked}");
}

#[test]
fn a_hook_that_was_replaced_fails_the_run_and_is_named() {
    let run = run_with_ledger(
        asked(flag::CENSUS_TAKEN)
            .counter(Counter::HooksReplaced, 1)
            .method(CLASS, "endEncoding", state::HOOKED, 0)
            .found(census_flag::REPLACED, "libother.dylib"),
    );
    run.assert_code(87)
        .assert_stderr("1 replaced: -[AGXG16XFamilyComputeContext endEncoding] by libother.dylib")
        .assert_stderr("1 hook(s) were replaced by somebody else's code")
        .assert_stderr("87 hooks do not stand");
    assert_eq!(run.reasons(), ["hooks_undone", "target"]);
    assert_eq!(run.json["kind"], "lost_work");
    let replaced = json!([{
        "method": "-[AGXG16XFamilyComputeContext endEncoding]",
        "image": "libother.dylib",
    }]);
    assert_eq!(run.json["census"]["replaced"], replaced);
}

#[test]
fn a_method_that_came_after_the_hooks_fails_the_run_and_is_named() {
    let run = run_with_ledger(
        asked(flag::CENSUS_TAKEN)
            .method(CLASS, "setLater:", state::UNHOOKED, Reason::Late.number())
            .found(census_flag::LATE, "plugin.bundle"),
    );
    run.assert_code(87)
        .assert_stderr("1 never hooked: -[AGXG16XFamilyComputeContext setLater:] by plugin.bundle")
        .assert_stderr("1 method(s) that should be hooked came after the hooks");
    assert_eq!(run.reasons(), ["hooks_undone", "target"]);
}

#[test]
fn a_census_that_was_asked_for_and_not_taken_is_told() {
    let run = run_with_ledger(asked(0));
    run.assert_code(0)
        .assert_stderr("no census of pid 77")
        .assert_stderr("no process took it to its end")
        // What was counted while it lived is there all the same.
        .assert_stderr("dispatches: 5 seen, 5 returned");
    assert_eq!(run.json["census"]["missing"], json!([77]));
}

/// GCC's runtime, which the program calls by name.
#[cfg(target_os = "linux")]
mod on_linux {
    use super::common::{Sandbox, products};

    /// A program that gives a hooked method other code when the hooks stand: a function of the driver's own file.
    const REPLACES: &str = "
import ctypes, sys
driver = ctypes.CDLL(sys.argv[1])
objc = ctypes.CDLL('libobjc.so.4')
for name in ('objc_lookUpClass', 'sel_registerName', 'class_getInstanceMethod', 'method_setImplementation'):
    getattr(objc, name).restype = ctypes.c_void_p
pointer = ctypes.c_void_p
name = b'AGXG16XFamilyComputeContext'
selector = pointer(objc.sel_registerName(b'setComputePipelineState:'))
method = objc.class_getInstanceMethod(pointer(objc.objc_lookUpClass(name)), selector)
code = ctypes.cast(driver.agx_rehearsal_release, pointer)
assert objc.method_setImplementation(pointer(method), code)
";

    #[test]
    fn a_program_that_replaces_a_hook_is_told_so() {
        let driver = products().join("libagx_rehearsal.so");
        let target = [
            "python3".into(),
            "-c".into(),
            REPLACES.into(),
            driver.into_os_string(),
        ];
        let run = Sandbox::new().run(&["--census"], &target);
        run.assert_code(87).assert_stderr(
        "1 replaced: -[AGXG16XFamilyComputeContext setComputePipelineState:] by libagx_rehearsal.so",
    );
        let looked = run.json["census"]["methods"].as_u64();
        let processes = run.json["processes"].as_array().expect("a list");
        let armed = processes.iter().find(|process| process["armed"] == true);
        let hooks = &armed.expect("Python's own")["counters"]["hooks_installed"];
        assert_eq!(looked, hooks.as_u64(), "the replaced one is one of them");
    }
}
