//! Runs the workload and says how it ended.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The workload's program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_agx-rehearsal-workload");

/// The workload in Python.
pub const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/workload.py");

/// The driver. For tests cargo builds it in `deps` and leaves the one beside the workload as it was.
pub fn driver() -> PathBuf {
    let name = format!("libagx_rehearsal{}", std::env::consts::DLL_SUFFIX);
    PathBuf::from(PROGRAM).with_file_name("deps").join(name)
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit code, where it exited.
    pub code: Option<i32>,
    /// Signal, where one ended it.
    pub signal: Option<i32>,
    /// What it wrote.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            signal: output.status.signal(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn prepared(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env("AGX_REHEARSAL_DRIVER", driver())
        .env_remove("LD_PRELOAD")
        .stdin(Stdio::null());
    command
}

/// The workload, ready to run.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = prepared(PROGRAM);
    command.args(arguments);
    command
}

/// Runs the workload.
pub fn workload(arguments: &[&str]) -> Ended {
    command(arguments)
        .output()
        .expect("the workload starts")
        .into()
}

/// Runs the workload in Python.
pub fn python(arguments: &[&str]) -> Ended {
    prepared("python3")
        .arg(SCRIPT)
        .args(arguments)
        .output()
        .expect("python3 starts")
        .into()
}

/// How many of `runs` runs, each with a seed of its own, a signal ended.
pub fn crashes(runs: u32, signal: i32, run: impl Fn(&str) -> Ended) -> usize {
    let ends: Vec<Ended> = (1..=runs).map(|seed| run(&seed.to_string())).collect();
    for ended in &ends {
        assert!(
            ended.signal == Some(signal) || ended.code == Some(0),
            "neither the crash nor a clean end: {ended:?}"
        );
    }
    ends.iter()
        .filter(|ended| ended.signal == Some(signal))
        .count()
}
