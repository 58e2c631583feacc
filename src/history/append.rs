//! Appending a line: whole or not at all, by any number of processes at once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::RunLine;

/// What appending found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appended {
    /// The file ended in the middle of a line, as after a loss of power: what is there was left as a line of its own, which
    /// a reader counts as bad.
    pub was_torn: bool,
}

/// Why a run has no line in the history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The folder could not be made.
    #[error("cannot make the folder `{}`: {source} (hint: choose another file with --history FILE, or none with --no-history)", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// No room is left; the file is as it was.
    #[error("no room for this run's line in `{}`: {source} (hint: free some, or choose another file with --history FILE)", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It is a folder, a pipe or a device.
    #[error("`{}` is no regular file (hint: name one with --history FILE)", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// Other runs could not be kept out meanwhile.
    #[error("cannot lock `{}`: {source} (hint: a network share may have no locks; choose a file on a local disk with --history FILE)", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another failure.
    #[error("cannot write this run's line to `{}`: {source} (hint: check that it may be written, or choose another file with --history FILE)", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl HistoryError {
    fn write(path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::Full { path, source }
            }
            _ => Self::Write { path, source },
        }
    }
}

/// Appends a line to a history, which is made where it does not exist, its folder too.
///
/// Under a lock on the file itself, in one write: a writer that is killed has written all of it or nothing, and what a full
/// disk cut off is taken back. It is not flushed to the disk: a loss of power may cost the last seconds' runs.
///
/// # Errors
/// [`HistoryError`], naming the file and the way out; the file is then as it was.
pub fn append(path: &Path, line: &RunLine) -> Result<Appended, HistoryError> {
    let failed = |source| HistoryError::write(path, source);
    let mut text = serde_json::to_string(line).map_err(|error| failed(error.into()))?;
    text.push('\n');
    let file = locked(path, open(path)?)?;
    let size = file.metadata().map_err(failed)?.len();
    let was_torn = ends_in_a_line(&file, size).map_err(failed)?;
    if was_torn {
        text.insert(0, '\n');
    }
    match write_once(&file, text.as_bytes()) {
        Ok(()) => Ok(Appended { was_torn }),
        Err(error) => {
            // Nobody else writes while the lock is held: what is beyond the old end is ours.
            file.set_len(size).map_err(failed)?;
            Err(failed(error))
        }
    }
}

fn open(path: &Path) -> Result<File, HistoryError> {
    let opened = || {
        OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            // A pipe without a reader must not hold up the run.
            .custom_flags(libc::O_NONBLOCK)
            .open(path)
    };
    let file = match opened() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder).map_err(|source| HistoryError::Folder {
                path: folder.to_path_buf(),
                source,
            })?;
            opened()
        }
        other => other,
    };
    let not_a_file = || HistoryError::NotAFile {
        path: path.to_path_buf(),
    };
    match file {
        Ok(file) => {
            let metadata = file
                .metadata()
                .map_err(|source| HistoryError::write(path, source))?;
            metadata.is_file().then_some(file).ok_or_else(not_a_file)
        }
        Err(error) if error.kind() == ErrorKind::IsADirectory => Err(not_a_file()),
        Err(error) => Err(HistoryError::write(path, error)),
    }
}

fn locked(path: &Path, mut file: File) -> Result<Flock<File>, HistoryError> {
    loop {
        match Flock::lock(file, FlockArg::LockExclusive) {
            Ok(lock) => return Ok(lock),
            Err((returned, Errno::EINTR)) => file = returned,
            Err((_, errno)) => {
                return Err(HistoryError::Lock {
                    path: path.to_path_buf(),
                    source: errno.into(),
                });
            }
        }
    }
}

fn ends_in_a_line(file: &File, size: u64) -> io::Result<bool> {
    let Some(last) = size.checked_sub(1) else {
        return Ok(false);
    };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte != *b"\n")
}

/// One call: a line written in two could be seen, or be left, by halves.
fn write_once(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    loop {
        match file.write(bytes) {
            Ok(written) if written == bytes.len() => return Ok(()),
            // A regular file takes less than it is given only where it can take no more.
            Ok(_) => return Err(ErrorKind::StorageFull.into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::tests::line;
    use super::super::{Why, read};
    use super::*;

    fn read_all(path: &Path) -> (Vec<RunLine>, Vec<Why>) {
        let (mut lines, mut bad) = (Vec::new(), Vec::new());
        read(path, &mut |line| match line {
            Ok(line) => lines.push(line),
            Err(line) => bad.push(line.why),
        })
        .expect("readable");
        (lines, bad)
    }

    #[test]
    fn the_folder_is_made_and_lines_follow_one_another() {
        let base = tempfile::tempdir().expect("a folder");
        let path = base.path().join("crash_logs/runs.jsonl");
        for _ in 0..3 {
            assert_eq!(
                append(&path, &line()).expect("appended"),
                Appended::default()
            );
        }
        let (lines, bad) = read_all(&path);
        assert_eq!((lines.len(), bad.len()), (3, 0));
    }

    #[test]
    fn a_torn_last_line_is_left_as_one_of_its_own() {
        let base = tempfile::tempdir().expect("a folder");
        let path = base.path().join("runs.jsonl");
        append(&path, &line()).expect("appended");
        let whole = fs::read(&path).expect("readable");
        fs::write(&path, &whole[..whole.len() / 2]).expect("written");
        assert_eq!(read_all(&path), (vec![], vec![Why::Torn]));
        assert!(append(&path, &line()).expect("appended").was_torn);
        assert!(!append(&path, &line()).expect("appended").was_torn);
        let (lines, bad) = read_all(&path);
        assert_eq!(lines.len(), 2);
        assert!(matches!(bad[..], [Why::NoRun(_)]), "{bad:?}");
    }

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let base = tempfile::tempdir().expect("a folder");
        let pipe = base.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("made");
        for path in [pipe.as_path(), base.path(), Path::new("/dev/null")] {
            let refused = append(path, &line()).expect_err("no file");
            assert!(
                matches!(refused, HistoryError::NotAFile { .. }),
                "{refused}"
            );
            assert!(refused.to_string().contains("--history"), "{refused}");
        }
    }

    #[test]
    fn threads_lose_no_line() {
        let base = tempfile::tempdir().expect("a folder");
        let path = base.path().join("runs.jsonl");
        let each = 50;
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    for slot in 0..each {
                        let line = RunLine {
                            series: Some(format!("s{thread}")),
                            slot: Some(slot),
                            // Longer than what is written at once anywhere.
                            warnings: vec!["x".repeat(20_000)],
                            ..line()
                        };
                        append(path, &line).expect("appended");
                    }
                });
            }
        });
        let (lines, bad) = read_all(&path);
        assert!(bad.is_empty(), "{bad:?}");
        for thread in 0..8 {
            let series = Some(format!("s{thread}"));
            let slots: Vec<_> = lines
                .iter()
                .filter(|line| line.series == series)
                .filter_map(|line| line.slot)
                .collect();
            assert_eq!(slots, (0..each).collect::<Vec<_>>(), "in their order");
        }
    }
}
