//! `agxrun` alone on a machine, as `cargo install` leaves it: no checkout beside it, no library, an empty home.

mod common;

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use agxrun::inject::Artifact;
use common::{Sandbox, programs};

/// A machine to which nothing but the executable came.
struct Machine {
    sandbox: Sandbox,
}

impl Machine {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        std::fs::create_dir(sandbox.path("bin")).expect("a folder");
        programs::copy(env!("CARGO_BIN_EXE_agxrun"), &sandbox.path("bin/agxrun"));
        Self { sandbox }
    }

    fn agxrun(&self) -> Command {
        let like = self.sandbox.agxrun();
        let mut command = Command::new(self.sandbox.path("bin/agxrun"));
        command
            .current_dir(self.sandbox.root.path())
            .stdin(Stdio::null());
        for (name, value) in like.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Everything in the cache, by its path there.
    fn cached(&self) -> Vec<PathBuf> {
        let root = self.sandbox.path("home");
        walkdir::WalkDir::new(&root)
            .into_iter()
            .map(|entry| entry.expect("readable").into_path())
            .filter(|path| path.is_file())
            .collect()
    }

    #[track_caller]
    fn assert_the_library_alone_is_cached(&self) {
        let cached = self.cached();
        assert!(
            matches!(&cached[..], [path] if path.ends_with(library_name())),
            "{cached:?}"
        );
    }
}

fn library_name() -> String {
    Artifact::FixLibrary.file_name()
}

