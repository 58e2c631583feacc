//! What the tests share: the supervised command, its outcome, and a terminal to run it on.
#![allow(dead_code)] // each test binary uses its part

#[path = "../../../common/programs.rs"]
pub mod programs;
pub mod session;

use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The program around the launcher.
pub const SUPERVISE: &str = env!("CARGO_BIN_EXE_supervise");

/// The command line of [`SUPERVISE`] without root's right to open what its mode forbids: with that
/// right the target has the real terminal as its stderr, and the pseudo-terminal goes untested.
pub fn unprivileged() -> Vec<&'static str> {
    if overrides_modes() {
        vec![
            "setpriv",
            "--bounding-set",
            "-dac_override,-dac_read_search",
            SUPERVISE,
        ]
    } else {
        vec![SUPERVISE]
    }
}

/// Whether we have that right: `capabilities(7)`, CAP_DAC_OVERRIDE (1) or CAP_DAC_READ_SEARCH (2).
pub fn overrides_modes() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("our own status");
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .expect("a mask");
    effective & 0b110 != 0
}

/// Gives the command every signal as a terminal's shell does. The tests may have been started by `nohup`, or by a shell
/// without job control in the background, either of which has its programs ignore some; and ignoring is inherited.
pub fn with_default_signals(command: &mut Command) {
    // SAFETY: signal and sigprocmask are async-signal-safe; the set is a local.
    unsafe {
        command.pre_exec(|| {
            for signal in [
                libc::SIGHUP,
                libc::SIGINT,
                libc::SIGQUIT,
                libc::SIGTERM,
                libc::SIGTSTP,
                libc::SIGTTIN,
                libc::SIGTTOU,
            ] {
                libc::signal(signal, libc::SIG_DFL);
            }
            let mut none = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
            Ok(())
        });
    }
}

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
        with_default_signals(&mut command);
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
