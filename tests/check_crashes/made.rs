//! Reports that a test makes, and what agxrun answers about them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::common::Sandbox;

/// Folders of one test's own; the pieces beside agxrun are not needed.
pub fn sandbox() -> Sandbox {
    let root = tempfile::tempdir().expect("a temporary folder");
    for folder in ["reports", "archive", "home"] {
        fs::create_dir(root.path().join(folder)).expect("a folder");
    }
    Sandbox { root }
}

pub fn check(sandbox: &Sandbox, options: &[&str]) -> Output {
    sandbox
        .agxrun()
        .args([
            "check-crashes",
            "--reports-dir",
            "reports",
            "--archive",
            "archive",
        ])
        .args(options)
        .output()
        .expect("agxrun starts")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

/// The schema that agxrun prints.
pub fn schema() -> jsonschema::Validator {
    let printed = check(&sandbox(), &["--json-schema"]);
    let schema: Value = serde_json::from_slice(&printed.stdout).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

#[track_caller]
pub fn valid(output: &Output) -> Value {
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", stdout(output), stderr(output)));
    let wrong: Vec<String> = schema()
        .iter_errors(&answer)
        .map(|error| error.to_string())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{answer:#}");
    answer
}

/// A report as the system writes it: name, incident, process, where, and how long ago.
pub struct Crash<'a> {
    pub incident: &'a str,
    pub process: &'a str,
    pub symbol: &'a str,
    pub ago: TimeDelta,
}

pub const NOW: TimeDelta = TimeDelta::zero();

pub fn crash<'a>(incident: &'a str, process: &'a str) -> Crash<'a> {
    Crash {
        incident,
        process,
        symbol: "work",
        ago: NOW,
    }
}

impl Crash<'_> {
    pub fn time(&self) -> DateTime<Utc> {
        Utc::now() - self.ago
    }

    pub fn text(&self) -> String {
        let time = self.time();
        let header = json!({
            "app_name": self.process,
            "timestamp": time.format("%Y-%m-%d %H:%M:%S.00 +0000").to_string(),
            "bug_type": "309",
            "os_version": "macOS 15.3 (24D60)",
            "incident_id": self.incident,
        });
        let body = json!({
            "procName": self.process,
            "pid": 4242,
            "captureTime": time.format("%Y-%m-%d %H:%M:%S%.3f +0000").to_string(),
            "incident": self.incident,
            "exception": {
                "type": "EXC_BAD_ACCESS",
                "signal": "SIGSEGV",
                "subtype": "KERN_INVALID_ADDRESS at 0x0000000000000010",
            },
            "faultingThread": 0,
            "threads": [{ "triggered": true, "id": 1, "frames": [
                { "imageIndex": 0, "imageOffset": 16, "symbol": self.symbol, "symbolLocation": 8 },
            ]}],
            "usedImages": [{ "name": "libwork.dylib", "path": "/opt/libwork.dylib", "base": 4096, "size": 4096 }],
        });
        format!("{header}\n{body:#}")
    }

    pub fn name(&self) -> String {
        let stamp = self.time().format("%Y-%m-%d-%H%M%S");
        format!("{}-{stamp}-{}.ips", self.process, self.incident)
    }

    /// Written into a folder, with the time of the crash as that of the file.
    pub fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join(self.name());
        fs::write(&path, self.text()).expect("written");
        let file = fs::File::options().write(true).open(&path).expect("there");
        file.set_modified(self.time().into()).expect("set");
        path
    }

    pub fn archive(&self, folder: &Path, stamp: &str) -> PathBuf {
        let path = folder.join(format!("{stamp}_{}", self.name()));
        fs::write(&path, self.text()).expect("written");
        path
    }
}

pub fn incidents(answer: &Value) -> Vec<&str> {
    let crashes = answer["crashes"].as_array().expect("crashes");
    crashes
        .iter()
        .map(|crash| crash["incident"].as_str().expect("an incident"))
        .collect()
}

/// Three crashes of two programs, at three times.
pub fn three(sandbox: &Sandbox) {
    let reports = sandbox.reports();
    crash("A", "alpha").write(&reports);
    Crash {
        symbol: "play",
        ago: TimeDelta::hours(3),
        ..crash("B", "beta")
    }
    .write(&reports);
    Crash {
        ago: TimeDelta::days(3),
        ..crash("C", "alpha")
    }
    .write(&reports);
}
