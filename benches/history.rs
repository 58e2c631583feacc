//! What `agxrun history` takes over a history of 100,000 runs: `cargo bench --bench history`.
//!
//! The file is made of lines as runs write them, of 40 commands, 6 fixes and 8 machines over 90 days, with a crash and its report in
//! one of ten. Each question is asked of the program itself, so that its start, the reading and the answer on a pipe are in the figure;
//! beside the time stands that of the processor, which other work on the machine moves less.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use agxrun::history::{Kind, ReportLine, RunLine};
use agxrun::stats::random::Random;
use chrono::{DateTime, TimeDelta};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

const RUNS: u64 = 100_000;
const ROUNDS: usize = 7;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("runs.jsonl");
    let text = history();
    std::fs::write(&path, &text).expect("written");
    println!(
        "{RUNS} runs, {} MB, best of {ROUNDS}",
        text.len() / 1_000_000
    );
    let questions: [&[&str]; 6] = [
        &[],
        &["--group-by", "fix"],
        &["--group-by", "command,fix,host,day"],
        &["--since", "2026-03-20", "--kind", "crash"],
        &["-n", "20"],
        &["--json"],
    ];
    for question in questions {
        let times: Vec<_> = (0..ROUNDS).map(|_| time(&path, question)).collect();
        let best = |of: fn(&(Duration, Duration)) -> Duration| {
            let best = times.iter().map(of).min();
            best.unwrap_or_default().as_secs_f64() * 1e3
        };
        println!(
            "history {:<44} {:>7.1} ms {:>7.1} ms of the processor",
            question.join(" "),
            best(|times| times.0),
            best(|times| times.1)
        );
    }
}

/// How long it took, and how much of the processor.
fn time(path: &Path, question: &[&str]) -> (Duration, Duration) {
    let mut agxrun = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_agxrun")));
    agxrun.arg("history").args(question).arg(path);
    agxrun.env("TZ", "Europe/Berlin").stdout(Stdio::null());
    let (before, start) = (of_children(), Instant::now());
    let status = agxrun.status().expect("agxrun starts");
    let taken = start.elapsed();
    assert!(status.success(), "{question:?}");
    (taken, of_children().saturating_sub(before))
}

/// Time of the processor that children that have ended took.
fn of_children() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("known to every system");
    let micros = (usage.user_time() + usage.system_time()).num_microseconds();
    Duration::from_micros(u64::try_from(micros).expect("no time is below zero"))
}

fn history() -> String {
    let mut random = Random::new(1);
    let first = DateTime::from_timestamp(1_767_225_600, 0).expect("a time");
    let mut text = String::new();
    for run in 0..RUNS {
        let mut below = |bound: u64| random.below(bound);
        let crashed = below(10) == 0;
        let fix = ["none", "v2.2", "v2.5", "v2.8", "v2.9", "v3"]
            [usize::try_from(below(6)).expect("small")];
        let line = RunLine {
            schema: 1,
            id: format!("{run:032x}"),
            started: first + TimeDelta::milliseconds(i64::try_from(run).expect("small") * 77_760),
            wall: 1.0 + f64::from(u32::try_from(below(1_000_000)).expect("small")) / 1e6,
            total: 2.5,
            host: format!("mac-mini-{}.local", below(8)),
            os: "macOS 15.1 (24B83)".to_owned(),
            hardware: Some("Mac16,10, Apple M4".to_owned()),
            agxrun: "0.1.0".to_owned(),
            library: (fix != "none").then(|| "0123456789abcdef0123456789abcdef".to_owned()),
            command: vec![
                "python3".to_owned(),
                format!("tests/test_{}.py", below(40)),
                "--device=mps".to_owned(),
            ],
            program: "/opt/homebrew/bin/python3.13".to_owned(),
            directory: "/Users/ci/work/project".to_owned(),
            fix: fix.to_owned(),
            throttle: None,
            lock_scope: None,
            series: Some(format!("{:032x}", run / 1000)),
            arm: None,
            slot: Some(run % 1000),
            attempt: 1,
            pid: Some(4000),
            exit_code: (!crashed).then_some(0),
            signal: crashed.then_some(11),
            signal_name: crashed.then(|| "SIGSEGV".to_owned()),
            verdict: if crashed { 139 } else { 0 },
            reasons: vec![if crashed { "signal" } else { "target" }.to_owned()],
            kind: if crashed { Kind::Crash } else { Kind::Clean },
            crash: crashed.then(|| "agx_null_dispatch".to_owned()),
            title: crashed
                .then(|| "the driver called a method that an encoder no longer has".to_owned()),
            reports: if crashed { vec![report(run)] } else { vec![] },
            dropped_calls: 0,
            hooked_calls: 123_456,
            injected: 1,
            counters: [
                "method_calls",
                "encoders_created",
                "encoders_destroyed",
                "buffers_committed",
                "lock_waits",
                "lock_max_wait_ms",
            ]
            .into_iter()
            .map(|name| (name.to_owned(), below(1_000_000)))
            .collect(),
            metric: None,
            warnings: vec![],
        };
        let json = serde_json::to_string(&line).expect("serialised");
        writeln!(text, "{json}").expect("a String takes all");
    }
    text
}

fn report(run: u64) -> ReportLine {
    let report = serde_json::json!({
        "file": format!("python3.13-2026-01-01-{run}.ips"),
        "incident": format!("{run:032X}"),
        "process": "python3.13",
        "fingerprint": "0123456789abcdef",
        "signature": "agx_null_dispatch",
        "attribution": "ours",
        "counted": true,
    });
    serde_json::from_value(report).expect("a report")
}
