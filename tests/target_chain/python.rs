//! Pythons of every kind, and the scripts that stand in for one.

use std::path::Path;

use agxrun::target::chain::End;
use agxrun::target::verdict::Kind::{Arrives, Stripped};

use crate::mac::{Mac, PYTHON_3_12, files, launched, of_the_system, words};
use crate::macho::{ARM64, Slice};
use crate::signature::{RUNTIME, Signature};

#[test]
fn a_framework_python_executes_the_program_in_its_application() {
    let mac = Mac::new();
    let inspection = mac.expect("python3 train.py", Arrives, "arrives");
    assert_eq!(
        files(&inspection),
        [
            format!("{PYTHON_3_12}/bin/python3.12"),
            format!("{PYTHON_3_12}/Resources/Python.app/Contents/MacOS/Python"),
        ]
    );
    assert_eq!(
        inspection.steps[0].step.links,
        [Path::new("/opt/homebrew/bin/python3")]
    );
    // Only the application's program has the hardened runtime, as in python.org's builds.
    let inner = format!("{PYTHON_3_12}/Resources/Python.app/Contents/MacOS/Python");
    mac.program(
        &inner,
        &Slice::program(ARM64).signed(Signature::developer(RUNTIME)),
    );
    let inspection = mac.expect("python3 train.py", Stripped, "hardened-runtime");
    assert_eq!(inspection.verdict.file, Path::new(&inner));
}

#[test]
fn a_virtual_environment_leads_to_the_python_that_made_it() {
    let mac = Mac::new();
    mac.link("/Users/me/venv/bin/python", "/opt/homebrew/bin/python3");
    let configuration = "home = /opt/homebrew/opt/python@3.12/bin\n";
    mac.file("/Users/me/venv/pyvenv.cfg", configuration.as_bytes());
    let inspection = mac.expect("/Users/me/venv/bin/python -c pass", Arrives, "arrives");
    assert_eq!(inspection.steps.len(), 2);
    let note = inspection.steps[0].step.note.as_deref();
    assert!(
        note.is_some_and(|note| note.contains("`/Users/me/venv`")),
        "{note:?}"
    );

    // Made with --copies: the copy knows its application only by its environment's file.
    mac.program("/Users/me/copies/bin/python", &Slice::program(ARM64));
    mac.link("/opt/homebrew/opt/python@3.12", PYTHON_3_12);
    mac.file(
        "/Users/me/copies/pyvenv.cfg",
        format!("home = {PYTHON_3_12}/bin\n").as_bytes(),
    );
    let inspection = mac.expect("/Users/me/copies/bin/python", Arrives, "arrives");
    assert_eq!(inspection.steps.len(), 2);

    // What the virtual environment's scripts name in their first line is no shim of the system's.
    mac.file(
        "/Users/me/venv/bin/pytest",
        b"#!/Users/me/venv/bin/python\n",
    );
    let inspection = mac.expect("/Users/me/venv/bin/pytest -x", Arrives, "arrives");
    assert!(inspection.direct.is_none());
    assert_eq!(
        inspection.steps[1].step.call.argv,
        words("/Users/me/venv/bin/python /Users/me/venv/bin/pytest -x")
    );
}

#[test]
fn a_script_of_pip_whose_interpreter_has_a_blank_in_its_path() {
    let mac = Mac::new();
    mac.program("/Users/me/my venv/bin/python", &Slice::program(ARM64));
    mac.file(
        "/Users/me/bin/pytest",
        b"#!/bin/sh\n'''exec' \"/Users/me/my venv/bin/python\" \"$0\" \"$@\"\n' '''\n",
    );
    let inspection = mac.expect("/Users/me/bin/pytest -x", Stripped, "sip");
    assert_eq!(
        files(&inspection).last(),
        Some(&"/Users/me/my venv/bin/python")
    );
    assert_eq!(
        mac.advice("/Users/me/bin/pytest -x")[0].commands,
        ["agxrun -- '/Users/me/my venv/bin/python' /Users/me/bin/pytest -x"]
    );
}

