//! `compare_crash_rates.sh` and `run_crash_rate_test.sh`.

use crate::common::workload;
use crate::scripts::{CRASH, Said, Scripts};

const COMPARE: &str = "compare_crash_rates.sh";
const RATE: &str = "run_crash_rate_test.sh";

#[test]
fn the_arms_are_none_and_v3_with_20_runs_each_unless_told() {
    let scripts = Scripts::new();
    let logs = scripts.logs().display().to_string();
    let workload = scripts
        .sandbox
        .path("scripts/mps/test_transformer_shared.py");
    let workload = workload.display().to_string();
    for (arguments, runs, command) in [
        (&[][..], "20", &["python3", &workload][..]),
        (&["7"], "7", &["python3", &workload]),
        (&["7", "true", "a b"], "7", &["true", "a b"]),
    ] {
        let words = Said::of(scripts.spoken(COMPARE).args(arguments))
            .code(0)
            .words();
        let mut expected = vec!["compare", "--arm", "none", "--arm", "v3", "-n", runs];
        expected.extend(["--archive", &logs, "--"]);
        expected.extend(command);
        assert_eq!(words, expected);

        let words = Said::of(scripts.spoken(RATE).args(arguments))
            .code(0)
            .words();
        let mut expected = vec!["stress", "-n", runs, "--archive", &logs, "--"];
        expected.extend(command);
        assert_eq!(words, expected);
    }
}

#[test]
fn the_rate_without_the_fix_is_asked_for_by_the_published_variable() {
    let scripts = Scripts::new();
    let mut without = scripts.spoken(RATE);
    without.args(["3", "true"]).env("MPS_USE_AGX_FIX", "0");
    let words = Said::of(&mut without).code(0).words();
    assert_eq!(words[..4], ["stress", "-n", "3", "--no-fix"]);
}

#[test]
fn a_rate_is_of_crashes_with_its_interval() {
    let scripts = Scripts::new();
    let said = Said::of(scripts.command(RATE).args(["3", "true"])).code(0);
    assert!(
        said.err().contains("0 of 3: below 63.2 %"),
        "{}",
        said.err()
    );
    // A failure is no crash.
    let said = Said::of(scripts.command(RATE).args(["2", "false"]));
    assert!(said.err().contains("0 of 2"), "{}", said.err());
    let mut without = scripts.command(RATE);
    without
        .args(["2", "python3", "-c", CRASH])
        .env("MPS_USE_AGX_FIX", "0");
    let said = Said::of(&mut without).code(86);
    assert!(said.err().contains("2 of 2: 100 %"), "{}", said.err());
    assert_eq!(scripts.archived().len(), 2);
}

#[test]
fn the_arms_are_told_apart_by_a_test_and_only_where_the_control_crashes() {
    let scripts = Scripts::new();
    let mut compare = scripts.command(COMPARE);
    compare
        .arg("4")
        .arg(workload())
        .args(["--threads", "8", "--fault", "impl"]);
    let said = Said::of(&mut compare).code(0);
    let better = "`v3` crashes less often than `none`: 0 of 4 against 4 of 4 of `none` (p = 0.029";
    assert!(said.err().contains(better), "{}", said.err());
    let said = Said::of(scripts.command(COMPARE).args(["4", "true"])).code(0);
    assert!(
        said.err().contains("cannot be called better"),
        "{}",
        said.err()
    );
}

#[test]
fn wrong_numbers_and_values_end_with_2() {
    let scripts = Scripts::new();
    for script in [COMPARE, RATE] {
        Said::of(scripts.command(script).args(["many", "true"])).code(2);
        Said::of(scripts.command(script).args(["0", "true"])).code(2);
    }
    let mut wrong = scripts.spoken(RATE);
    wrong.args(["2", "true"]).env("MPS_USE_AGX_FIX", "yes");
    assert_eq!(Said::of(&mut wrong).code(2).out(), "");
    let mut missing = scripts.spoken(RATE);
    missing
        .args(["2", "true"])
        .env("AGX_FIX_DYLIB", "/nonexistent/lib.so");
    Said::of(&mut missing).code(2);
}
