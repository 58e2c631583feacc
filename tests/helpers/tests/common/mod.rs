//! What the tests share: the supervised command, its outcome, and a terminal to run it on.
#![allow(dead_code)] // each test binary uses its part

pub mod session;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The program around the launcher.
pub const SUPERVISE: &str = env!("CARGO_BIN_EXE_supervise");

/// What a test waits at most for an event. Only a failure takes that long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// One supervised command, in a session without a terminal, and what it left.
pub struct Run {
    folder: tempfile::TempDir,
    options: Vec<String>,
}

impl Run {
    pub fn new() -> Self {
        Run {
            folder: tempfile::tempdir().expect("a temporary folder"),
            options: Vec::new(),
        }
    }

    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.options.extend([name.to_owned(), value.to_owned()]);
        self
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn outcome_file(&self) -> PathBuf {
        self.folder().join("outcome")
    }

    /// The command line, for whoever starts it.
    pub fn command<S: AsRef<OsStr>>(&self, target: &[S]) -> Command {
        // A session of its own: the developer's terminal is not to decide how the test goes.
        let mut command = Command::new("setsid");
        command
            .arg("--wait")
            .arg(SUPERVISE)
            .arg("--outcome")
            .arg(self.outcome_file())
            .args(&self.options)
            .args(target)
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end, stdout and stderr through pipes.
    pub fn output<S: AsRef<OsStr>>(&self, target: &[S]) -> Output {
        self.command(target).output().expect("supervise starts")
    }

    pub fn sh(&self, script: &str) -> Output {
        self.output(&["/bin/sh", "-c", script])
    }

    pub fn outcome(&self) -> Outcome {
        let text = wait_for("the outcome", || {
            std::fs::read_to_string(self.outcome_file()).ok()
        });
        Outcome(text)
    }
}

/// The outcome file of one supervision.
#[derive(Debug)]
pub struct Outcome(pub String);

impl Outcome {
    /// The values of all lines `name: value`.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .collect()
    }

    /// The only value of `name`.
    #[track_caller]
    pub fn get(&self, name: &str) -> &str {
        match self.all(name)[..] {
            [value] => value,
            _ => panic!("not one `{name}` in:\n{}", self.0),
        }
    }
}

/// Asks until there is an answer. For what has no event to wait for (another process's file).
#[track_caller]
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The exit code.
#[track_caller]
pub fn code(output: &Output) -> i32 {
    output
        .status
        .code()
        .unwrap_or_else(|| panic!("ended by {:?}", output.status))
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
