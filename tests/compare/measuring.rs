//! Numbers that the target prints.

use super::common::Sandbox;
use super::compare;

const METRIC: [&str; 2] = ["--metric", "speed: ([0-9.]+)$"];

#[test]
fn a_number_of_the_target_is_compared() {
    let sandbox = Sandbox::new();
    let options = [
        &[
            "--arm",
            "slow=fix:none,env:N=10",
            "--arm",
            "fast=fix:none,env:N=20",
        ],
        &METRIC[..],
        &["-n", "6"],
    ]
    .concat();
    let target = ["sh", "-c", "echo \"speed: $N\""];
    let compared = compare(&sandbox, &options, &target);
    compared
        .assert_code(0)
        .assert_stderr("x 2.000 (2.000 to 2.000)");
    let metric = &compared.arm(1)["metric"];
    assert_eq!(
        (&metric["ratio"]["ratio"], &metric["missing"]),
        (&2.0.into(), &0.into())
    );
    assert_eq!(compared.arm(0)["metric"]["spread"]["median"], 10.0);
    assert!(compared.arm(1)["wall"]["spread"]["median"].is_number());
    // The history has it, too: a run by itself knows nothing of what is picked from its output.
    let history = std::fs::read_to_string(sandbox.path("archive/runs.jsonl")).expect("written");
    let lines = history
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line"));
    let mut numbers: Vec<f64> = lines
        .map(|line: serde_json::Value| line["metric"].as_f64().expect("a number"))
        .collect();
    numbers.sort_by(f64::total_cmp);
    assert_eq!(numbers, [[10.0; 6], [20.0; 6]].concat());
}

#[test]
fn a_number_that_changes_its_form_is_named_and_gives_no_ratio() {
    let sandbox = Sandbox::new();
    let options = [
        &["--arm", "old=fix:none", "--arm", "new=fix:none,env:NEW=1"],
        &METRIC[..],
        &["-n", "6"],
    ]
    .concat();
    // The new one says it in another unit, every other time.
    let script = "echo x >>\"$HOME/count\"; n=$(wc -l <\"$HOME/count\"); \
                  if [ -n \"$NEW\" ] && [ $((n % 4)) -lt 2 ]; then echo 'speed: 2k'; else echo 'speed: 2000'; fi";
    let compared = compare(&sandbox, &options, &["sh", "-c", script]);
    compared.assert_code(0);
    let metric = &compared.arm(1)["metric"];
    assert!(metric["missing"].as_u64() > Some(0), "{metric}");
    assert!(metric["ratio"].is_null(), "{metric}");
    compared.assert_stderr("clean runs printed no number that `speed: ([0-9.]+)$` finds");
}

#[test]
fn commands_are_compared_as_well() {
    let sandbox = Sandbox::new();
    let options = [
        &[
            "--arm-cmd",
            "one=sh -c 'echo speed: 5'",
            "--arm-cmd",
            "two=sh -c 'echo speed: 10'",
        ],
        &METRIC[..],
        &["-n", "5", "-q"],
    ]
    .concat();
    let compared = compare::<&str>(&sandbox, &options, &[]);
    compared.assert_code(0);
    assert_eq!(compared.arm(1)["metric"]["ratio"]["ratio"], 2.0);
    assert_eq!(compared.json["runs"][0]["fix"], "v3");
}
