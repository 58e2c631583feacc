//! A series of one test's own.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::common::{Run, Sandbox};

/// A sandbox in which series are made.
pub struct Series {
    pub sandbox: Sandbox,
}

impl Series {
    pub fn new() -> Self {
        let sandbox = Sandbox::new();
        std::fs::create_dir(sandbox.path("tmp")).expect("a folder");
        Self { sandbox }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path(name)
    }

    /// The state file that [`stress`](Self::stress) uses.
    pub fn state(&self) -> PathBuf {
        self.path("state.jsonl")
    }

    /// `agxrun stress OPTIONS -- TARGET`, with the folders of the sandbox, and temporary ones in it.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, options: &[&str], target: &[S]) -> Command {
        let mut command = self.sandbox.agxrun();
        let json = self.path("verdict.json");
        let json = ["--json", json.to_str().expect("UTF-8")];
        self.complete(&mut command, &[&json, options].concat(), target);
        command
    }

    /// The same behind another command that executes its arguments, without the JSON.
    pub fn complete<S: AsRef<std::ffi::OsStr>>(
        &self,
        command: &mut Command,
        options: &[&str],
        target: &[S],
    ) {
        command
            .env("TMPDIR", self.path("tmp"))
            .arg("stress")
            .args(["--settle", "0", "--reports-dir"])
            .arg(self.sandbox.reports())
            .arg("--archive")
            .arg(self.path("archive"))
            .arg("--state")
            .arg(self.state())
            .args(options)
            .arg("--")
            .args(target);
    }

    /// The same, to its end.
    pub fn stress<S: AsRef<std::ffi::OsStr>>(&self, options: &[&str], target: &[S]) -> Run {
        let output = self.command(options, target).output();
        self.ended(output.expect("agxrun starts"))
    }

    /// `agxrun stress --resume STATE OPTIONS`, to its end.
    pub fn resume(&self, options: &[&str]) -> Run {
        let mut command = self.sandbox.agxrun();
        command
            .env("TMPDIR", self.path("tmp"))
            .args(["stress", "--resume"])
            .arg(self.state())
            .args(options);
        self.ended(command.output().expect("agxrun starts"))
    }

    fn ended(&self, output: Output) -> Run {
        let json = std::fs::read(self.path("verdict.json")).ok();
        let json = json.map_or(Value::Null, |bytes| {
            serde_json::from_slice(&bytes).expect("valid JSON")
        });
        Run { output, json }
    }

    /// Where the runs write their own lines first; it is there after a kill.
    pub fn spool(&self) -> PathBuf {
        let folder = self.path("archive/series");
        let mut paths = names(&folder).into_iter().map(|name| folder.join(name));
        let is_spool = |path: &PathBuf| path.extension().is_some_and(|end| end == "spool");
        paths.find(is_spool).expect("a spool")
    }

    /// The lines of a file, none where it is not there.
    pub fn lines(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.path(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// A named pipe.
    pub fn fifo(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a named pipe");
        path
    }
}

/// A series whose run number `STUCK` waits for ever: a moment at which all runs before have ended.
pub struct Stuck<'a> {
    series: &'a Series,
    agxrun: Child,
    /// Held open by the run that waits: its end shows here.
    alive: BufReader<File>,
}

/// The number of the run that waits, from 0.
pub const STUCK: usize = 3;

impl<'a> Stuck<'a> {
    /// Begins a series of ten runs, one at a time; returns when the run that waits has begun. Each run adds a line to the file
    /// `begun`. The run waits only the first time.
    pub fn begin(series: &'a Series) -> Self {
        let alive = series.fifo("alive");
        let script = format!(
            "echo x >>begun; if [ $(wc -l <begun) -eq {} ] && [ -p alive ]; then echo stuck >alive; exec 9>alive; exec sleep 600; fi",
            STUCK + 1
        );
        let agxrun = series
            .command(&["-n", "10", "--no-fix"], &["sh", "-c", &script])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("agxrun starts");
        let mut alive = BufReader::new(File::open(alive).expect("its writer has come"));
        let mut word = String::new();
        alive.read_line(&mut word).expect("a word");
        assert_eq!(word, "stuck\n");
        Self {
            series,
            agxrun,
            alive,
        }
    }

    pub fn send(&self, signal: Signal) {
        let pid = i32::try_from(self.agxrun.id()).expect("a pid");
        kill(Pid::from_raw(pid), signal).expect("sent");
    }

    /// Waits until `agxrun` and the run that waits are gone, the latter by the closing of its pipe.
    pub fn gone(mut self) -> Output {
        let mut rest = Vec::new();
        self.alive.read_to_end(&mut rest).expect("read");
        std::fs::remove_file(self.series.path("alive")).expect("removed");
        self.agxrun.wait_with_output().expect("a child")
    }
}

/// The names of a folder's files, none where it is not there.
pub fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort_unstable();
    names
}
