//! The census through `agxrun`: asked for, told, and what it makes of a run.

mod common;

use agx_ledger::builder::Builder;
use agx_ledger::layout::{census_flag, exit_route, flag, state};
use agx_ledger::{Counter, Reason, Tally, file_name};
use common::{Run, Sandbox, workload};
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
