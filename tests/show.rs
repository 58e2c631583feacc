//! `agxrun show` as people call it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::pty::openpty;
use serde_json::Value;

/// Folders of one test's own.
struct Sandbox {
    root: tempfile::TempDir,
}

impl Sandbox {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        for folder in ["reports", "archive", "home"] {
            fs::create_dir(root.path().join(folder)).expect("a folder");
        }
        Self { root }
    }

    /// `agxrun show ARGUMENTS` that knows of these folders alone.
    fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agxrun"));
        command
            .arg("show")
            .args(arguments)
            .arg("--reports-dir")
            .arg(self.root.path().join("reports"))
            .arg("--archive")
            .arg(self.root.path().join("archive"))
            .current_dir(self.root.path())
            .env("HOME", self.root.path().join("home"))
            .env_remove("AGXRUN_REPORTS_DIR")
            .env("NO_COLOR", "1")
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        command
    }

    fn show<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Shown {
        Shown(self.command(arguments).output().expect("agxrun starts"))
    }

    fn put(&self, report: &str, folder: &str, name: &str) -> PathBuf {
        let path = self.root.path().join(folder).join(name);
        fs::copy(data(report), &path).expect("copied");
        path
    }
}

struct Shown(Output);

impl Shown {
    fn text(&self) -> String {
        assert_eq!(self.0.status.code(), Some(0), "{}", self.errors());
        String::from_utf8(self.0.stdout.clone()).expect("UTF-8")
    }

