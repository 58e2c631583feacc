//! Pythons, and the frameworks in them that use Metal. Only metadata is read: importing torch takes
//! seconds and may crash.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::doctor::finding::Observation;
use crate::doctor::host::Host;
use crate::doctor::subject::Subject;
use crate::target::rules::System;

/// The current folder is taken out of the path: a `json.py` there is nobody's answer.
const QUESTION: &str = "
import sys
sys.path[:] = [place for place in sys.path if place]
import json, platform
from importlib import metadata
def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
    except Exception as error:
        return 'unreadable, ' + type(error).__name__
print(json.dumps({
    'version': platform.python_version(),
    'machine': platform.machine(),
    'prefix': sys.prefix,
    'torch': version('torch'),
    'mlx': version('mlx'),
}))
";

/// What a Python says of itself.
#[derive(Debug, Deserialize)]
struct Python {
    version: String,
    machine: String,
    prefix: String,
    torch: Option<String>,
    mlx: Option<String>,
}

pub(super) fn check(host: &dyn Host, subject: &Subject) -> Vec<Observation> {
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for path in candidates(host) {
        match examine(host, subject, &path) {
            // `python3`, `python` and shims of them are one Python where they have one prefix.
            Ok(python) => {
                if told.insert(python.prefix.clone()) {
                    found.push(judge(subject, &path, &python));
                }
            }
            Err(observation) => found.push(observation),
        }
    }
    if found.is_empty() {
        found.push(Observation::ok(
            "no python3 in PATH; a target in another language needs none",
        ));
    }
    found
}

/// Those that people start, the one that a bare `python3` is first.
fn candidates(host: &dyn Host) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = ["python3", "python"]
        .into_iter()
        .filter_map(|name| host.find(name))
        .collect();
    let environments = ["VIRTUAL_ENV", "CONDA_PREFIX"]
        .into_iter()
        .filter_map(|name| {
            let python = Path::new(host.variable(name)?).join("bin/python");
            host.exists(&python).then_some(python)
        });
    for python in environments {
        if !all.contains(&python) {
            all.push(python);
        }
    }
    all
}

/// The system's Python: a program that starts Xcode's, and drops the variable on the way.
fn is_shim(subject: &Subject, path: &Path) -> bool {
    subject.system == System::MacOs && path.starts_with("/usr/bin")
}

fn examine(host: &dyn Host, subject: &Subject, path: &Path) -> Result<Python, Observation> {
    let shown = path.display();
    // Without the developer tools, the shim opens a window that offers to install them.
    if is_shim(subject, path) {
        let tools = host.ask("/usr/bin/xcode-select", &["-p"]);
        tools.output().map_err(|reason| {
            Observation::warning(
                format!("`{shown}` is the system's shim, and `xcode-select -p` {reason}: it was not asked"),
                OWN_PYTHON,
            )
        })?;
    }
    let program = path.to_string_lossy();
    let answer = host.ask(&program, &["-c", QUESTION]);
    let said = answer.output().map_err(|reason| {
        Observation::warning(
            format!("`{shown}` {reason}"),
            format!("`{shown} -c 'import importlib.metadata'` must work (Python 3.8 or later)"),
        )
    })?;
    // What starts with Python may have printed something before.
    let last = said.trim_end().lines().last().unwrap_or_default();
    serde_json::from_str(last).map_err(|_| {
        Observation::warning(
            format!("`{shown}` answered something else than asked"),
            "look what it starts (sitecustomize, a wrapper script)",
        )
    })
}

const OWN_PYTHON: &str = "use a Python of your own: Homebrew's, python.org's, conda's or uv's, or a virtual environment of one";

fn judge(subject: &Subject, path: &Path, python: &Python) -> Observation {
    let frameworks: Vec<String> = [("torch", &python.torch), ("mlx", &python.mlx)]
        .into_iter()
        .filter_map(|(name, version)| Some(format!("{name} {}", version.as_ref()?)))
        .collect();
    let frameworks = if frameworks.is_empty() {
        "neither torch nor mlx".to_owned()
    } else {
        frameworks.join(", ")
    };
    let says = format!(
        "`{}`: Python {} ({}), {frameworks}",
        path.display(),
        python.version,
        python.machine
    );
    if is_shim(subject, path) {
        return Observation::warning(
            format!("{says}; it is the system's shim, which drops the library"),
            OWN_PYTHON,
        );
    }
    let is_apple_silicon = subject.processor == "aarch64";
    if subject.system == System::MacOs && is_apple_silicon && python.machine != "arm64" {
        return Observation::warning(
            format!("{says}; it runs under Rosetta, where an arm64 library ends it"),
            "install a Python for arm64",
        );
    }
    Observation::ok(says)
}
