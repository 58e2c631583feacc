//! Runs subjects under the published versions, and reads what they leave.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::thread;

use agx_ledger::Ledger;
use agx_policy::published::VERSIONS;
use tempfile::TempDir;

use crate::preloaded::{ledgers, subject_command, with_library};

/// How a subject ended, and what it left.
pub struct Outcome {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    pub ledger: Ledger,
}

impl Outcome {
    pub fn count(&self, name: &str) -> u64 {
        self.ledger.counter(name).expect(name)
    }

    /// What the subject saw in the end, by its name in [`subjects`].
    pub fn saw(&self, name: &str) -> i64 {
        let line = self
            .stdout
            .lines()
            .find_map(|line| line.split_once("saw ").map(|it| it.1))
            .unwrap_or_else(|| panic!("no report: {}{}", self.stdout, self.stderr));
        let found = line
            .split(' ')
            .find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        found.expect(name).parse().expect("a number")
    }

    pub fn hangs(&self) -> bool {
        assert!(
            self.status.success() || self.status.signal() == Some(libc::SIGALRM),
            "{:?}: {}{}",
            self.status,
            self.stdout,
            self.stderr
        );
        !self.status.success()
    }
}

/// Milliseconds for which a subject may wait for the lock, where [`deadlocking`] asks.
const LONGEST_WAIT_MS: u64 = 500;

pub fn run(version: &str, subject: &str) -> Outcome {
    run_with(version, subject, &[])
}

pub fn run_with(version: &str, subject: &str, variables: &[(&str, &str)]) -> Outcome {
    let folder = TempDir::new().expect("a folder");
    let mut command = subject_command(subject);
    command
        .env("AGX_FIX_VERSION", version)
        .envs(variables.iter().copied());
    let output = with_library(&mut command, folder.path())
        .output()
        .expect("starts");
    let ledger = ledgers(folder.path())
        .into_iter()
        .find(|it| it.forked_from.is_none())
        .expect("the ledger of the process that was started");
    assert_eq!(ledger.policy, version);
    Outcome {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        ledger,
    }
}

/// Runs a subject under every version at once, as many of them only wait for their alarm.
pub fn run_all(subject: &str) -> Vec<(&'static str, Outcome)> {
    run_all_with(subject, &[])
}

fn run_all_with(subject: &str, variables: &[(&str, &str)]) -> Vec<(&'static str, Outcome)> {
    thread::scope(|scope| {
        let run = |version| scope.spawn(move || run_with(version, subject, variables));
        let runs = VERSIONS.map(|version| (version, run(version)));
        runs.map(|(version, run)| (version, run.join().expect("no panic")))
            .into()
    })
}

/// Runs a subject, which has to end well, under every version; what `of` finds has to be as in `table`.
pub fn expect<T: PartialEq + std::fmt::Debug>(
    subject: &str,
    table: [(&str, T); VERSIONS.len()],
    of: impl Fn(&Outcome) -> T,
) {
    for ((version, outcome), (row, expected)) in run_all(subject).into_iter().zip(table) {
        assert_eq!(version, row);
        assert!(!outcome.hangs(), "{version} hangs");
        assert_eq!(of(&outcome), expected, "{version}: {}", outcome.stderr);
    }
}

/// The versions under which a subject waits for the lock for ever: the diagnostics end it then, as they were told to.
pub fn deadlocking(subject: &str) -> Vec<&'static str> {
    let limit = LONGEST_WAIT_MS.to_string();
    let variables = [
        ("AGX_FIX_DEADLOCK_DETECT", "1"),
        ("AGX_FIX_LOCK_TIMEOUT_MS", limit.as_str()),
        ("AGX_FIX_LOCK_ABORT_ON_TIMEOUT", "1"),
    ];
    run_all_with(subject, &variables)
        .into_iter()
        .filter(|(version, outcome)| {
            let waits = outcome.count("lock_timeouts");
            let ended = if waits == 0 {
                None
            } else {
                Some(libc::SIGABRT)
            };
            assert_eq!(
                outcome.status.signal(),
                ended,
                "{version}: {}",
                outcome.stderr
            );
            waits > 0
        })
        .map(|(version, _)| version)
        .collect()
}
