//! The action for GitHub: its scripts under an environment like a runner's, and its file against them.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Output};

use regex_lite::Regex;

use crate::common::{Sandbox, in_repository};

/// A step of a job.
struct Step<'a> {
    sandbox: &'a Sandbox,
    variables: Vec<(&'static str, String)>,
}

impl<'a> Step<'a> {
    fn new(sandbox: &'a Sandbox) -> Self {
        std::fs::create_dir_all(sandbox.path("temp")).expect("a folder");
        Self {
            sandbox,
            variables: Vec::new(),
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Runs a script as the action does; its output, and what it set.
    fn run(self, script: &str) -> (Output, BTreeMap<String, String>) {
        let set = self.sandbox.path("output");
        std::fs::write(&set, "").expect("written");
        let agxrun = self.sandbox.agxrun();
        let mut command = Command::new("bash");
        for (name, value) in agxrun.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = command
            .arg(in_repository("scripts/action").join(script))
            .current_dir(self.sandbox.root.path())
            .env("GITHUB_OUTPUT", &set)
            .env("GITHUB_STEP_SUMMARY", self.sandbox.path("summary.md"))
            .env("GITHUB_WORKSPACE", self.sandbox.root.path())
            .env("GITHUB_JOB", "test")
            .env("RUNNER_TEMP", self.sandbox.path("temp"))
            .env("AGXRUN", env!("CARGO_BIN_EXE_agxrun"))
            .env("AGXRUN_REPORTS_DIR", self.sandbox.reports())
            .envs(self.variables)
            .stdin(std::process::Stdio::null())
            .output()
            .expect("bash starts");
        let set = std::fs::read_to_string(set).expect("outputs");
        let set = set
            .lines()
            .map(|line| line.split_once('=').expect("NAME=VALUE"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        (output, set)
    }
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn a_command_that_passes() {
    let sandbox = Sandbox::new();
    let (output, set) = Step::new(&sandbox)
        .with(
            "INPUT_COMMAND",
            "sh -c 'echo \"$1\" > said' sh \"two  words\"\n",
        )
        .with("INPUT_FIX", "none")
        .with("INPUT_JUNIT", "out/junit.xml")
        .run("run.sh");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(
        std::fs::read_to_string(sandbox.path("said")).expect("it ran"),
        "two  words\n"
    );
    assert_eq!(set["verdict"], "0");
    assert_eq!(
        (&*set["crashes"], &*set["reports"], &*set["flaky"]),
        ("0", "0", "false")
    );
    crate::readers::read_valid(&sandbox.path("out/junit.xml"));
    assert!(sandbox.path("summary.md").exists());
}

#[test]
fn a_crash_is_the_verdict_and_the_reports_are_to_be_uploaded() {
    let sandbox = Sandbox::new();
    let crash = "python3 -c 'import ctypes; ctypes.string_at(0)'";
    let (output, set) = Step::new(&sandbox)
        .with("INPUT_COMMAND", crash)
        .with("INPUT_FIX", "none")
        .with("INPUT_ARGS", "--retries 1 --report-wait '20s'")
        .run("run.sh");
    assert_eq!(output.status.code(), Some(139), "{}", said(&output));
    assert_eq!(set["verdict"], "139");
    assert_eq!(
        (&*set["crashes"], &*set["reports"], &*set["flaky"]),
        ("1", "2", "false")
    );
    let archive = std::fs::read_dir(&set["archive"]).expect("the archive");
    assert!(archive.count() >= 2);
    assert!(set["artifact-name"].starts_with("agxrun-crash-logs-test-"));
    assert!(
        said(&output).contains("::error title=agxrun%3A failed"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_known_crash_passes() {
    let sandbox = Sandbox::new();
    let crash = ["python3", "-c", "import ctypes; ctypes.string_at(0)"];
    let first = Sandbox::new().run(&["--no-fix"], &crash);
    let print = first.reports()[0]["fingerprint"]
        .as_str()
        .expect("a fingerprint");
    let text =
        format!("[[crash]]\nfingerprint = \"{print}\"\nreason = \"x\"\nexpires = 2999-01-01\n");
    std::fs::write(sandbox.path("baseline.toml"), text).expect("written");
    let (output, set) = Step::new(&sandbox)
        .with(
            "INPUT_COMMAND",
            "python3 -c 'import ctypes; ctypes.string_at(0)'",
        )
        .with("INPUT_FIX", "none")
        .with("INPUT_BASELINE", "baseline.toml")
        .run("run.sh");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(
        (&*set["crashes"], &*set["known"], &*set["reports"]),
        ("0", "1", "1")
    );
}

#[test]
fn a_command_that_is_not_there() {
    let sandbox = Sandbox::new();
    let (output, set) = Step::new(&sandbox)
        .with("INPUT_COMMAND", "no-such-command-anywhere")
        .run("run.sh");
    assert_eq!(output.status.code(), Some(127), "{}", said(&output));
    assert_eq!(
        (&*set["verdict"], &*set["record"], &*set["crashes"]),
        ("127", "", "0")
    );
}

#[test]
fn what_is_no_simple_command_is_refused_and_not_run() {
    for text in [
        "",
        "touch ran | cat",
        "touch ran; true",
        "touch ran > x",
        "touch ran\ntrue",
        "touch 'ran",
        "touch ran &",
    ] {
        let sandbox = Sandbox::new();
        let (output, _) = Step::new(&sandbox)
            .with("INPUT_COMMAND", text)
            .run("run.sh");
        assert_eq!(output.status.code(), Some(125), "{text}: {}", said(&output));
        assert!(
            said(&output).contains("::error title=agxrun::the input command"),
            "{}",
            said(&output)
        );
        assert!(!sandbox.path("ran").exists(), "{text}");
    }
    // A line that goes on is one.
    let sandbox = Sandbox::new();
    let (output, _) = Step::new(&sandbox)
        .with("INPUT_COMMAND", "touch \\\n  ran\n")
        .with("INPUT_FIX", "none")
        .run("run.sh");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(sandbox.path("ran").exists());
}

#[test]
fn an_agxrun_that_is_there_is_found() {
    let sandbox = Sandbox::new();
    let (output, set) = Step::new(&sandbox)
        .with("INPUT_SOURCE", "path")
        .with("INPUT_PATH", env!("CARGO_BIN_EXE_agxrun"))
        .run("install.sh");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(set["agxrun"], env!("CARGO_BIN_EXE_agxrun"));
    for (source, path, word) in [
        ("path", "/no/such", "was not found"),
        ("path", "/bin/false", "does not run"),
        ("moon", "", "not `moon`"),
    ] {
        let (output, set) = Step::new(&sandbox)
            .with("INPUT_SOURCE", source)
            .with("INPUT_PATH", path)
            .run("install.sh");
        assert_eq!(output.status.code(), Some(125), "{}", said(&output));
        assert!(said(&output).contains(word), "{}", said(&output));
        assert!(set.is_empty());
    }
}

/// Puts a program of this name before all others; it runs these lines.
fn stand_in(sandbox: &Sandbox, name: &str, lines: &str) -> String {
    let folder = sandbox.path("bin");
    std::fs::create_dir_all(&folder).expect("a folder");
    crate::common::programs::write(&folder.join(name), format!("#!/bin/bash\n{lines}\n"));
    let path = std::env::var("PATH").expect("a PATH");
    format!("{}:{path}", folder.display())
}

#[test]
fn agxrun_is_built_from_the_actions_own_commit() {
    let sandbox = Sandbox::new();
    let path = stand_in(
        &sandbox,
        "cargo",
        &format!(
            "echo \"$*\" > asked; mkdir -p \"$RUNNER_TEMP/agxrun-target/release\"\n\
             ln -s '{}' \"$RUNNER_TEMP/agxrun-target/release/agxrun\"",
            env!("CARGO_BIN_EXE_agxrun")
        ),
    );
    let (output, set) = Step::new(&sandbox).with("PATH", path).run("install.sh");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let agxrun = sandbox.path("temp/agxrun-target/release/agxrun");
    assert_eq!(set["agxrun"], agxrun.display().to_string());
    let asked = std::fs::read_to_string(sandbox.path("asked")).expect("cargo was asked");
    let manifest = in_repository("Cargo.toml");
    let build = format!("--release --locked --manifest-path {}", manifest.display());
    assert!(asked.contains(&build), "{asked}");
    assert!(asked.contains("-p agxrun -p agx-fix"), "{asked}");

    let path = stand_in(&sandbox, "cargo", "exit 101");
    let (output, set) = Step::new(&sandbox).with("PATH", path).run("install.sh");
    assert_eq!(output.status.code(), Some(125));
    assert!(
        said(&output).contains("agxrun could not be built"),
        "{}",
        said(&output)
    );
    assert!(set.is_empty());
}

#[test]
fn a_release_is_installed_into_a_folder_of_its_own() {
    let sandbox = Sandbox::new();
    let path = stand_in(
        &sandbox,
        "python3",
        &format!(
            "echo \"$*\" >> asked; [ \"$2\" = venv ] || exit 0\n\
             mkdir -p \"$3/bin\"; ln -s \"$0\" \"$3/bin/python\"; ln -s '{}' \"$3/bin/agxrun\"",
            env!("CARGO_BIN_EXE_agxrun")
        ),
    );
    let (output, set) = Step::new(&sandbox)
        .with("PATH", path)
        .with("INPUT_SOURCE", "pypi")
        .with("INPUT_VERSION", "1.2.3")
        .run("install.sh");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let venv = sandbox.path("temp/agxrun-venv");
    assert_eq!(set["agxrun"], venv.join("bin/agxrun").display().to_string());
    let asked = std::fs::read_to_string(sandbox.path("asked")).expect("python3 was asked");
    let install = "install --disable-pip-version-check --no-input agxrun==1.2.3\n";
    assert!(asked.ends_with(install), "{asked}");
}

/// What the file declares, hands to its scripts and takes from them is what the scripts read and set.
#[test]
fn the_actions_file_and_its_scripts_agree() {
    let action = std::fs::read_to_string(in_repository("action.yml")).expect("action.yml");
    let found = |text: &str, pattern: &str| -> BTreeSet<String> {
        let pattern = Regex::new(pattern).expect("a pattern");
        pattern
            .captures_iter(text)
            .map(|found| found[1].to_owned())
            .collect()
    };
    let (declared, steps) = action.split_once("\nruns:").expect("steps");
    let (inputs, outputs) = declared.split_once("\noutputs:").expect("outputs");
    assert_eq!(found(inputs, r"(?m)^  ([a-z-]+):$"), {
        let mut all = found(steps, r"inputs\.([a-z-]+)");
        all.extend(found(outputs, r"inputs\.([a-z-]+)"));
        all
    });
    let scripts: Vec<String> = ["install.sh", "run.sh", "common.sh", "facts.py"]
        .iter()
        .map(|name| {
            std::fs::read_to_string(in_repository("scripts/action").join(name)).expect("a script")
        })
        .collect();
    let scripts = scripts.join("\n");
    assert_eq!(
        found(steps, r"(INPUT_[A-Z_]+):"),
        found(&scripts, r"\$\{?(INPUT_[A-Z_]+)")
    );
    let mut set = found(&scripts, r"\boutput ([a-z-]+) ");
    set.extend(found(&scripts, r#""([a-z-]+)": "#));
    let taken = found(&action, r"steps\.(?:run|install)\.outputs\.([a-z-]+)");
    assert!(taken.is_subset(&set), "{taken:?} {set:?}");
}
