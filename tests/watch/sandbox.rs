//! Folders of one test's own, and a monitor that does not outlive it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use agxrun::monitor::Settings;
use agxrun::monitor::instance::{self, Found, Holder};
use agxrun::monitor::status::Status;
use agxrun::reports::ReportFolder;
use agxrun::reports::file::incident_of;
use agxrun::reports::folders::is_report_name;
use agxrun::reports::watch::FolderWatch;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Only a test that hangs gets there.
const LONG: Duration = Duration::from_mins(2);

pub struct Sandbox {
    root: tempfile::TempDir,
    pub reports: PathBuf,
    pub archive: PathBuf,
}

impl Sandbox {
    pub fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        let real = std::fs::canonicalize(root.path()).expect("a path");
        let this = Self {
            reports: real.join("reports"),
            archive: real.join("archive"),
            root,
        };
        for folder in [&this.reports, &this.archive, &this.path("home")] {
            std::fs::create_dir(folder).expect("made");
        }
        this
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// `agxrun monitor ACTION` with this sandbox's folders.
    pub fn monitor(&self, action: &str) -> Command {
        self.with_folders(Command::new(env!("CARGO_BIN_EXE_agxrun")), action)
    }

    /// The same, behind another command that executes its arguments.
    pub fn with_folders(&self, mut command: Command, action: &str) -> Command {
        command
            .args(["monitor", action, "--archive"])
            .arg(&self.archive)
            .arg("--reports-dir")
            .arg(&self.reports)
            .current_dir(self.root.path())
            .env("HOME", self.path("home"))
            .env("NO_COLOR", "1")
            .env_remove("XDG_STATE_HOME")
            .env_remove("AGXRUN_REPORTS_DIR")
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(&self, action: &str) -> (i32, String) {
        finish(&mut self.monitor(action))
    }

    /// Who has the archive.
    #[track_caller]
    pub fn holder(&self) -> Holder {
        match instance::look(&self.archive).expect("looked") {
            Found::Running(Some(holder)) => holder,
            other => panic!("no monitor: {other:?}"),
        }
    }

    /// Ends the monitor as nothing can prepare for, and waits until it has ended.
    pub fn kill(&self) {
        let pid = i32::try_from(self.holder().pid).expect("a pid");
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("killed");
        assert!(instance::wait_for_end(&self.archive, LONG).expect("waited"));
    }

    pub fn state(&self) -> PathBuf {
        let state = agxrun::inject::platform::state_folder(|name| {
            (name == "HOME").then(|| self.path("home").into_os_string())
        });
        Settings::state_of(&self.archive, &state.expect("a state folder"))
    }

    /// Waits until the monitor's state is as it should be.
    #[track_caller]
    pub fn wait_for_status(&self, fits: impl Fn(&Status) -> bool) -> Status {
        let state = self.state();
        wait_in(&state, || {
            Status::read(&state)
                .expect("read")
                .filter(|status| fits(status))
        })
    }

    /// The reports of the archive: copies of each incident.
    pub fn copies(&self) -> BTreeMap<String, Vec<PathBuf>> {
        let mut copies: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for path in report_files(&self.archive) {
            let incident = incident_of(&path).expect("read").expect("an incident");
            copies.entry(incident).or_default().push(path);
        }
        copies
    }

    /// Waits until so many reports are in the archive, at least.
    #[track_caller]
    pub fn wait_for_copies(&self, count: usize) {
        wait_in(&self.archive, || {
            (report_files(&self.archive).len() >= count).then_some(())
        });
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // A test that failed may have left one; one that is over has not.
        if let Ok(Found::Running(Some(_))) = instance::look(&self.archive) {
            self.kill();
        }
    }
}

/// Waits, by the system's notification, until a folder is as it should be.
#[track_caller]
pub fn wait_in<T>(folder: &Path, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    let mut watch = FolderWatch::new(&[ReportFolder::new(folder)]);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            begun.elapsed() < LONG,
            "it never came in {}",
            folder.display()
        );
        watch.wait(LONG);
    }
}

pub fn report_files(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .expect("listed")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.file_name().is_some_and(is_report_name))
        .collect()
}

/// Exit code, and both outputs.
#[track_caller]
pub fn finish(command: &mut Command) -> (i32, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("agxrun starts");
    let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    (status.code().expect("no signal"), said)
}