#[test]
fn the_systems_python_stands_in_for_the_developer_tools() {
    let mac = Mac::new();
    mac.program(
        "/Library/Developer/CommandLineTools/usr/bin/python3",
        &of_the_system(),
    );
    for command in ["/usr/bin/python3 a.py", "xcrun --sdk macosx python3 a.py"] {
        let inspection = mac.expect(command, Stripped, "sip");
        assert_eq!(
            files(&inspection)[1],
            "/Library/Developer/CommandLineTools/usr/bin/python3"
        );
    }
    // Homebrew's is offered instead.
    let advice = mac.advice("/usr/bin/python3 a.py");
    assert_eq!(
        advice[0].commands,
        ["agxrun -- /opt/homebrew/bin/python3 a.py"],
        "{advice:?}"
    );
    let last = advice.last().expect("some");
    assert_eq!(
        last.commands,
        ["agxrun --allow-uninjected -- /usr/bin/python3 a.py"]
    );
}

const PYENV_SHIM: &str = "#!/usr/bin/env bash\nset -e\nprogram=\"${0##*/}\"\n\
    export PYENV_ROOT=\"/Users/me/.pyenv\"\nexec \"/opt/homebrew/bin/pyenv\" exec \"$program\" \"$@\"\n";

#[test]
fn pyenvs_shim_is_followed_to_the_version_that_it_chooses() {
    let mut mac = Mac::new();
    mac.set(
        "PATH",
        "/Users/me/.pyenv/shims:/opt/homebrew/bin:/usr/bin:/bin",
    );
    mac.file("/Users/me/.pyenv/shims/python", PYENV_SHIM.as_bytes());
    let program = |version: &str| format!("/Users/me/.pyenv/versions/{version}/bin/python");
    for version in ["3.9.1", "3.12.2", "3.12.10"] {
        mac.program(&program(version), &Slice::program(ARM64));
    }
    let last = |mac: &Mac| {
        files(&mac.inspect("python train.py"))
            .last()
            .map(ToString::to_string)
    };
    mac.file("/Users/me/.pyenv/version", b"3.9.1\n");
    assert_eq!(last(&mac), Some(program("3.9.1")));
    // The nearest file beats the global one, and a prefix stands for its highest version.
    mac.file("/Users/me/.python-version", b"# ours\n3.12\n");
    assert_eq!(last(&mac), Some(program("3.12.10")));
    // `env` and the system's bash drop the library on the way, so the program itself is offered.
    let inspection = mac.expect("python train.py", Stripped, "sip");
    assert_eq!(inspection.steps.len(), 4);
    assert_eq!(
        mac.advice("python train.py")[0].commands,
        [format!("agxrun -- {} train.py", program("3.12.10"))]
    );
    // The variable beats all files; a version that is not there leads nowhere.
    mac.set("PYENV_VERSION", "3.7.0");
    let inspection = mac.inspect("python train.py");
    assert!(
        matches!(&inspection.end, End::Unseen(why) if why.contains("PYENV_VERSION")),
        "{:?}",
        inspection.end
    );
}

#[test]
fn asdfs_shim_is_followed_to_the_version_that_it_chooses() {
    let mut mac = Mac::new();
    mac.set(
        "PATH",
        "/Users/me/.asdf/shims:/opt/homebrew/bin:/usr/bin:/bin",
    );
    mac.program("/opt/homebrew/bin/bash", &Slice::program(ARM64));
    mac.file(
        "/Users/me/.asdf/shims/python",
        b"#!/usr/bin/env bash\n# asdf-plugin: python 3.12.1\nexec asdf exec \"python\" \"$@\"\n",
    );
    let program = "/Users/me/.asdf/installs/python/3.12.1/bin/python";
    mac.program(program, &Slice::program(ARM64));
    mac.file(
        "/Users/me/project/.tool-versions",
        b"nodejs 20\npython 3.12.1\n",
    );
    // Homebrew's bash keeps the variable, and `env` is passed over.
    let inspection = mac.expect("python train.py", Arrives, "arrives");
    assert_eq!(files(&inspection).last(), Some(&program));
    let (launched, _) = launched(&inspection).expect("`env` is passed over");
    assert_eq!(launched, Path::new("/opt/homebrew/bin/bash"));
}
