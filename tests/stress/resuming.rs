//! A series that was killed, or ran out of room, goes on without losing or repeating a run.

use std::os::unix::process::ExitStatusExt;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::series::{STUCK, Series, Stuck, names};

/// Kills a series in the middle; the run under way is gone as well when this returns.
fn killed() -> Series {
    let series = Series::new();
    let stuck = Stuck::begin(&series);
    stuck.send(Signal::SIGKILL);
    let output = stuck.gone();
    assert_eq!(output.status.signal(), Some(9));
    series
}

fn notices(json: &Value) -> Vec<&str> {
    let notices = json["notices"].as_array().expect("a list").iter();
    let named = notices.map(|notice| notice["what"].as_str().expect("a name"));
    named.filter(|what| *what != "busy").collect()
}

#[test]
fn a_kill_loses_no_finished_run_and_leaves_none_behind() {
    let series = killed();
    assert_eq!(series.lines("state.jsonl").len(), 1 + STUCK);
    let run = series.resume(&[]);
    run.assert_code(0).assert_stderr("0 of 10: below 25.9 %");
    assert_eq!(run.json["resumed"], STUCK);
    assert_eq!(run.json["made"], 10);
    // The one that was under way is made again, the others are not.
    assert_eq!(series.lines("begun").len(), 10 + 1);
    assert_eq!(notices(&run.json), [""; 0]);
    // Once more: there is nothing left to do.
    let run = series.resume(&[]);
    run.assert_code(0);
    assert_eq!(run.json["resumed"], 10);
    assert_eq!(series.lines("begun").len(), 10 + 1);
}

#[test]
fn a_run_that_ended_just_before_the_kill_is_taken_from_its_own_line() {
    let series = killed();
    // As if the kill had come between the run's own line and ours, in the middle of writing.
    let state = series.lines("state.jsonl");
    let half = &state[STUCK][..100];
    let cut = format!("{}\n{half}", state[..STUCK].join("\n"));
    std::fs::write(series.state(), cut).expect("written");
    let run = series.resume(&[]);
    run.assert_code(0)
        .assert_stderr("1 run had ended when agxrun was killed, and is taken from what it wrote")
        .assert_stderr("a line that was cut off");
    assert_eq!(notices(&run.json), ["torn_state", "recovered"]);
    assert_eq!(series.lines("begun").len(), 10 + 1);
    assert_eq!(series.lines("state.jsonl").len(), 1 + 10);
    assert_eq!(finished(&series), (0..10).collect::<Vec<u64>>());
    assert_eq!(names(&series.path("archive/series")), [""; 0]);
}

/// The slots of the runs that the history has and that were not ended by us.
fn finished(series: &Series) -> Vec<u64> {
    let lines = series.lines("archive/runs.jsonl");
    let lines = lines
        .iter()
        .map(|line| serde_json::from_str(line).expect("a line"));
    let made = lines.filter(|line: &Value| line["kind"] != "interrupted");
    let mut slots: Vec<u64> = made
        .map(|line| line["slot"].as_u64().expect("a number"))
        .collect();
    slots.sort_unstable();
    slots
}

#[test]
fn a_run_that_ended_just_before_the_kill_comes_into_the_history_once() {
    let series = killed();
    // As if the kill had come between the two.
    let path = series.path("archive/runs.jsonl");
    let history = series.lines("archive/runs.jsonl");
    assert_eq!(history.len(), STUCK);
    std::fs::write(&path, history[..STUCK - 1].join("\n") + "\n").expect("written");
    let run = series.resume(&[]);
    run.assert_code(0);
    assert_eq!(run.json["resumed"], STUCK);
    assert_eq!(finished(&series), (0..10).collect::<Vec<u64>>());
}

