//! The machine, as the checks see it.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::statvfs::statvfs;

use super::command::{Answer, LIMIT, ask};
use crate::inject::platform::{INSERT_COPIES, INSERT_VARIABLE};

/// What a check may ask. Every answer comes within a limit, or is none.
pub trait Host: Sync {
    /// Runs a program with these arguments: an absolute path, or a name that is looked for in
    /// `$PATH`.
    fn ask(&self, program: &str, arguments: &[&str]) -> Answer;
    /// The text of a small file of the system.
    fn text(&self, path: &str) -> io::Result<String>;
    /// The program of this name in `$PATH`.
    fn find(&self, name: &str) -> Option<PathBuf>;
    /// Whether a file, folder or link is there.
    fn exists(&self, path: &Path) -> bool;
    /// The environment; what is no text is replaced.
    fn variables(&self) -> &BTreeMap<String, String>;
    /// Bytes that this user may still write where `folder` is, or will be.
    fn room(&self, folder: &Path) -> io::Result<u64>;
    /// This process's real user.
    fn user(&self) -> u32;

    /// A variable that is set and not empty.
    fn variable(&self, name: &str) -> Option<&str> {
        let value = self.variables().get(name)?;
        (!value.is_empty()).then_some(value.as_str())
    }
}

/// The machine on which this runs.
#[derive(Debug)]
pub struct ThisHost {
    variables: BTreeMap<String, String>,
}

impl ThisHost {
    /// With this process's environment.
    pub fn current() -> Self {
        let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
        Self {
            variables: std::env::vars_os()
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
        }
    }
}

/// How much is read of a file of the system, in bytes.
const TEXT_LIMIT: u64 = 64 * 1024;

impl Host for ThisHost {
    fn ask(&self, program: &str, arguments: &[&str]) -> Answer {
        let mut command = Command::new(program);
        command.args(arguments);
        // A library that is broken there would break every answer; it has a check of its own.
        for name in std::iter::once(&INSERT_VARIABLE).chain(INSERT_COPIES) {
            command.env_remove(name);
        }
        ask(command, LIMIT)
    }

    fn text(&self, path: &str) -> io::Result<String> {
        let mut text = Vec::new();
        std::fs::File::open(path)?
            .take(TEXT_LIMIT)
            .read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        // Why it cannot be found makes no difference here.
        which::which(name).ok()
    }

    fn exists(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok()
    }

    fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    fn room(&self, folder: &Path) -> io::Result<u64> {
        let there = folder
            .ancestors()
            .find(|ancestor| ancestor.exists())
            .ok_or(io::ErrorKind::NotFound)?;
        let volume = statvfs(there)?;
        // Block counts have 32 bits on macOS and 64 on Linux.
        #[allow(clippy::useless_conversion)]
        Ok(u64::from(volume.blocks_available()).saturating_mul(volume.fragment_size().into()))
    }

    fn user(&self) -> u32 {
        nix::unistd::getuid().as_raw()
    }
}
