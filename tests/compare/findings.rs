//! What a comparison finds, and what it refuses to say.

use super::common::{Sandbox, workload};
use super::compare;

/// The rehearsal's workload in a scenario.
fn rehearsal(scenario: &str, threads: u16) -> Vec<String> {
    let threads = threads.to_string();
    [
        workload().to_str().expect("a path in UTF-8"),
        "--scenario",
        scenario,
        "--threads",
        &threads,
        "--iterations",
        "80",
        "--watchdog",
        "60",
        "--quiet",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
fn a_version_that_is_known_to_fail_is_found_worse() {
    let sandbox = Sandbox::new();
    let options = ["--arm", "v2.2", "--arm", "v3", "-n", "6", "--seed", "1"];
    let compared = compare(&sandbox, &options, &rehearsal("unlocked", 8));
    compared
        .assert_code(0)
        .assert_stderr("control: v2.2")
        .assert_stderr("`v3` crashes less often than `v2.2`: 0 of 6 against");
    assert_eq!(compared.arm(1)["against"]["finding"], "better");
    assert_eq!(compared.arm(1)["rate"]["crashes"], 0);
    // With five of six against none Fisher's test is at 0.015, with four at 0.06.
    let crashes = compared.arm(0)["rate"]["crashes"].as_u64();
    assert!(crashes >= Some(5), "{}", compared.stderr());
    let runs = compared.json["runs"].as_array().expect("a list");
    assert_eq!(runs.len(), 12);
    for (at, block) in runs.chunks(2).enumerate() {
        let arms = [block[0]["arm"].as_str(), block[1]["arm"].as_str()];
        assert!(
            arms == [Some("v2.2"), Some("v3")] || arms == [Some("v3"), Some("v2.2")],
            "block {at}: {arms:?}"
        );
    }
}

#[test]
fn the_other_way_round_it_is_called_worse_and_fails() {
    let sandbox = Sandbox::new();
    let options = ["--arm", "v3", "--arm", "v2.2", "-n", "6"];
    let compared = compare(&sandbox, &options, &rehearsal("unlocked", 8));
    compared
        .assert_code(86)
        .assert_stderr("`v2.2` crashes more often than `v3`");
    assert_eq!(compared.arm(1)["against"]["finding"], "worse");
}

#[test]
fn where_the_control_does_not_crash_nothing_is_called_better() {
    let sandbox = Sandbox::new();
    let options = ["--arm", "v3", "--arm", "none", "-n", "6"];
    let compared = compare(&sandbox, &options, &rehearsal("unlocked", 1));
    compared
        .assert_code(0)
        .assert_stderr("control: none")
        .assert_stderr("your control crashed in 0 of 6: this workload cannot tell");
    assert_eq!(
        compared.arm(0)["against"]["finding"],
        "control_never_crashed"
    );
    assert!(!compared.stderr().contains("crashes less often"));
}
