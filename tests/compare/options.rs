//! What is asked for, and what cannot be had.

use super::common::Sandbox;
use super::compare;

#[test]
fn what_cannot_be_compared_is_named_before_anything_runs() {
    let sandbox = Sandbox::new();
    let target = ["touch", "ran"];
    for (options, part) in [
        (
            &["--arm", "v3"][..],
            "a comparison needs two arms, and there is 1",
        ),
        (&[], "a comparison needs two arms, and there is 0"),
        (
            &["--arm", "v3", "--arm", "ours=fix:v3"],
            "the arms `v3` and `ours` are the same",
        ),
        (&["--arm", "v3", "--arm", "v3"], "two arms are named `v3`"),
        (&["--arm", "v3", "--arm", "fast"], "there is no fix `fast`"),
        (
            &["--arm", "none", "--arm", "v2.9,throttle:2"],
            "throttle is for policy v3",
        ),
        (
            &["--arm", "none", "--arm", "v3", "--fix", "v2.5"],
            "--fix would hold for every arm",
        ),
        (
            &["--arm", "none", "--arm", "v3", "--no-fix"],
            "--no-fix would hold for every arm",
        ),
        (
            &["--arm", "none", "--arm", "v3", "--retries", "2"],
            "--retries would hide crashes from the rates",
        ),
        (
            &["--arm", "none", "--arm", "v3", "--metric", "("],
            "not a regular expression",
        ),
        (
            &["--arm", "none", "--arm", "v3", "-j", "2", "--scope", "any"],
            "contradict each other",
        ),
        (
            &["--arm", "none", "--arm", "v3", "--detect", "5%:5%"],
            "the two rates are the same",
        ),
        (
            &["--arm", "none", "--arm", "v3", "--detect", "1%:1.001%"],
            "takes more than 100000 runs",
        ),
        (
            &["--arm", "none", "--arm", "v3", "--confidence", "1"],
            "expected a share",
        ),
        (&["--arm", "none", "--arm", "v3", "-n", "0"], "0 is not in"),
        (
            &["--arm", "none", "--arm-cmd", "v3"],
            "expected label='COMMAND ARGS...'",
        ),
    ] {
        compare(&sandbox, options, &target)
            .assert_code(2)
            .assert_stderr(part);
    }
    compare::<&str>(&sandbox, &["--arm", "none", "--arm", "v3"], &[])
        .assert_code(2)
        .assert_stderr("arm `none` has no command");
    assert!(!sandbox.path("ran").exists());
}

#[test]
fn a_command_that_is_not_there_ends_it_as_a_shell_would() {
    let sandbox = Sandbox::new();
    let options = ["--arm", "none", "--arm", "v3"];
    let compared = compare(&sandbox, &options, &["/no/such/program"]);
    compared.assert_code(127).assert_stderr("/no/such/program");
    assert_eq!(compared.json["runs"], serde_json::json!([]));
}

#[test]
fn a_plan_tells_what_runs_could_tell_and_makes_none() {
    let sandbox = Sandbox::new();
    let options = ["--arm", "none", "--arm", "v3", "--plan"];
    compare(&sandbox, &options, &["touch", "ran"])
        .assert_code(0)
        .assert_stderr("to tell 10.0 % from 1.0 % with 80 % power you need about 106 runs an arm")
        .assert_stderr("20 runs an arm tell, with that power, a control that crashes in");
    let options = [&options[..], &["--detect", "50%:10%"]].concat();
    compare(&sandbox, &options, &["touch", "ran"])
        .assert_code(0)
        .assert_stderr("none, v3 by turns, 23 runs each");
    assert!(!sandbox.path("ran").exists());
}

#[test]
fn a_comparison_that_has_ended_is_told_again_and_another_one_is_refused() {
    let sandbox = Sandbox::new();
    let state = sandbox.path("state.jsonl");
    let state = state.to_str().expect("a path in UTF-8");
    let options = ["--arm", "none", "--arm", "v3", "-n", "3", "--state", state];
    let first = compare(&sandbox, &options, &["true"]);
    first.assert_code(0);
    let json = sandbox.path("again.json");
    let mut again = sandbox.agxrun();
    again
        .args(["compare", "--resume", state, "--json"])
        .arg(&json);
    let output = again.output().expect("agxrun starts");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let again = std::fs::read(json).expect("written");
    let again: serde_json::Value = serde_json::from_slice(&again).expect("valid JSON");
    assert_eq!(again["resumed"], 6);
    assert_eq!(
        (&again["seed"], &again["arms"]),
        (&first.json["seed"], &first.json["arms"])
    );
    let other = [
        "--arm", "none", "--arm", "v2.9", "-n", "3", "--resume", state,
    ];
    compare(&sandbox, &other, &["true"])
        .assert_code(125)
        .assert_stderr("this is not the series of");
}

#[test]
fn a_census_is_asked_of_the_arms_that_have_the_library() {
    let sandbox = Sandbox::new();
    let target = ["sh", "-c", "test \"$AGX_FIX_CENSUS\" = \"$WANTED\""];
    let arms = ["--arm", "old=fix:none", "--arm", "new=fix:v3,env:WANTED=1"];
    let options = [&arms[..], &["-n", "2", "--census"]].concat();
    compare(&sandbox, &options, &target).assert_code(0);
}
