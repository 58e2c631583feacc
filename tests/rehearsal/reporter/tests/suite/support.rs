//! Running the crasher with and without the reporter, and reading what it left.

use std::fs;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use serde_json::Value;
use tempfile::TempDir;

/// How long a report may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(20);

/// `target/<profile>`.
fn build_folder() -> PathBuf {
    let writer = Path::new(env!("CARGO_BIN_EXE_agx-rehearsal-reporter"));
    writer.parent().expect("a folder").to_owned()
}

pub fn example(name: &str) -> PathBuf {
    build_folder().join("examples").join(name)
}

/// The library that `cargo test` built: it goes beside the test programs, and only `cargo build` copies it up.
fn library() -> PathBuf {
    let test = std::env::current_exe().expect("own path");
    let path = test
        .parent()
        .expect("a folder")
        .join("libagx_rehearsal_reporter.so");
    assert!(path.exists(), "{} is missing", path.display());
    path
}

/// What a run of the crasher showed.
pub struct Run {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// The announced process ids, outermost first.
    pub fn pids(&self) -> Vec<i64> {
        let lines = self.stdout.lines();
        lines
            .filter_map(|line| line.strip_prefix("pid ")?.parse().ok())
            .collect()
    }
}

/// A report folder of one test, watched from before the crash.
pub struct Bench {
    folder: TempDir,
    watch: Inotify,
    writer: PathBuf,
    delay_ms: u32,
}

impl Bench {
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        fs::create_dir(folder.path().join("reports")).expect("a folder");
        let watch = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).expect("inotify");
        let flags =
            AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_MODIFY;
        watch
            .add_watch(&folder.path().join("reports"), flags)
            .expect("a watch");
        let writer = PathBuf::from(env!("CARGO_BIN_EXE_agx-rehearsal-reporter"));
        Self {
            folder,
            watch,
            writer,
            delay_ms: 20,
        }
    }

    pub fn delay_ms(mut self, delay_ms: u32) -> Self {
        self.delay_ms = delay_ms;
        self
    }

    pub fn writer(mut self, writer: PathBuf) -> Self {
        self.writer = writer;
        self
    }

    pub fn reports(&self) -> PathBuf {
        self.folder.path().join("reports")
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `command` with the reporter preloaded.
    pub fn preloaded(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("LD_PRELOAD", library())
            .env("AGX_REHEARSAL_REPORTS_DIR", self.reports())
            .env("AGX_REHEARSAL_REPORTER", &self.writer)
            .env("AGX_REHEARSAL_REPORT_DELAY_MS", self.delay_ms.to_string())
            .env("AGX_REHEARSAL_VERBOSE", "1");
        command
    }

    pub fn crash(&self, place: &str, kind: &str) -> Run {
        run(self.preloaded(example("crasher")).args([place, kind]))
    }

    /// Waits for `count` visible reports: each with its name, in the order of their appearance.
    pub fn wait_for(&self, count: usize) -> Vec<(String, Value, Value)> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reports = self.visible();
            if reports.len() >= count {
                return reports.into_iter().map(|name| self.read(name)).collect();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "{} of {count} reports; {}",
                reports.len(),
                self.log()
            );
            self.wait_for_event(left);
        }
    }

    pub fn one(&self) -> (Value, Value) {
        let mut reports = self.wait_for(1);
        assert_eq!(reports.len(), 1);
        let (_, header, body) = reports.remove(0);
        (header, body)
    }

    /// Names in the folder that a watcher would read.
    pub fn visible(&self) -> Vec<String> {
        let entries = fs::read_dir(self.reports()).expect("the report folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let names = names.map(|name| name.into_string().expect("a plain name"));
        let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
        names.sort();
        names
    }

    /// Both values of a report; anything but two whole ones fails.
    fn read(&self, name: String) -> (String, Value, Value) {
        let text = fs::read_to_string(self.reports().join(&name)).expect("a report");
        let (header, body) = text.split_once('\n').expect("a header line");
        let parse = |text| serde_json::from_str(text).expect("JSON");
        (name, parse(header), parse(body))
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path().join("reporter.log")).unwrap_or_else(|_| "no log".to_owned())
    }

    fn wait_for_event(&self, left: Duration) {
        let limit = PollTimeout::try_from(left).expect("a short time");
        poll(
            &mut [PollFd::new(self.watch.as_fd(), PollFlags::POLLIN)],
            limit,
        )
        .expect("poll");
        self.events();
    }

    /// What happened in the folder since the last look: kind and file name.
    pub fn events(&self) -> Vec<(AddWatchFlags, String)> {
        let events = match self.watch.read_events() {
            Err(nix::Error::EAGAIN) => Vec::new(),
            events => events.expect("readable"),
        };
        let named = events
            .into_iter()
            .filter_map(|event| Some((event.mask, event.name?)));
        named
            .map(|(mask, name)| (mask, name.to_string_lossy().into_owned()))
            .collect()
    }
}

/// Runs to the end of the process and of its output.
pub fn run(command: &mut Command) -> Run {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut text = [String::new(), String::new()];
    child
        .stdout
        .take()
        .expect("a pipe")
        .read_to_string(&mut text[0])
        .expect("stdout");
    child
        .stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut text[1])
        .expect("stderr");
    let [stdout, stderr] = text;
    Run {
        status: child.wait().expect("a status"),
        stdout,
        stderr,
    }
}

/// The crasher as it is, without the reporter.
pub fn plain(place: &str, kind: &str) -> Run {
    run(Command::new(example("crasher")).args([place, kind]))
}

/// The faulting thread of a report.
pub fn faulting(body: &Value) -> &Value {
    let index = body["faultingThread"].as_u64().expect("an index");
    &body["threads"][usize::try_from(index).expect("small")]
}

/// The symbols of a thread's frames, innermost first.
pub fn symbols(thread: &Value) -> Vec<&str> {
    let frames = thread["frames"].as_array().expect("frames");
    frames
        .iter()
        .map(|frame| frame["symbol"].as_str().unwrap_or("?"))
        .collect()
}