    fn errors(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// What is said when it fails.
    fn refusal(&self, code: i32) -> String {
        assert_eq!(self.0.status.code(), Some(code), "{}", self.errors());
        assert!(self.0.stdout.is_empty());
        self.errors()
    }
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn report(name: &str) -> PathBuf {
    data("reports").join(name)
}

#[test]
fn a_report_is_shown_as_macos_translates_it() {
    let shown = Sandbox::new().show(&[report("001_Python.ips")]);
    let apples = fs::read_to_string(report("002_Python.crash")).expect("text");
    assert_eq!(shown.text(), apples);
    assert_eq!(shown.errors(), "");
}

#[test]
fn names_are_read_unless_they_are_not_to_be() {
    let sandbox = Sandbox::new();
    let path = report("024_FocusTogether.ips");
    let mangled = "_RNvCsbgTEAFGLn1v_7___rustc17rust_begin_unwind + ";
    assert!(
        sandbox
            .show(&[&path])
            .text()
            .contains(" __rustc::rust_begin_unwind + ")
    );
    let path = path.as_os_str();
    let written = sandbox.show(&[path, "--no-demangle".as_ref()]).text();
    assert!(written.contains(mangled));
}

#[test]
fn one_thread_is_chosen_by_its_number() {
    let sandbox = Sandbox::new();
    let path = report("016_MotoCortex.ips");
    let show =
        |thread: &str| sandbox.show(&[path.as_os_str(), "--thread".as_ref(), thread.as_ref()]);
    let headings = |text: &str| {
        let lines = text.lines().filter(|line| line.starts_with("Thread "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(headings(&show("2").text()).len(), 1);
    assert_eq!(
        headings(&show("6").text()),
        [
            "Thread 6 Crashed:: com.facebook.react.JavaScript",
            "Thread 6 crashed with ARM Thread State (64-bit):"
        ]
    );
    assert_eq!(headings(&show("all").text()).len(), 14);
    let refusal = show("13").refusal(125);
    assert!(
        refusal.contains("there is no thread 13: the report has 13, numbered from 0"),
        "{refusal}"
    );
    assert!(
        show("main")
            .refusal(2)
            .contains("expected a thread's number")
    );
    let path = report("051_itunescloudd.ips");
    let show =
        |thread: &str| sandbox.show(&[path.as_os_str(), "--thread".as_ref(), thread.as_ref()]);
    let text = show("1").text();
    assert_eq!(
        headings(&text),
        [
            "Thread 1 name:  com.apple.NSURLConnectionLoader",
            "Thread 1:"
        ]
    );
    assert!(
        text.starts_with("Incident Identifier: 13917FF0"),
        "the header line is left out"
    );
    show("700").refusal(125);
}

#[test]
fn json_is_the_model() {
    let sandbox = Sandbox::new();
    let path = report("005_PhotoGuruViewer.ips");
    let text = sandbox.show(&[path.as_os_str(), "--json".as_ref()]).text();
    let document: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["schema"], 1);
    assert_eq!(document["file"], path.to_str().expect("plain"));
    let report = &document["report"];
    assert_eq!(report["process"]["pid"], 24975);
    assert_eq!(
        report["process"]["bundle"]["identifier"],
        "com.photoguru.viewer"
    );
    assert_eq!(
        report["process"]["captured"],
        "2026-01-04T21:24:05.747600-08:00"
    );
    assert_eq!(report["system"]["model"], "Mac16,12");
    assert_eq!(report["exception"]["raw_codes"], serde_json::json!([0, 0]));
    let registers = &report["threads"][0]["state"]["registers"];
    assert_eq!(registers[4]["name"], "x4");
    assert_eq!(registers[4]["value"], 6_548_175_832_u64);
    assert_eq!(report["threads"][1]["state"], Value::Null);
    assert_eq!(report["images"].as_array().map(Vec::len), Some(376));
    for other in ["--raw", "--no-demangle"] {
        sandbox
            .show(&[path.as_os_str(), "--json".as_ref(), other.as_ref()])
            .refusal(2);
    }
}

#[test]
fn a_report_is_found_by_what_is_known_of_it() {
    let sandbox = Sandbox::new();
    let refusal = sandbox.show(&["latest"]).refusal(125);
    assert!(refusal.contains("no crash is on record"), "{refusal}");
    sandbox.put(
        "reports/001_Python.ips",
        "reports",
        "Python-2025-06-27-123536.ips",
    );
    sandbox.put(
        "reports/031_qlcplus.ips",
        "archive",
        "qlcplus-2025-12-01-200600.ips",
    );
    sandbox.put(
        "reports/001_Python.ips",
        "archive",
        "Python-2025-06-27-123536.000.ips",
    );
    let is = |wanted: &str, process: &str| {
        let text = sandbox.show(&[wanted]).text();
        let line = format!("\nProcess:               {process}\n");
        assert!(text.contains(&line), "{wanted}");
    };
    is("latest", "qlcplus [52024]");
    is("A357AD50-B0BC-47E5-98C2-CEFFD4342928", "Python [28566]");
    is("3fc626cb", "qlcplus [52024]");
    is("Python", "Python [28566]");
    is("qlcplus-2025-12-01-200600.ips", "qlcplus [52024]");
    let refusal = sandbox.show(&["nothing"]).refusal(125);
    assert!(refusal.contains("no report fits `nothing`"), "{refusal}");
    let refusal = sandbox.show(&["no/such.ips"]).refusal(125);
    assert!(
        refusal.contains("there is no file `no/such.ips`"),
        "{refusal}"
    );
    sandbox.put(
        "reports/005_PhotoGuruViewer.ips",
        "reports",
        "Python-2025-06-28-000000.ips",
    );
    let refusal = sandbox.show(&["Python"]).refusal(125);
    assert!(refusal.contains("`Python` fits 2 reports, `"), "{refusal}");
    sandbox.show(&[""]).refusal(125);
    sandbox.show(&[sandbox.root.path()]).refusal(125);
}

#[test]
fn raw_is_the_file_byte_for_byte() {
    let sandbox = Sandbox::new();
    let path = sandbox.root.path().join("hostile.ips");
    let bytes = b"{\"bug_type\":\"309\"}\n\xff\x1b[2J\r\n{\"pid\":1}";
    fs::write(&path, bytes).expect("written");
    let shown = sandbox.show(&[path.as_os_str(), "--raw".as_ref()]);
    assert_eq!(shown.0.stdout, bytes);
}

/// What a terminal is sent by a command.
fn on_a_terminal(mut command: Command) -> String {
    let pty = openpty(None, None).expect("a terminal");
    command
        .stdout(Stdio::from(pty.slave))
        .env("TERM", "xterm-256color");
    let mut child = command.spawn().expect("agxrun starts");
    // The command holds the other end until it is dropped.
    drop(command);
    let mut sent = Vec::new();
    let mut terminal = File::from(pty.master);
    let mut piece = [0; 4096];
    // Linux reports the end of a terminal's last writer as an error, others as an end of file.
    while let Ok(count @ 1..) = terminal.read(&mut piece) {
        sent.extend_from_slice(&piece[..count]);
    }
    assert!(child.wait().expect("it ends").success());
    String::from_utf8(sent).expect("UTF-8")
}

#[test]
fn a_terminal_is_never_given_what_a_report_says_as_a_command() {
    let sandbox = Sandbox::new();
    let path = sandbox.root.path().join("hostile.ips");
    let body = r#"{"pid":1,"procName":"\u001b]0;owned\u0007\u009b\u202e","threads":[{"triggered":true,"frames":[]}]}"#;
    let whole = format!("{{\"bug_type\":\"309\"}}\n{body}\n\u{1b}[2J\u{7}");
    fs::write(&path, whole).expect("written");
    for arguments in [&[][..], &["--raw"], &["--json"]] {
        let mut all = vec![path.as_os_str()];
        all.extend(arguments.iter().map(OsStr::new));
        let sent = on_a_terminal(sandbox.command(&all));
        assert!(sent.contains("]0;owned"), "{arguments:?}: {sent}");
        assert!(
            !sent.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']),
            "{arguments:?}: {sent:?}"
        );
    }
}

#[test]
fn a_damaged_report_shows_what_was_read_and_says_what_was_not() {
    let sandbox = Sandbox::new();
    let whole = fs::read_to_string(report("001_Python.ips")).expect("text");
    let path = sandbox.root.path().join("cut.ips");
    fs::write(&path, &whole[..whole.len() / 2]).expect("written");
    let shown = sandbox.show(&[&path]);
    assert!(
        shown
            .text()
            .contains("Process:               Python [28566]")
    );
    let errors = shown.errors();
    assert!(
        errors.contains("not everything was read: the body ends early"),
        "{errors}"
    );
    fs::write(&path, "no report").expect("written");
    let refusal = sandbox.show(&[&path]).refusal(125);
    assert!(refusal.contains("not a crash report"), "{refusal}");
}

#[test]
fn reports_that_are_text_are_shown_as_their_writer_laid_them_out() {
    let sandbox = Sandbox::new();
    for name in ["007_camera_display.crash", "098_Crash-Tester.crash"] {
        let text = sandbox
            .show(&[report(name).as_os_str(), "--no-demangle".as_ref()])
            .text();
        let file = fs::read_to_string(report(name)).expect("text");
        assert!(text.lines().eq(file.lines()), "{name}");
    }
}

#[test]
fn other_kinds_are_summed_up() {
    let sandbox = Sandbox::new();
    for (name, path) in [
        ("stackshot", report("092_x.ips")),
        ("jetsam", data("events/JetsamEvent.ips")),
        ("gpu", data("events/gpuEvent-page-fault.ips")),
        ("gpu_text", data("events/gpuRestart-2017.txt")),
        ("panic", data("events/panic-full-arm.ips")),
        ("watchdog", data("events/watchdog-WindowServer.ips")),
        ("resource", data("events/cpu_resource.ips")),
    ] {
        insta::assert_snapshot!(name, sandbox.show(&[path]).text());
    }
}