#[test]
fn without_its_own_line_such_a_run_is_made_again() {
    let series = killed();
    let state = series.lines("state.jsonl");
    std::fs::write(series.state(), state[..STUCK].join("\n") + "\n").expect("written");
    std::fs::remove_file(series.path("archive/runs.jsonl")).expect("removed");
    std::fs::remove_file(series.spool()).expect("removed");
    let run = series.resume(&[]);
    run.assert_code(0);
    assert_eq!(run.json["resumed"], STUCK - 1);
    assert_eq!(series.lines("begun").len(), 10 + 2);
}

#[test]
fn what_was_begun_otherwise_is_refused_with_the_difference() {
    let series = killed();
    for (options, difference) in [
        (["-n", "11"], "`rules.runs` was 10 and is 11"),
        (["--fix", "v2.8"], "cannot be used with"),
        (["--env", "A=B"], "`arms.1.options` was"),
        (
            ["--confidence", "99%"],
            "`rules.confidence` was 0.95 and is 0.99",
        ),
    ] {
        let run = series.resume(&options);
        assert!(matches!(run.code(), 2 | 125), "{}", run.stderr());
        run.assert_stderr(difference);
    }
    // What is shown, and where, is no difference.
    series
        .resume(&["--quiet", "--color", "never"])
        .assert_code(0);
}

#[test]
fn another_environment_or_folder_is_another_series() {
    let series = killed();
    let resume = |change: fn(&mut std::process::Command)| {
        let mut command = series.sandbox.agxrun();
        command.args(["stress", "--resume"]).arg(series.state());
        change(&mut command);
        let output = command.output().expect("agxrun starts");
        assert_eq!(output.status.code(), Some(125));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let told = resume(|command| {
        command.env("PYTORCH_ENABLE_MPS_FALLBACK", "1");
    });
    assert!(
        told.contains("`environment.PYTORCH_ENABLE_MPS_FALLBACK` was null"),
        "{told}"
    );
    let told = resume(|command| {
        command.current_dir("/");
    });
    assert!(told.contains("`directory` was"), "{told}");
}

#[test]
fn a_state_in_use_or_of_something_else_is_refused() {
    let series = Series::new();
    let stuck = Stuck::begin(&series);
    let run = series.resume(&[]);
    run.assert_code(125)
        .assert_stderr("another agxrun is using");
    stuck.send(Signal::SIGTERM);
    stuck.gone();
    let run = series.stress(&["-n", "1"], &["true"]);
    run.assert_code(125).assert_stderr("is there already");
    std::fs::write(series.state(), "a text\n").expect("written");
    let run = series.resume(&[]);
    run.assert_code(125)
        .assert_stderr("is not the state of a series: line 1");
}

#[test]
fn a_full_disk_ends_the_series_with_all_that_is_known() {
    let series = Series::new();
    // A limit on the size of files fails a write as a full disk does, after some runs.
    let mut limited = std::process::Command::new("sh");
    let agxrun = series.sandbox.agxrun();
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 24; exec \"$@\"", "sh"])
        .arg(agxrun.get_program())
        .current_dir(series.path(""));
    for (name, value) in agxrun.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let script = "echo x >>begun; exit 0";
    series.complete(
        &mut limited,
        &["-n", "40", "--no-fix", "--no-history"],
        &["sh", "-c", script],
    );
    let output = limited.output().expect("it starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(125), "{told}");
    assert!(told.contains("cannot write to the state file"), "{told}");
    assert!(
        told.contains("(hint: make room, then go on with --resume)"),
        "{told}"
    );
    let made = series.lines("begun").len();
    assert!((2..40).contains(&made), "{made}");
    assert!(
        told.contains(&format!("{made} runs, {made} clean")),
        "{told}"
    );
    let stored = series.lines("state.jsonl").len() - 1;
    assert_eq!(stored, made - 1, "all but the last, and no half line");
    // Its own line, which has less beside it, has found room: not even that one is made again.
    let run = series.resume(&[]);
    run.assert_code(0)
        .assert_stderr("is taken from what it wrote");
    assert_eq!(series.lines("begun").len(), 40);
}
