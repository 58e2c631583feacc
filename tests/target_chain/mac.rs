//! A Mac laid out in a folder.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use agxrun::output::inspect::Answer;
use agxrun::target::image::Processor;
use agxrun::target::remedy::{Advice, advice};
use agxrun::target::rules::System;
use agxrun::target::verdict::Kind;
use agxrun::target::{FixLibrary, Inspection, Surroundings, inspect};

use crate::macho::{ARM64, ARM64E, Slice};
use crate::signature::Signature;

pub const PYTHON_3_12: &str =
    "/opt/homebrew/Cellar/python@3.12/3.12.4/Frameworks/Python.framework/Versions/3.12";

/// A Mac with Homebrew's Python, the Command Line Tools, and what the system has.
pub struct Mac {
    root: tempfile::TempDir,
    library: FixLibrary,
    variables: Vec<(OsString, OsString)>,
    folder: PathBuf,
}

impl Mac {
    pub fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let library = FixLibrary::as_built_for(System::MacOs, Processor::Arm64);
        let mut mac = Mac {
            root,
            library,
            variables: Vec::new(),
            folder: "/Users/me/project".into(),
        };
        fs::create_dir_all(mac.here("/Users/me/project")).expect("a folder");
        mac.set("PATH", "/opt/homebrew/bin:/usr/bin:/bin");
        mac.set("HOME", "/Users/me");
        for path in [
            "/bin/sh",
            "/bin/bash",
            "/usr/bin/env",
            "/usr/bin/nice",
            "/usr/bin/time",
            "/usr/bin/arch",
            "/usr/bin/caffeinate",
            "/usr/bin/xcrun",
            "/usr/bin/make",
        ] {
            mac.program(path, &of_the_system());
        }
        let stand_in = of_the_system().build();
        let (from, to) = ("/usr/lib/libSystem.B.dylib", "/usr/lib/libxcselect.dylib");
        let at = stand_in
            .windows(from.len())
            .position(|bytes| bytes == from.as_bytes())
            .expect("every program links it");
        let mut bytes = stand_in;
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        mac.file("/usr/bin/python3", &bytes);

        mac.program(
            &format!("{PYTHON_3_12}/bin/python3.12"),
            &Slice::program(ARM64),
        );
        mac.program(
            &format!("{PYTHON_3_12}/Resources/Python.app/Contents/MacOS/Python"),
            &Slice::program(ARM64),
        );
        mac.link(
            "/opt/homebrew/bin/python3",
            &format!("{PYTHON_3_12}/bin/python3.12"),
        );
        mac
    }

    pub fn here(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    pub fn file(&self, path: &str, bytes: &[u8]) {
        let here = self.here(path);
        fs::create_dir_all(here.parent().expect("a folder")).expect("a folder");
        fs::write(&here, bytes).expect("written");
        fs::set_permissions(&here, fs::Permissions::from_mode(0o755)).expect("the mode is set");
    }

    pub fn program(&self, path: &str, slice: &Slice) {
        self.file(path, &slice.build());
    }

    pub fn link(&self, path: &str, target: &str) {
        let here = self.here(path);
        fs::create_dir_all(here.parent().expect("a folder")).expect("a folder");
        symlink(target, here).expect("a link");
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.into(), value.into()));
    }

    pub fn surroundings(&self) -> Surroundings {
        Surroundings::of(
            Surroundings::mac(),
            self.root.path().to_owned(),
            self.folder.clone(),
            self.variables.clone(),
        )
    }

    pub fn inspect(&self, command: &str) -> Inspection {
        inspect(&words(command), None, &self.library, &self.surroundings())
    }

    pub fn advice(&self, command: &str) -> Vec<Advice> {
        let inspection = self.inspect(command);
        advice(
            &inspection,
            &words(command),
            &self.library,
            &self.surroundings(),
        )
    }

    pub fn text(&self, command: &str) -> String {
        let inspection = self.inspect(command);
        let answer = Answer {
            inspection: Some(&inspection),
            file: None,
            verdict: &inspection.verdict,
            library: &self.library.path,
            advice: self.advice(command),
        };
        anstream::adapter::strip_str(&answer.text()).to_string()
    }

    #[track_caller]
    pub fn expect(&self, command: &str, kind: Kind, rule: &str) -> Inspection {
        let inspection = self.inspect(command);
        let verdict = &inspection.verdict;
        assert_eq!(
            (verdict.kind, verdict.rule),
            (kind, rule),
            "{command}: {} in {inspection:#?}",
            verdict.because
        );
        inspection
    }
}

/// Apple's own: arm64e, a part of macOS.
pub fn of_the_system() -> Slice {
    Slice::program(ARM64E).signed(Signature {
        platform: 14,
        certified: true,
        ..Signature::ad_hoc(0)
    })
}

pub fn words(command: &str) -> Vec<OsString> {
    command.split(' ').map(OsString::from).collect()
}

pub fn files(inspection: &Inspection) -> Vec<&str> {
    inspection
        .steps
        .iter()
        .map(|judged| judged.step.file.to_str().expect("text"))
        .collect()
}

/// What is launched: the file and its arguments.
pub fn launched(inspection: &Inspection) -> Option<(&Path, &[OsString])> {
    let direct = inspection.direct.as_ref()?;
    let call = &inspection.steps[direct.step].step.call;
    Some((&call.program, &call.argv))
}
