//! The history end to end: what runs write, and what `agxrun history` says of it.

#[path = "../common/mod.rs"]
mod common;

mod documented;
mod kinds;
mod questions;
mod written;

use std::path::Path;

use agxrun::history::{BadLine, RunLine, read};

/// The runs in a history.
fn lines(path: &Path) -> Vec<RunLine> {
    let (lines, bad) = lines_and_bad(path);
    assert!(bad.is_empty(), "{bad:?}");
    lines
}

fn lines_and_bad(path: &Path) -> (Vec<RunLine>, Vec<BadLine>) {
    let (mut lines, mut bad) = (Vec::new(), Vec::new());
    read(path, &mut |line| match line {
        Ok(line) => lines.push(line),
        Err(line) => bad.push(line),
    })
    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (lines, bad)
}

/// The history of a sandbox's runs.
fn history(sandbox: &common::Sandbox) -> std::path::PathBuf {
    sandbox.path("archive/runs.jsonl")
}

/// The only run in it.
fn only(sandbox: &common::Sandbox) -> RunLine {
    let mut lines = lines(&history(sandbox));
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}
