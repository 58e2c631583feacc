//! What the end-to-end tests share: the pieces, built once, and a sandbox for each run.
#![allow(dead_code)] // every test binary uses a part of it

pub mod programs;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

/// The folder with `agxrun`, the library, the report writer and the rehearsal, all of this profile.
///
/// `cargo test` builds the binaries of this package only; the other packages' products are made
/// here, once, by the same cargo into the same folder. `AGX_PRODUCTS=built` says that this was done: `scripts/test.sh` builds all that it
/// tests at once, which spares it the dependencies with another set of features.
pub fn products() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_BIN_EXE_agxrun"))
            .parent()
            .expect("a file's folder");
        if std::env::var_os("AGX_PRODUCTS").is_some_and(|value| value == "built") {
            return folder.to_owned();
        }
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--quiet", "-p", "agx-fix", "-p", "agx-rehearsal"])
            .args(["-p", "agx-rehearsal-reporter", "--target-dir"])
            .arg(folder.parent().expect("the target folder"));
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        let status = cargo.status().expect("cargo starts");
        assert!(status.success(), "the pieces beside agxrun cannot be built");
        folder.to_owned()
    })
}

/// The rehearsal's workload program.
pub fn workload() -> PathBuf {
    products().join("agx-rehearsal-workload")
}

/// The rehearsal's workload in plain Python.
pub fn python_workload() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rehearsal/workload.py")
}

/// Folders of one test's own, and commands that know nothing else.
pub struct Sandbox {
    pub root: tempfile::TempDir,
}

impl Sandbox {
    pub fn new() -> Self {
        products();
        let root = tempfile::tempdir().expect("a temporary folder");
        for folder in ["reports", "archive", "home"] {
            std::fs::create_dir(root.path().join(folder)).expect("a folder");
        }
        Self { root }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn reports(&self) -> PathBuf {
        self.path("reports")
    }

    /// `agxrun` with this sandbox's folders and none of the caller's settings.
    pub fn agxrun(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agxrun"));
        for (name, _) in std::env::vars_os() {
            let ours = name.to_string_lossy().starts_with("AGX");
            // Tests that were started by a program of pyenv's are given the version that it chose.
            let pyenvs = name.to_string_lossy().starts_with("PYENV_");
            if ours || pyenvs || name == "LD_PRELOAD" || name == "DYLD_INSERT_LIBRARIES" {
                command.env_remove(name);
            }
        }
        command
            .current_dir(self.root.path())
            .env("HOME", self.path("home"))
            .env_remove("XDG_STATE_HOME")
            .env_remove("XDG_CACHE_HOME")
            .env("NO_COLOR", "1")
            .env("TZ", "UTC")
            .stdin(std::process::Stdio::null());
        command
    }

    /// The same where no file can be written: a limit on the size of files fails a write as a full disk does.
    pub fn limited_agxrun(&self) -> Command {
        let agxrun = self.agxrun();
        let mut limited = Command::new("sh");
        limited
            .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"])
            .arg(agxrun.get_program())
            .current_dir(self.root.path())
            .stdin(std::process::Stdio::null());
        for (name, value) in agxrun.get_envs() {
            match value {
                Some(value) => limited.env(name, value),
                None => limited.env_remove(name),
            };
        }
        limited
    }

    /// `agxrun OPTIONS --reports-dir ... --archive ... --json ... -- TARGET`, run to its end.
    pub fn run<S: AsRef<OsStr>>(&self, options: &[&str], target: &[S]) -> Run {
        let json = self.path("verdict.json");
        let output = self
            .agxrun()
            .args(options)
            .arg("--reports-dir")
            .arg(self.reports())
            .arg("--archive")
            .arg(self.path("archive"))
            .arg("--json")
            .arg(&json)
            .arg("--")
            .args(target)
            .output()
            .expect("agxrun starts");
        let json = std::fs::read(&json).ok().map_or(Value::Null, |bytes| {
            serde_json::from_slice(&bytes).expect("valid JSON")
        });
        Run { output, json }
    }
}

/// A run's end, output and record.
pub struct Run {
    pub output: Output,
    pub json: Value,
}

impl Run {
    pub fn code(&self) -> i32 {
        self.output
            .status
            .code()
            .expect("agxrun itself is not ended by a signal")
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(
            self.code(),
            code,
            "stdout: {}\nstderr: {}",
            self.stdout(),
            self.stderr()
        );
        self
    }

    #[track_caller]
    pub fn assert_stderr(&self, part: &str) -> &Self {
        assert!(
            self.stderr().contains(part),
            "`{part}` is not in: {}",
            self.stderr()
        );
        self
    }

    /// The reasons of all codes that apply, strongest first.
    pub fn reasons(&self) -> Vec<&str> {
        self.json["verdict"]["applied"]
            .as_array()
            .expect("a verdict")
            .iter()
            .map(|applied| applied["reason"].as_str().expect("a reason"))
            .collect()
    }

    pub fn reports(&self) -> &Vec<Value> {
        self.json["reports"].as_array().expect("a list of reports")
    }
}

/// A file of this repository.
pub fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A whole report of a crash on a Mac, long ago.
pub fn old_report() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports/001_Python.ips")
}
