//! A tree with the scripts in it, and what came of one.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::{Sandbox, in_repository, programs};

/// The scripts, laid out in a sandbox as in a clone, so that `crash_logs` is the sandbox's.
pub struct Scripts {
    pub sandbox: Sandbox,
}

impl Scripts {
    pub fn new() -> Self {
        let sandbox = Sandbox::new();
        let scripts = sandbox.path("scripts");
        std::fs::create_dir(&scripts).expect("a folder");
        std::fs::create_dir(sandbox.path("crash_logs")).expect("a folder");
        for entry in std::fs::read_dir(in_repository("scripts")).expect("the scripts") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                programs::copy(&path, &scripts.join(path.file_name().expect("a name")));
            }
        }
        Self { sandbox }
    }

    /// A script with the real agxrun, which looks at the sandbox's reports.
    pub fn command(&self, script: &str) -> Command {
        let agxrun = self.sandbox.agxrun();
        let mut command = Command::new(self.sandbox.path("scripts").join(script));
        command
            .current_dir(self.sandbox.root.path())
            .stdin(std::process::Stdio::null());
        for (name, value) in agxrun.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MPS_") {
                command.env_remove(name);
            }
        }
        command
            .env("AGXRUN", agxrun.get_program())
            .env("AGXRUN_REPORTS_DIR", self.sandbox.reports());
        command
    }

    /// The same, with a stand-in for agxrun that says on stdout what it was started with, a word a line.
    pub fn spoken(&self, script: &str) -> Command {
        let stand_in = self.sandbox.path("stand-in");
        programs::write(&stand_in, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
        let mut command = self.command(script);
        command.env("AGXRUN", stand_in);
        command
    }

    pub fn logs(&self) -> PathBuf {
        self.sandbox.path("crash_logs")
    }

    /// The names of the reports in `crash_logs`.
    pub fn archived(&self) -> Vec<String> {
        names(&self.logs())
            .into_iter()
            .filter(|name| Path::new(name).extension() == Some(OsStr::new("ips")))
            .collect()
    }

    /// Lets a process crash, so that there is a report in the sandbox's folder.
    pub fn crash(&self) -> PathBuf {
        let archive = self.sandbox.path("elsewhere");
        let status = self
            .sandbox
            .agxrun()
            .args(["-q", "--no-fix", "--reports-dir"])
            .arg(self.sandbox.reports())
            .arg("--archive")
            .arg(archive)
            .args(["--", "python3", "-c", CRASH])
            .output()
            .expect("agxrun starts")
            .status;
        assert_eq!(status.code(), Some(139));
        let name = names(&self.sandbox.reports())
            .pop()
            .expect("a report was written");
        self.sandbox.reports().join(name)
    }
}

/// A Python program that crashes.
pub const CRASH: &str = "import ctypes; ctypes.string_at(0)";

/// A shell command that hides such a crash.
pub const HIDDEN_CRASH: &str = "python3 -c 'import ctypes; ctypes.string_at(0)'; exit 0";

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.into_string().expect("a name")
        })
        .collect();
    names.sort();
    names
}

/// How a script ended and what it said.
pub struct Said(Output);

impl Said {
    #[track_caller]
    pub fn of(command: &mut Command) -> Self {
        Self(command.output().expect("the script starts"))
    }

    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        let (out, err) = (self.out(), self.err());
        assert_eq!(
            self.0.status.code(),
            Some(code),
            "stdout: {out}\nstderr: {err}"
        );
        self
    }

    /// The words that the stand-in for agxrun was started with.
    pub fn words(&self) -> Vec<String> {
        self.out().lines().map(str::to_owned).collect()
    }
}
