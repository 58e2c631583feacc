//! Keeping reports: the system removes its own after a while, and at most 25 of each process stand
//! in its folder. `crash_summary.json` beside the copies lists them.

use std::io;
use std::path::{Path, PathBuf};

mod clean;
mod copy;
mod entry;
mod merge;
mod summary;
mod sync;

pub use clean::{Cleaned, Plan, Removable, plan, remove};
pub use copy::{Archived, Store};
pub use entry::{Entry, Info};
pub use summary::{Recorded, SUMMARY_NAME, record};
pub use sync::{Synced, note_gone, sync};

/// Why a report or the summary could not be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The archive folder could not be made.
    #[error(
        "cannot make the archive folder `{}`: {source} (choose another one with `--archive`)",
        path.display()
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// No room is left.
    #[error(
        "no room to write `{}`: {source} (free some, or choose another folder with `--archive`; \
         the report itself stays where the system wrote it)",
        path.display()
    )]
    Full {
        /// The file that was being written.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another failure to write.
    #[error(
        "cannot write `{}`: {source} (check that the folder may be written, or choose another one \
         with `--archive`)",
        path.display()
    )]
    Write {
        /// The file that was being written.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The summary exists and cannot be read.
    #[error("cannot read `{}`: {source} (check that it may be read)", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The system's own reports are not ours to remove.
    #[error(
        "`{}` is a folder of the system's reports, from which nothing is removed (name the archive \
         of copies with `--archive`)",
        path.display()
    )]
    System {
        /// The folder.
        path: PathBuf,
    },
}

impl ArchiveError {
    fn write(path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full { path, source }
            }
            _ => Self::Write { path, source },
        }
    }
}
