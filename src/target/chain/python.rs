//! Python: virtual environments, and builds that execute another file in their own place.

use std::path::{Path, PathBuf};

use super::{Call, Files, Resolved};
use crate::target::rules::System;

/// Whether a program of this name is Python: `python`, `python3`, `python3.12`, `python3.13t`.
pub fn is_python(name: &str) -> bool {
    name.strip_prefix("python").is_some_and(|rest| {
        rest.trim_end_matches('t')
            .chars()
            .all(|character| character.is_ascii_digit() || character == '.')
    })
}

/// The program that a framework build executes in its own place, with the same arguments and the
/// same processor: `Resources/Python.app/Contents/MacOS/Python` beside it (CPython,
/// `Mac/Tools/pythonw.c`). `None` for every other build.
pub fn framework_program(
    call: &Call,
    resolved: &Resolved,
    files: &Files,
    system: System,
) -> Option<PathBuf> {
    if system != System::MacOs {
        return None;
    }
    let beside = |program: &Path| {
        let version = program.parent()?.parent()?;
        let inner = version.join("Resources/Python.app/Contents/MacOS/Python");
        (inner != resolved.path && files.is_file(&inner)).then_some(inner)
    };
    beside(&resolved.path).or_else(|| {
        // A virtual environment made with `--copies` holds a copy of the stub.
        let environment = VirtualEnvironment::of(call, files)?;
        beside(&environment.home?.join("python3"))
    })
}

/// A virtual environment (PEP 405): the folder with `pyvenv.cfg`.
#[derive(Debug, PartialEq, Eq)]
pub struct VirtualEnvironment {
    /// The folder.
    pub folder: PathBuf,
    /// Where the Python lies that it was made with.
    pub home: Option<PathBuf>,
}

impl VirtualEnvironment {
    /// The one that the interpreter which is called belongs to.
    pub fn of(call: &Call, files: &Files) -> Option<Self> {
        let program = call.folder.join(&call.program);
        let beside = program.parent()?;
        let folder = [Some(beside), beside.parent()]
            .into_iter()
            .flatten()
            .find(|folder| files.is_file(&folder.join(CONFIGURATION)))?;
        // An environment whose file cannot be read is one all the same.
        let text = files
            .head(&folder.join(CONFIGURATION), 16 * 1024)
            .unwrap_or_default();
        Some(Self {
            folder: folder.to_owned(),
            home: home(&String::from_utf8_lossy(&text)),
        })
    }
}

const CONFIGURATION: &str = "pyvenv.cfg";

fn home(configuration: &str) -> Option<PathBuf> {
    configuration
        .lines()
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("home"))
        .map(|(_, value)| PathBuf::from(value.trim()))
        .filter(|path| path.is_absolute())
}

/// What kind of Python is called, where that is of interest.
pub fn note(call: &Call, resolved: &Resolved, files: &Files) -> Option<String> {
    if let Some(environment) = VirtualEnvironment::of(call, files) {
        let base = match environment.home {
            Some(home) => format!(", made with the Python in `{}`", home.display()),
            None => String::new(),
        };
        return Some(format!(
            "virtual environment `{}`{base}",
            environment.folder.display()
        ));
    }
    let prefix = resolved.path.parent()?.parent()?;
    files
        .is_folder(&prefix.join("conda-meta"))
        .then(|| format!("conda environment `{}`", prefix.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_python() {
        for name in ["python", "python3", "python3.12", "python3.13t"] {
            assert!(is_python(name), "{name}");
        }
        for name in ["pythonw.app", "ipython", "python3-config", "pytest"] {
            assert!(!is_python(name), "{name}");
        }
    }

    #[test]
    fn the_base_of_a_virtual_environment() {
        let text = "home = /opt/homebrew/opt/python@3.12/bin\nversion = 3.12.1\n";
        assert_eq!(home(text), Some("/opt/homebrew/opt/python@3.12/bin".into()));
        assert_eq!(home("version = 3.12\nhome = relative\n"), None);
    }
}
