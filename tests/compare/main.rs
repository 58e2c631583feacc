//! `agxrun compare`, end to end: on the rehearsal, and on small programs.

#[path = "../common/mod.rs"]
mod common;

mod findings;
mod measuring;
mod options;
mod written;

use std::ffi::OsStr;
use std::process::Output;

use common::Sandbox;
use serde_json::Value;

/// A comparison that was made: its output, and the JSON where there is some.
struct Compared {
    output: Output,
    json: Value,
}

impl Compared {
    #[track_caller]
    fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.output.status.code(), Some(code), "{}", self.stderr());
        self
    }

    #[track_caller]
    fn assert_stderr(&self, part: &str) -> &Self {
        assert!(
            self.stderr().contains(part),
            "`{part}` is not in: {}",
            self.stderr()
        );
        self
    }

    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    fn arm(&self, at: usize) -> &Value {
        &self.json["arms"][at]
    }
}

/// `agxrun compare OPTIONS -- TARGET` in a sandbox, to its end.
fn compare<S: AsRef<OsStr>>(sandbox: &Sandbox, options: &[&str], target: &[S]) -> Compared {
    let json = sandbox.path("answer.json");
    let mut command = sandbox.agxrun();
    command
        .arg("compare")
        .args(options)
        .arg("--reports-dir")
        .arg(sandbox.reports())
        .arg("--archive")
        .arg(sandbox.path("archive"))
        .arg("--json")
        .arg(&json);
    if !target.is_empty() {
        command.arg("--").args(target);
    }
    let output = command.output().expect("agxrun starts");
    let json = std::fs::read(&json).map_or(Value::Null, |bytes| {
        serde_json::from_slice(&bytes).expect("valid JSON")
    });
    Compared { output, json }
}
