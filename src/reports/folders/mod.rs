//! Where reports appear.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

pub mod linux;
pub mod macos;

#[cfg(target_os = "linux")]
pub use linux::default_folders;
#[cfg(target_os = "macos")]
pub use macos::default_folders;

/// A folder that reports are written to, with its `Retired` folder below it: the system moves
/// reports there, sometimes within a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFolder {
    /// The folder itself.
    pub path: PathBuf,
}

impl ReportFolder {
    /// The folder at a path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where reports of this folder are moved to.
    pub fn retired(&self) -> PathBuf {
        self.path.join("Retired")
    }
}

/// The part of the environment that decides where the default folders are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Environment<'a> {
    /// `$HOME`, or the user's home by the system's records.
    pub home: Option<&'a OsStr>,
    /// `$XDG_STATE_HOME`.
    pub state_home: Option<&'a OsStr>,
}

/// Extensions of files that tell of a crash.
///
/// `.spin`, `.hang`, `.diag` and `.shutdownStall` stand in the same folders on a Mac; they tell of
/// processes that were slow and live on, and would fail a run for nothing.
const REPORT_EXTENSIONS: [&str; 2] = ["ips", "crash"];

/// Whether a file name is that of a finished report: a report's extension, and not hidden.
pub fn is_report_name(name: &OsStr) -> bool {
    !is_hidden(name)
        && Path::new(name)
            .extension()
            .is_some_and(|extension| REPORT_EXTENSIONS.iter().any(|known| extension == *known))
}

/// Whether a file name is that of a report still being written: hidden, with a report's extension
/// somewhere in it, as random letters may follow (`.Python-2026-01-02-030405.ips.Xy12`).
pub fn is_pending_name(name: &OsStr) -> bool {
    let Some(text) = name.to_str() else {
        return false;
    };
    text.starts_with('.')
        && text
            .split('.')
            .skip(2)
            .any(|part| REPORT_EXTENSIONS.contains(&part))
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        for (name, report, pending) in [
            ("Python-2026-01-02-030405.ips", true, false),
            ("Python-2026-01-02-030405.000.ips", true, false),
            ("Python_2026-01-02-030405_mac.crash", true, false),
            (".Python-2026-01-02-030405.ips", false, true),
            (".Python-2026-01-02-030405.ips.Xy12", false, true),
            (".DS_Store", false, false),
            (".ips", false, false),
            ("ips", false, false),
            ("Python.cpu_resource.diag", false, false),
            ("Xcode_2026.hang", false, false),
            ("notes.txt", false, false),
        ] {
            assert_eq!(
                is_report_name(OsStr::new(name)),
                report,
                "{name} as a report"
            );
            assert_eq!(
                is_pending_name(OsStr::new(name)),
                pending,
                "{name} as pending"
            );
        }
    }
}
