//! Reading one report file.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::ips;
use super::model::Report;
use super::problem::ReadError;

/// The largest file that is read, in bytes. The largest report seen, a stackshot, has 1.5 MB;
/// stackshots of large machines reach a few tens.
pub const SIZE_LIMIT: u64 = 64 * 1024 * 1024;

/// Why a report file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system refused.
    #[error("cannot read the report `{}`: {source} (check that the file may be read)", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Not a regular file.
    #[error("`{}` is not a regular file, so it is not read as a report", path.display())]
    NotAFile {
        /// Which one.
        path: PathBuf,
    },
    /// Larger than any report.
    #[error(
        "the report `{}` has {size} bytes, more than the {SIZE_LIMIT} that are read (move it away \
         if it is no report)",
        path.display()
    )]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// It changed while it was read. The caller may try again when it is at rest.
    #[error("the report `{}` is still being written (read it again when it is complete)", path.display())]
    StillBeingWritten {
        /// Which file.
        path: PathBuf,
    },
    /// It holds no report.
    #[error("`{}`: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: ReadError,
    },
}

impl FileError {
    /// Whether reading again later may succeed.
    ///
    /// A file that is gone since it was listed has most often been moved to `Retired`: another
    /// listing finds it there.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::StillBeingWritten { .. } => true,
            Self::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::NotAFile { .. } | Self::TooLarge { .. } | Self::Unreadable { .. } => false,
        }
    }
}

/// Reads one report file.
///
/// # Errors
/// See [`FileError`]. A report with odd parts is no error: see [`Report::problems`].
pub fn read_file(path: &Path) -> Result<Report, FileError> {
    let bytes = read_bytes(path)?;
    ips::read(&bytes).map_err(|source| FileError::Unreadable {
        path: path.to_path_buf(),
        source,
    })
}

/// Reads the bytes of one report file, whole and at rest.
///
/// # Errors
/// As [`read_file`], but for [`FileError::Unreadable`].
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    let io = |source| FileError::Io {
        path: path.to_path_buf(),
        source,
    };
    // A pipe that somebody put there must not block us before we can see that it is one.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)
        .map_err(io)?;
    let before = file.metadata().map_err(io)?;
    if !before.is_file() {
        return Err(FileError::NotAFile {
            path: path.to_path_buf(),
        });
    }
    if before.size() > SIZE_LIMIT {
        return Err(FileError::TooLarge {
            path: path.to_path_buf(),
            size: before.size(),
        });
    }
    let bytes = read_up_to_limit(&file, &before).map_err(io)?;
    let after = file.metadata().map_err(io)?;
    let at_rest = bytes.len() as u64 == before.size() && state(&before) == state(&after);
    if at_rest {
        Ok(bytes)
    } else {
        Err(FileError::StillBeingWritten {
            path: path.to_path_buf(),
        })
    }
}

/// Reads one byte more than expected, so that growth is seen, and never more than the limit.
fn read_up_to_limit(file: &File, metadata: &Metadata) -> io::Result<Vec<u8>> {
    let expected = metadata.size().min(SIZE_LIMIT);
    let capacity = usize::try_from(expected + 1).map_err(io::Error::other)?;
    let mut bytes = Vec::with_capacity(capacity);
    file.take(expected + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn state(metadata: &Metadata) -> (u64, i64, i64) {
    (metadata.size(), metadata.mtime(), metadata.mtime_nsec())
}

/// The incident id of a report, read from its header line alone where that gives it.
///
/// # Errors
/// As [`read_file`].
pub fn incident_of(path: &Path) -> Result<Option<String>, FileError> {
    const HEADER_LIMIT: u64 = 16 * 1024;
    let io = |source| FileError::Io {
        path: path.to_path_buf(),
        source,
    };
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)
        .map_err(io)?;
    if !file.metadata().map_err(io)?.is_file() {
        return Err(FileError::NotAFile {
            path: path.to_path_buf(),
        });
    }
    let mut start = Vec::new();
    file.take(HEADER_LIMIT)
        .read_to_end(&mut start)
        .map_err(io)?;
    if let Some(header) = ips::read_header(&start)
        && header.incident.is_some()
    {
        return Ok(header.incident);
    }
    Ok(read_file(path)?.header.incident)
}
