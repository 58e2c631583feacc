//! Who may read the files that options name: whoever the user's mask allows, as with any program's output.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::common::Sandbox;

/// `agxrun OPTIONS` under a mask.
fn under(mask: &str, sandbox: &Sandbox, options: &[&str]) {
    let agxrun = sandbox.agxrun();
    let mut sh = Command::new("sh");
    sh.args(["-c", &format!("umask {mask}; exec \"$@\""), "sh"])
        .arg(agxrun.get_program())
        .args(options)
        .current_dir(sandbox.root.path());
    for (name, value) in agxrun.get_envs() {
        match value {
            Some(value) => sh.env(name, value),
            None => sh.env_remove(name),
        };
    }
    let output = sh.output().expect("sh starts");
    assert!(output.status.success(), "{output:?}");
}

#[track_caller]
fn assert_mode(path: &Path, expected: u32) {
    let metadata = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mode = metadata.permissions().mode() & 0o777;
    assert_eq!(mode, expected, "{}: {mode:o}", path.display());
}

#[test]
fn the_mask_decides_who_may_read_what_is_written() {
    let sandbox = Sandbox::new();
    let folders = ["--reports-dir", "reports", "--archive", "archive"];
    for (mask, mode) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        let name = |name: &str| format!("{mask}-{name}");
        let (json, junit) = (name("run.json"), name("junit.xml"));
        let run = ["run", "--json", &json, "--junit", &junit];
        under(
            mask,
            &sandbox,
            &[&run[..], &folders, &["--", "true"]].concat(),
        );
        let snapshot = name("snapshot.json");
        under(
            mask,
            &sandbox,
            &[&["snapshot", "-o", &snapshot][..], &folders].concat(),
        );
        let page = name("page.html");
        under(
            mask,
            &sandbox,
            &[&["report", "-o", &page][..], &folders].concat(),
        );
        for file in [json, junit, snapshot, page] {
            assert_mode(&sandbox.path(&file), mode);
        }
    }
}

#[test]
fn a_file_that_was_there_keeps_its_readers() {
    let sandbox = Sandbox::new();
    let json = sandbox.path("verdict.json");
    fs::write(&json, "old").expect("written");
    fs::set_permissions(&json, Permissions::from_mode(0o640)).expect("set");
    sandbox.run(&[], &["true"]).assert_code(0);
    assert_mode(&json, 0o640);
}