fn finished(mut command: Command) -> Output {
    command.output().expect("agxrun starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A stand-in for cargo that says on one pipe that it has begun, goes on when another one says so, and delivers a
/// library that was built before.
struct SlowCargo {
    program: PathBuf,
    begun: PathBuf,
    go: File,
}

impl SlowCargo {
    fn new(machine: &Machine) -> Self {
        let root = machine.sandbox.root.path();
        let pipe = |name: &str| {
            let path = root.join(name);
            nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
            path
        };
        let (begun, go) = (pipe("begun"), pipe("go"));
        let body = format!(
            r#"echo begun >'{begun}'
read line <'{go}'
while [ "$1" != --target ]; do shift; done
folder=$(while [ "$1" != --target-dir ]; do shift; done; echo "$2")/$2/release
mkdir -p "$folder"
cp '{library}' "$folder"
"#,
            begun = begun.display(),
            go = go.display(),
            library = common::products().join(library_name()).display(),
        );
        let program = script(&root.join("slow-cargo"), &body);
        // Both ends, so that neither opening nor writing waits for a reader.
        let go = File::options().read(true).write(true).open(go);
        Self {
            program,
            begun,
            go: go.expect("a pipe"),
        }
    }

    /// Returns when a build has begun.
    fn wait_until_begun(&self) {
        let mut line = String::new();
        let mut begun = File::open(&self.begun).expect("a pipe");
        begun.read_to_string(&mut line).expect("a line");
        assert_eq!(line, "begun\n");
    }

    /// Lets one build end.
    fn let_one_end(&self) {
        (&self.go).write_all(b"\n").expect("written");
    }
}

fn script(path: &Path, body: &str) -> PathBuf {
    programs::write(path, format!("#!/bin/sh\n{body}"));
    path.to_owned()
}

/// `agxrun fix path -v`, which needs the library, and what it says.
struct Asking {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Asking {
    fn start(machine: &Machine, cargo: &Path) -> Self {
        let mut command = machine.agxrun();
        command
            .args(["fix", "path", "-v"])
            .env("CARGO", cargo)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("agxrun starts");
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        Self { child, stderr }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).expect("readable");
        line
    }

    #[track_caller]
    fn assert_ends_with(mut self, phrase: &str) {
        let line = self.line();
        assert!(line.contains(phrase), "{line}");
        assert!(self.child.wait().expect("a child").success());
    }
}

#[test]
fn the_library_is_built_from_what_agxrun_carries_and_arrives_in_the_target() {
    let machine = Machine::new();
    let mut first = machine.agxrun();
    // Nothing is fetched that building agxrun itself has not fetched.
    first
        .args(["fix", "path", "-v"])
        .env("CARGO_NET_OFFLINE", "true");
    let first = finished(first);
    assert!(first.status.success(), "{}", text(&first.stderr));
    assert_eq!(
        text(&first.stderr),
        "agxrun: building the fix library, once for this version of agxrun\n\
         agxrun: built just now from the sources\n"
    );
    machine.assert_the_library_alone_is_cached();

    // From now on no compiler is needed, and the library does what it is for.
    let mut run = machine.agxrun();
    run.env("CARGO", "/nonexistent/cargo")
        .args(["--require-fix", "-v", "--reports-dir"])
        .arg(machine.sandbox.reports())
        .args(["--", "true"]);
    let run = finished(run);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    assert!(
        text(&run.stderr).contains("built earlier into the cache"),
        "{}",
        text(&run.stderr)
    );
}

#[test]
fn of_two_that_want_it_at_once_one_builds_and_the_other_waits() {
    let machine = Machine::new();
    let cargo = SlowCargo::new(&machine);
    let mut builder = Asking::start(&machine, &cargo.program);
    assert!(builder.line().contains("building the fix library"));
    cargo.wait_until_begun();
    let mut waiter = Asking::start(&machine, &cargo.program);
    assert!(waiter.line().contains("another agxrun is building"));
    cargo.let_one_end();
    builder.assert_ends_with("built just now");
    // A second build would begin, and wait for ever.
    waiter.assert_ends_with("built earlier into the cache");
    machine.assert_the_library_alone_is_cached();
}

#[test]
fn a_build_whose_agxrun_was_killed_is_waited_for_and_begun_anew() {
    let machine = Machine::new();
    let cargo = SlowCargo::new(&machine);
    let mut killed = Asking::start(&machine, &cargo.program);
    cargo.wait_until_begun();
    killed.child.kill().expect("a child");
    killed.child.wait().expect("a child");
    // The compiler is still at work in the scratch folder.
    let mut next = Asking::start(&machine, &cargo.program);
    assert!(next.line().contains("another agxrun is building"));
    cargo.let_one_end();
    // What it made is not taken: nobody saw how it ended.
    cargo.wait_until_begun();
    assert!(next.line().contains("building the fix library"));
    cargo.let_one_end();
    next.assert_ends_with("built just now");
    machine.assert_the_library_alone_is_cached();
}

#[test]
fn a_compiler_that_refuses_is_quoted_and_leaves_nothing() {
    let machine = Machine::new();
    let body = "echo '   Compiling agx-fix v0.1.0' >&2\necho 'error: linker `cc` not found' >&2\nexit 101\n";
    let cargo = script(&machine.sandbox.path("no-linker"), body);
    let mut command = machine.agxrun();
    command.env("CARGO", cargo).args(["--", "true"]);
    let output = finished(command);
    assert_eq!(output.status.code(), Some(125));
    let stderr = text(&output.stderr);
    for part in [
        "building the fix library failed",
        "error: linker `cc` not found",
        "apt-get install gcc",
    ] {
        assert!(stderr.contains(part), "{stderr}");
    }
    assert_eq!(machine.cached(), Vec::<PathBuf>::new());
}

#[test]
fn without_cargo_it_says_where_to_get_a_library() {
    let machine = Machine::new();
    let mut command = machine.agxrun();
    command
        .env("PATH", "/nonexistent")
        .env_remove("CARGO")
        .env_remove("CARGO_HOME")
        .args(["fix", "path"]);
    let output = finished(command);
    assert_eq!(output.status.code(), Some(125));
    let stderr = text(&output.stderr);
    for part in ["no `cargo`", "rustup.rs", "wheel", "--dylib"] {
        assert!(stderr.contains(part), "{stderr}");
    }
    let mut command = machine.agxrun();
    command
        .env("CARGO", "/nonexistent/cargo")
        .args(["fix", "path"]);
    let stderr = text(&finished(command).stderr);
    assert!(
        stderr.contains("`/nonexistent/cargo` does not run"),
        "{stderr}"
    );
    assert_eq!(machine.cached(), Vec::<PathBuf>::new());
}

#[test]
fn a_folder_named_for_the_library_keeps_what_else_is_in_it() {
    let machine = Machine::new();
    let cargo = SlowCargo::new(&machine);
    let project = machine.sandbox.path("project");
    std::fs::create_dir_all(project.join("build")).expect("a folder");
    std::fs::write(project.join("build/precious"), "x").expect("written");
    let mut command = machine.agxrun();
    command
        .args(["fix", "build", "--out"])
        .arg(&project)
        .env("CARGO", &cargo.program)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().expect("agxrun starts");
    cargo.wait_until_begun();
    cargo.let_one_end();
    let output = child.wait_with_output().expect("a child");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut left: Vec<_> = std::fs::read_dir(&project)
        .expect("a folder")
        .map(|entry| entry.expect("readable").file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["build", library_name().as_str()]);
    assert!(project.join("build/precious").is_file());
}
