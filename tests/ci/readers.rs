//! JUnit XML read back by other people's programs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::common::in_repository;

/// A document as it is read back.
pub struct Document {
    /// What both readers find.
    pub read: Value,
    /// What the schema says against it; `None` where there is no validator here.
    pub flaws: Option<Vec<String>>,
}

/// Reads a file; both readers must find the same.
#[track_caller]
pub fn read(file: &Path) -> Document {
    let mut python = Command::new("python3");
    if let Some(packages) = packages() {
        python.env("PYTHONPATH", packages);
    }
    let output = python
        .arg(in_repository("tests/ci/read_junit.py"))
        .arg(file)
        .arg(in_repository("tests/data/junit/junit-10.xsd"))
        .output()
        .expect("python3 starts");
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        std::fs::read_to_string(file).expect("the document")
    );
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let read = told["etree"].clone();
    if !told["junitparser"].is_null() {
        assert_eq!(told["junitparser"]["suites"], read["suites"]);
        assert_eq!(told["junitparser"]["counts"], read["counts"]);
    }
    let flaws = told["schema"].as_array().map(|flaws| {
        let texts = flaws.iter().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    });
    Document { read, flaws }
}

/// The same, which must be valid and add up.
#[track_caller]
pub fn read_valid(file: &Path) -> Value {
    let Document { read, flaws } = read(file);
    if let Some(flaws) = flaws {
        assert_eq!(flaws, [""; 0], "{}", file.display());
    }
    for suite in read["suites"].as_array().expect("suites") {
        let cases = suite["cases"].as_array().expect("cases");
        let with = |tag: &str| {
            let has = |case: &&Value| case["results"][0]["tag"] == tag;
            cases.iter().filter(has).count()
        };
        assert_eq!(suite["counts"]["tests"], cases.len());
        assert_eq!(suite["counts"]["failures"], with("failure"));
        assert_eq!(suite["counts"]["errors"], with("error"));
        assert_eq!(suite["counts"]["skipped"], with("skipped"));
    }
    read
}

/// The packages of requirements.txt, got once into the target folder. They are wheels of pure Python, known by their
/// hashes. `None` where PyPI cannot be reached: then the standard library reads alone.
fn packages() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER.get_or_init(install).as_deref()
}

fn install() -> Option<PathBuf> {
    let requirements = in_repository("tests/ci/requirements.txt");
    let text = std::fs::read(&requirements).expect("requirements.txt");
    let sum: u64 = text.iter().fold(0, |sum, byte| {
        sum.wrapping_mul(0x0100_0000_01b3) ^ u64::from(*byte)
    });
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("junit-readers-{sum:016x}"));
    if folder.is_dir() {
        return Some(folder);
    }
    // It appears by a rename, whole or not at all: two runs of the tests may ask at once.
    let making = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let output = Command::new("python3")
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(["--no-input", "--no-deps", "--only-binary", ":all:"])
        .args(["--require-hashes", "--target"])
        .arg(making.path().join("packages"))
        .arg("--requirement")
        .arg(&requirements)
        .output()
        .expect("python3 starts");
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(!why.contains("HASHES"), "{why}");
        eprintln!("left out: junitparser and the schema (pip cannot get them: {why})");
        return None;
    }
    match std::fs::rename(making.path().join("packages"), &folder) {
        Ok(()) => {}
        // Somebody else was first.
        Err(_) if folder.is_dir() => {}
        Err(error) => panic!("{}: {error}", folder.display()),
    }
    Some(folder)
}
