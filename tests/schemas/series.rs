//! What series of runs print.

use super::common::{Sandbox, workload};
use super::in_file;
use super::schema::Printed;

/// A series and its answer.
fn answer(sandbox: &Sandbox, command: &str, options: &[&str], target: &[&str]) -> Printed {
    let path = sandbox.path("answer.json");
    let mut agxrun = sandbox.agxrun();
    agxrun
        .arg(command)
        .args(options)
        .args(["--reports-dir", "reports", "--archive", "archive", "--json"])
        .arg(&path);
    if !target.is_empty() {
        agxrun.arg("--").args(target);
    }
    let output = agxrun.output().expect("agxrun starts");
    let what = format!("{command} {options:?} {target:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(path.exists(), "{what}: {stderr}");
    let answer = in_file(&what, &path);
    std::fs::remove_file(path).expect("removed");
    answer
}

const CRASHES: [&str; 3] = ["sh", "-c", "kill -SEGV $$"];

pub fn stress() -> Vec<Printed> {
    let sandbox = Sandbox::new();
    let ask = |options: &[&str], target: &[&str]| answer(&sandbox, "stress", options, target);
    let quick = ["--no-fix", "--settle", "50ms"];
    let with = |options: &[&'static str]| [&quick, options].concat();
    vec![
        ask(&["-n", "2", "--state", "state.jsonl"], &["true"]),
        ask(&["--resume", "state.jsonl"], &[]),
        ask(&with(&["-n", "3", "-j", "2"]), &CRASHES),
        ask(&with(&["--until-crash"]), &CRASHES),
        ask(&with(&["--max-rate", "60%", "-j", "2"]), &["true"]),
        ask(&with(&["--max-rate", "60%"]), &CRASHES),
        ask(&["-n", "2"], &["no-such-command"]),
    ]
}

pub fn compare() -> Vec<Printed> {
    let sandbox = Sandbox::new();
    let ask = |options: &[&str], target: &[&str]| answer(&sandbox, "compare", options, target);
    let workload = workload();
    let workload = workload.to_str().expect("text");
    let arms = ["--arm", "none", "--arm", "v3"];
    let with = |options: &[&'static str]| [&arms, options].concat();
    vec![
        ask(&with(&["-n", "2", "--state", "state.jsonl"]), &["true"]),
        ask(&["--resume", "state.jsonl"], &[]),
        ask(
            &with(&["-n", "4", "-j", "2", "--metric", "it took ([0-9.]+)"]),
            &["sh", "-c", "echo it took $$"],
        ),
        ask(
            &with(&["-n", "3", "--detect", "50%:1%"]),
            &[workload, "--quiet", "--threads", "4", "--fault", "impl"],
        ),
        ask(&with(&["-n", "2"]), &["no-such-command"]),
    ]
}
