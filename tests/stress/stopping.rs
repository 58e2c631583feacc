//! When there are enough runs.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::series::{STUCK, Series, Stuck};

/// A target whose run of this number, from 1, crashes.
fn crashes_in(number: u32) -> [String; 3] {
    let script = format!("echo x >>begun; [ $(wc -l <begun) -ne {number} ] || kill -SEGV $$");
    ["sh".to_owned(), "-c".to_owned(), script]
}

const SOON: [&str; 2] = ["--report-wait", "100ms"];

#[test]
fn until_crash_ends_with_the_first_crash() {
    let series = Series::new();
    let run = series.stress(&["--until-crash", SOON[0], SOON[1]], &crashes_in(3));
    run.assert_code(86).assert_stderr("1 of 3: 33.3 %");
    assert_eq!(run.json["stopped"], "crash");
    assert_eq!(series.lines("begun").len(), 3);
    // With a number of runs, whichever comes first.
    let series = Series::new();
    let run = series.stress(&["--until-crash", "-n", "2"], &crashes_in(3));
    run.assert_code(0);
    assert_eq!(run.json["stopped"], "runs");
}

#[test]
fn a_series_without_a_word_about_its_length_shows_less_than_five_percent() {
    let series = Series::new();
    let run = series.stress(&["-j", "2", "--no-fix"], &["true"]);
    run.assert_code(0)
        .assert_stderr("0 of 59: below 5.0 % with 95 % confidence");
}

#[test]
fn a_limit_of_the_rate_is_held_with_as_few_runs_as_it_takes() {
    let series = Series::new();
    let run = series.stress(&["--max-rate", "20%", "-j", "2", "--no-fix"], &["true"]);
    run.assert_code(0)
        .assert_stderr(": below 20.0 % with 95 % confidence");
    assert_eq!(run.json["decision"], "below");
    assert_eq!(run.json["stopped"], "decided");
    let runs = run.json["rate"]["runs"].as_u64().expect("runs");
    let below = run.json["rate"]["below"].as_f64().expect("a bound");
    assert!(runs < 30 && below <= 0.2, "{runs} runs: {below}");
    // The state tells: not one more was begun.
    assert_eq!(series.lines("state.jsonl").len() as u64, runs + 1);
}

#[test]
fn a_limit_that_does_not_hold_is_told_early() {
    let series = Series::new();
    let options = ["--max-rate", "20%", "--no-fix", "--report-wait", "100ms"];
    let run = series.stress(&options, &["sh", "-c", "kill -SEGV $$"]);
    run.assert_code(86)
        .assert_stderr("not below 20.0 %, with 95 % confidence");
    assert_eq!(run.json["decision"], "not_below");
    assert!(run.json["made"].as_u64().expect("runs") < 8, "{}", run.json);
}

#[test]
fn a_limit_that_is_not_decided_within_the_time_is_no_success() {
    let series = Series::new();
    let options = ["--max-rate", "0.1%", "--duration", "200ms", "--no-fix"];
    let run = series.stress(&options, &["true"]);
    run.assert_code(1)
        .assert_stderr("too few runs to say whether it is below 0.100 %")
        .assert_stderr(" more without a crash would say so, about ");
    assert!(run.json["decision"].is_null());
    assert_eq!(run.json["stopped"], "duration");
}

#[test]
fn a_series_of_which_nothing_counts_is_given_up() {
    let series = Series::new();
    let options = ["--duration", "1h", "--env", "AGX_FIX_DISABLE=1"];
    let run = series.stress(&options, &["true"]);
    run.assert_code(88)
        .assert_stderr("given up after 20 runs in a row that count in no rate");
    assert_eq!(run.json["made"], 20);
}

#[test]
fn an_interrupt_ends_it_with_what_is_known() {
    for (signal, number) in [(Signal::SIGINT, 2), (Signal::SIGTERM, 15)] {
        let series = Series::new();
        let stuck = Stuck::begin(&series);
        stuck.send(signal);
        let output = stuck.gone();
        let told = String::from_utf8_lossy(&output.stderr);
        // As a shell expects it of what the key has ended: 128 + the number.
        let by = std::os::unix::process::ExitStatusExt::signal(&output.status);
        assert_eq!(by, Some(number), "{told}");
        assert!(told.contains("0 of 3: below 63.2 %"), "{told}");
        assert!(told.contains("1 run was under way"), "{told}");
        assert!(told.contains("--resume"), "{told}");
        let json = std::fs::read_to_string(series.path("verdict.json")).expect("written");
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json["end"]["why"], "interrupted");
        assert_eq!(json["made"], STUCK);
        let run = series.resume(&[]);
        run.assert_code(0).assert_stderr("0 of 10: below 25.9 %");
        assert_eq!(run.json["resumed"], STUCK);
        assert_eq!(series.lines("begun").len(), 10 + 1);
    }
}

#[test]
fn a_second_interrupt_kills_what_does_not_end() {
    let series = Series::new();
    let ready = series.fifo("ready");
    let script = "trap '' TERM INT; echo ready >ready; while :; do sleep 600; done";
    let mut child = series
        .command(&["-n", "1", "--no-fix"], &["sh", "-c", script])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("agxrun starts");
    std::fs::read_to_string(ready).expect("it is ready");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    let mut stderr = std::io::BufReader::new(child.stderr.take().expect("a pipe"));
    nix::sys::signal::kill(pid, Signal::SIGTERM).expect("sent");
    let mut told = String::new();
    while !told.contains("once more kills") {
        told.clear();
        let read = std::io::BufRead::read_line(&mut stderr, &mut told).expect("read");
        assert!(read > 0, "it says that it was asked to end");
    }
    nix::sys::signal::kill(pid, Signal::SIGTERM).expect("sent");
    let begun = std::time::Instant::now();
    std::io::copy(&mut stderr, &mut std::io::sink()).expect("read to its end");
    assert!(!child.wait().expect("a child").success());
    assert!(begun.elapsed() < Duration::from_mins(1));
}
