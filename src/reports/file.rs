//! Reading one report file.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
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

/// How far into a file its header line is looked for, in bytes.
const HEADER_LIMIT: usize = 16 * 1024;

/// Reads one report file. One that holds a sample of every thread is read a piece at a time, and is
/// never in memory as a whole.
///
/// # Errors
/// See [`FileError`]. A report with odd parts is no error: see [`Report::problems`].
pub fn read_file(path: &Path) -> Result<Report, FileError> {
    let io = |source| FileError::Io {
        path: path.to_path_buf(),
        source,
    };
    let (file, before) = open(path)?;
    if let Some(report) = read_streamed(&file, &before).map_err(io)? {
        let after = file.metadata().map_err(io)?;
        return if state(&before) == state(&after) {
            Ok(report)
        } else {
            Err(FileError::StillBeingWritten {
                path: path.to_path_buf(),
            })
        };
    }
    let bytes = read_whole(path, &file, &before)?;
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
    let (file, before) = open(path)?;
    read_whole(path, &file, &before)
}

/// Opens a file that may be a report.
fn open(path: &Path) -> Result<(File, Metadata), FileError> {
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
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(FileError::NotAFile {
            path: path.to_path_buf(),
        });
    }
    if metadata.size() > SIZE_LIMIT {
        return Err(FileError::TooLarge {
            path: path.to_path_buf(),
            size: metadata.size(),
        });
    }
    Ok((file, metadata))
}

fn read_whole(path: &Path, file: &File, before: &Metadata) -> Result<Vec<u8>, FileError> {
    let io = |source| FileError::Io {
        path: path.to_path_buf(),
        source,
    };
    let bytes = read_up_to_limit(file, before).map_err(io)?;
    let after = file.metadata().map_err(io)?;
    let at_rest = bytes.len() as u64 == before.size() && state(before) == state(&after);
    if at_rest {
        Ok(bytes)
    } else {
        Err(FileError::StillBeingWritten {
            path: path.to_path_buf(),
        })
    }
}

/// Reads a report whose kind holds a sample of every thread; `None` where the file is another, and
/// is then as it was.
fn read_streamed(file: &File, metadata: &Metadata) -> io::Result<Option<Report>> {
    let mut start = vec![0; HEADER_LIMIT];
    let mut filled = 0;
    while let Some(room) = start.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read_at(room, filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let start = start.get(..filled).unwrap_or_default();
    let Some((header, body)) = ips::split_header(start) else {
        return Ok(None);
    };
    let rest = At {
        file,
        offset: body as u64,
        end: metadata.size(),
    };
    ips::read_streamed(header, rest, body)
}

/// A file from a place to an end, without moving the file's own place.
struct At<'a> {
    file: &'a File,
    offset: u64,
    end: u64,
}

impl Read for At<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // What was added since counts as a change, not as content.
        let left = usize::try_from(self.end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let length = left.min(into.len());
        let room = into.get_mut(..length).unwrap_or_default();
        let count = self.file.read_at(room, self.offset)?;
        self.offset += count as u64;
        Ok(count)
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
    file.take(HEADER_LIMIT as u64)
        .read_to_end(&mut start)
        .map_err(io)?;
    if let Some(header) = ips::read_header(&start)
        && header.incident.is_some()
    {
        return Ok(header.incident);
    }
    Ok(read_file(path)?.header.incident)
}
