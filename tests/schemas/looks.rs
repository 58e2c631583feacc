//! What the commands print that look at reports, programs and the machine.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use agxrun::monitor::instance::{self, Found};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::common::{Sandbox, in_repository, workload};
use super::schema::Printed;
use super::{audits, in_file, printed};

/// The reports of the corpus in one of its folders.
fn corpus(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(in_repository("tests/data").join(folder)).expect("the reports");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "md"))
        .collect();
    paths.sort();
    paths
}

/// Puts reports of a few kinds, and what is none, into a sandbox.
fn fill(sandbox: &Sandbox) {
    for path in corpus("events")
        .iter()
        .chain(corpus("reports").iter().take(12))
    {
        let name = path.file_name().expect("a name");
        fs::copy(path, sandbox.reports().join(name)).expect("copied");
    }
    fs::write(sandbox.reports().join("Junk.ips"), "junk").expect("written");
}

/// `agxrun COMMAND OPTIONS --json` in the sandbox's folders.
fn ask(sandbox: &Sandbox, command: &str, options: &[&str]) -> Output {
    let mut agxrun = sandbox.agxrun();
    agxrun.args(command.split(' ')).args(options);
    agxrun.args(["--reports-dir", "reports", "--archive", "archive", "--json"]);
    agxrun.output().expect("agxrun starts")
}

pub fn crashes() -> Vec<Printed> {
    let sandbox = Sandbox::new();
    let look = |options: &[&str]| {
        let output = ask(&sandbox, "check-crashes", options);
        printed(&format!("{options:?}"), &output)
    };
    let snapshot = |options: &[&str]| printed("snapshot", &ask(&sandbox, "snapshot", options));
    let mut all = vec![
        look(&[]),
        look(&["--group"]),
        look(&["--sync"]),
        snapshot(&["-o", "before.json"]),
    ];
    fill(&sandbox);
    let known =
        "[[crash]]\nsignature = \"double_commit\"\nreason = \"known\"\nexpires = 2999-01-01\n";
    fs::write(sandbox.path("baseline.toml"), known).expect("written");
    let archived = corpus("reports").pop().expect("a report");
    let name = archived.file_name().expect("a name");
    fs::copy(&archived, sandbox.path("archive").join(name)).expect("copied");
    let long_ago = ["--hours", "900000"];
    all.extend([
        look(&long_ago),
        look(&["--latest", "3", "--process", "*"]),
        look(&[&long_ago[..], &["--group"]].concat()),
        look(&[&long_ago[..], &["--count"]].concat()),
        look(&[&long_ago[..], &["--baseline", "baseline.toml"]].concat()),
        look(&["--since", "before.json"]),
        look(&["--snapshot", "after.json"]),
        look(&["--sync"]),
        look(&["--clean", "--dry-run"]),
        look(&["--reports-dir", "missing"]),
    ]);
    all
}

pub fn snapshot_files() -> Vec<Printed> {
    let sandbox = Sandbox::new();
    let take = |what: &str, options: &[&str]| {
        let output = ask(
            &sandbox,
            "snapshot",
            &[&["-o", "snapshot.json"], options].concat(),
        );
        assert!(sandbox.path("snapshot.json").exists(), "{output:?}");
        in_file(what, &sandbox.path("snapshot.json"))
    };
    let empty = take("empty", &[]);
    fill(&sandbox);
    let no_text = std::ffi::OsStr::from_bytes(b"caf\xe9.ips");
    fs::write(sandbox.reports().join(no_text), "{}").expect("written");
    vec![
        empty,
        take("full", &[]),
        take("missing", &["--reports-dir", "missing"]),
    ]
}

pub fn shown() -> Vec<Printed> {
    let sandbox = Sandbox::new();
    let show = |path: &Path| {
        let mut agxrun = sandbox.agxrun();
        let output = agxrun.args(["show", "--json"]).arg(path).output();
        printed(&path.display().to_string(), &output.expect("agxrun starts"))
    };
    let cut_off = sandbox.path("cut-off.ips");
    let whole = fs::read(super::common::old_report()).expect("a report");
    fs::write(&cut_off, &whole[..whole.len() / 2]).expect("written");
    let mut paths = corpus("events");
    // The others are of the same kinds.
    paths.extend(corpus("reports").into_iter().step_by(4));
    paths.push(cut_off);
    paths.push(audits::explained(&sandbox));
    paths.iter().map(|path| show(path)).collect()
}

pub fn inspections() -> Vec<Printed> {
    let sandbox = Sandbox::new();
    let script = sandbox.path("script");
    fs::write(&script, "#!/usr/bin/env -S sh -e\ntrue\n").expect("written");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&script, executable).expect("set");
    std::os::unix::fs::symlink("script", sandbox.path("link")).expect("linked");
    let inspect = |options: &[&str]| {
        let mut agxrun = sandbox.agxrun();
        let output = agxrun.args(["inspect", "--json"]).args(options).output();
        printed(&format!("{options:?}"), &output.expect("agxrun starts"))
    };
    let workload = workload();
    let workload = workload.to_str().expect("text");
    vec![
        inspect(&["true"]),
        inspect(&[workload, "--quiet"]),
        inspect(&["./link", "word"]),
        inspect(&["env", "-i", "nice", "sh", "-c", "true"]),
        inspect(&["--env", "LD_PRELOAD=x", "sh", "-c", "make"]),
        inspect(&["--file", workload]),
        inspect(&["--file", "script"]),
    ]
}

pub fn findings() -> Vec<Printed> {
    let sandbox = Sandbox::new();
    vec![
        printed("as it is", &ask(&sandbox, "doctor", &[])),
        printed(
            "no folder",
            &ask(&sandbox, "doctor", &["--reports-dir", "missing"]),
        ),
        printed(
            "no library",
            &ask(&sandbox, "doctor", &["--dylib", "missing.so"]),
        ),
    ]
}

pub fn policies() -> Vec<Printed> {
    let mut agxrun = Sandbox::new().agxrun();
    let output = agxrun
        .args(["fix", "list", "--json"])
        .current_dir("/")
        .output();
    vec![printed("fix list", &output.expect("agxrun starts"))]
}

pub fn monitors() -> Vec<Printed> {
    let sandbox = Sandbox::new();
    let act = |action: &str| {
        let mut agxrun = sandbox.agxrun();
        agxrun.args([
            "monitor",
            action,
            "--archive",
            "archive",
            "--reports-dir",
            "reports",
        ]);
        // Where a folder is not there, that is told.
        agxrun.args(["--reports-dir", "missing"]);
        let output = agxrun.output().expect("agxrun starts");
        assert!(output.status.success(), "{action}: {output:?}");
    };
    let status = |what: &str| printed(what, &ask(&sandbox, "monitor status", &[]));
    let mut all = vec![status("nobody")];
    fill(&sandbox);
    act("start");
    all.push(status("running"));
    act("stop");
    all.push(status("stopped"));
    act("start");
    let archive = sandbox.path("archive").canonicalize().expect("a folder");
    let Found::Running(Some(holder)) = instance::look(&archive).expect("looked") else {
        panic!("no monitor")
    };
    let pid = i32::try_from(holder.pid).expect("a pid");
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("killed");
    let long = std::time::Duration::from_secs(30);
    assert!(instance::wait_for_end(&archive, long).expect("waited"));
    all.push(status("killed"));
    all
}
