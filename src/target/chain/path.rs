//! Finding a command as `execvp` does.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Files;
use crate::target::rules::System;

/// The file that `name` stands for: itself with a slash in it, else the first executable of that
/// name in `list`, a value of `PATH`. `None` where there is none.
///
/// Without a `PATH`, the C library's own list is searched (macOS, `_PATH_DEFPATH` in `paths.h`;
/// glibc, `confstr(_CS_PATH)`). An empty entry is the working directory.
pub fn search(
    name: &OsStr,
    list: Option<&OsStr>,
    files: &Files,
    folder: &Path,
    system: System,
) -> Option<PathBuf> {
    if name.is_empty() {
        return None;
    }
    if name.as_bytes().contains(&b'/') {
        let path = PathBuf::from(name);
        return files.is_executable(&path, folder).then_some(path);
    }
    let list = list.unwrap_or(OsStr::new(match system {
        System::MacOs => "/usr/bin:/bin",
        System::Linux => "/bin:/usr/bin",
    }));
    every(name, list).find(|path| files.is_executable(path, folder))
}

/// Where `list` has a place for `name`, in order.
pub fn every<'a>(name: &'a OsStr, list: &'a OsStr) -> impl Iterator<Item = PathBuf> + 'a {
    std::env::split_paths(list).map(move |entry| {
        let entry = if entry.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            entry
        };
        entry.join(name)
    })
}
