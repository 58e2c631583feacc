//! The monitor: a process that keeps a copy of every report, whether or not a run is on.
//!
//! The system removes its own reports after a while. One monitor serves one archive; which one, and
//! since when, stands in a locked file in it ([`instance`]). What it did stands in the user's state
//! folder ([`status`], [`log`]), so that a full or lost archive can still be told of.

use std::path::{Path, PathBuf};

use crate::reports::ReportFolder;

pub mod instance;
pub mod keeper;
pub mod launchd;
pub mod log;
pub mod serve;
pub mod start;
pub mod status;

mod kept;

/// What a monitor serves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where reports appear.
    pub folders: Vec<ReportFolder>,
    /// Where copies go: absolute.
    pub archive: PathBuf,
    /// Where state and log of this archive's monitor are.
    pub state: PathBuf,
}

impl Settings {
    /// The folder for state and log of an archive's monitor, below the user's state folder.
    pub fn state_of(archive: &Path, state_folder: &Path) -> PathBuf {
        // One archive is one archive by whatever path it is named; one that does not exist yet
        // will be made under this very path.
        let real = std::fs::canonicalize(archive).unwrap_or_else(|_| archive.to_path_buf());
        state_folder.join("monitor").join(name_of(&real))
    }
}

/// A short name for an archive, the same in every release: FNV-1a (RFC 9923) of its path.
pub fn name_of(archive: &Path) -> String {
    let bytes = archive.as_os_str().as_encoded_bytes();
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_archive_is_its_hash() {
        // The algorithm's published test vectors.
        assert_eq!(name_of(Path::new("")), "cbf29ce484222325");
        assert_eq!(name_of(Path::new("foobar")), "85944171f73967e8");
    }

    #[test]
    fn two_paths_to_one_archive_are_one_monitor() {
        let base = tempfile::tempdir().expect("a folder");
        let archive = base.path().join("crash_logs");
        std::fs::create_dir(&archive).expect("made");
        let link = base.path().join("link");
        std::os::unix::fs::symlink(&archive, &link).expect("linked");
        let state = |path: &Path| Settings::state_of(path, Path::new("/state"));
        assert_eq!(state(&archive), state(&link));
    }
}
