//! `compare_crash_rates.sh` and `run_crash_rate_test.sh`.

use crate::scripts::{Said, Scripts};

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
