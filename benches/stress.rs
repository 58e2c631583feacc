//! What a series costs: `cargo bench --bench stress`.
//!
//! `agxrun -- true` one at a time, and the same number of runs by `agxrun stress -j 1`, in turn, so that a drift of the machine's speed
//! meets both alike: time of a run in each, medians over the rounds. Then a thousand runs of `true` with `-j 2`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs of each in a round.
const RUNS: u32 = 50;
const ROUNDS: usize = 9;
/// Runs of the long series, and what it may take.
const MANY: u32 = 1000;
const LIMIT: Duration = Duration::from_secs(8);

fn main() {
    let agxrun = PathBuf::from(env!("CARGO_BIN_EXE_agxrun"));
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--workspace"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo starts");
    assert!(
        built.success(),
        "the library and the report writer must be built"
    );
    let scratch = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(scratch.path().join("reports")).expect("a folder");
    let single = || {
        for _ in 0..RUNS {
            run(&agxrun, &["--", "true"], scratch.path());
        }
    };
    let runs = RUNS.to_string();
    let series = || {
        let options = ["stress", "-q", "-n", &runs, "--", "true"];
        run(&agxrun, &options, scratch.path());
    };
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    single();
    for _ in 0..ROUNDS {
        alone.push(time(single) / RUNS);
        together.push(time(series) / RUNS);
    }
    let (alone, together) = (median(alone), median(together));
    println!("{ROUNDS} interleaved rounds of {RUNS} runs");
    println!("agxrun -- true            {:>6.2} ms a run", millis(alone));
    println!(
        "agxrun stress -j 1        {:>6.2} ms a run, {:+.2} ms",
        millis(together),
        millis(together) - millis(alone)
    );
    let many = MANY.to_string();
    let options = ["stress", "-q", "-n", &many, "-j", "2", "--", "true"];
    let taken = time(|| run(&agxrun, &options, scratch.path()));
    println!(
        "{MANY} runs with -j 2       {:>6.2} s, {:.2} ms a run (the limit is {} s)",
        taken.as_secs_f64(),
        millis(taken / MANY),
        LIMIT.as_secs()
    );
}

fn run(agxrun: &Path, options: &[&str], scratch: &Path) {
    let output = Command::new(agxrun)
        .args(options)
        .env("XDG_STATE_HOME", scratch)
        .env("AGXRUN_REPORTS_DIR", scratch.join("reports"))
        .current_dir(scratch)
        .stdin(Stdio::null())
        .output()
        .expect("the command starts");
    assert!(
        output.status.success(),
        "{options:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn time(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
