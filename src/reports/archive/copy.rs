//! Copies of reports, each written whole or not at all.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;
use tempfile::NamedTempFile;

use super::ArchiveError;

/// A report in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// Where it is.
    pub path: PathBuf,
    /// Whether the same content was there already.
    pub already: bool,
}

/// An archive folder and what stood in it when it was opened: listed once, however many reports
/// are stored.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    /// Files of the archive by the original name of the report.
    known: HashMap<OsString, Vec<PathBuf>>,
}

impl Store {
    /// Opens the archive, which is made where it does not exist.
    ///
    /// # Errors
    /// [`ArchiveError`], naming the folder and the way out.
    pub fn open(folder: &Path) -> Result<Self, ArchiveError> {
        fs::create_dir_all(folder).map_err(|source| ArchiveError::Folder {
            path: folder.to_path_buf(),
            source,
        })?;
        let read = |source| ArchiveError::Read {
            path: folder.to_path_buf(),
            source,
        };
        let mut known: HashMap<OsString, Vec<PathBuf>> = HashMap::new();
        for entry in fs::read_dir(folder).map_err(read)? {
            let name = entry.map_err(read)?.file_name();
            if let Some(original) = original_name(&name) {
                let path = folder.join(&name);
                known.entry(original.to_owned()).or_default().push(path);
            }
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            known,
        })
    }

    /// Keeps the bytes of a report as `<YYYYmmdd_HHMMSS>_<original name>`, `stamp` being the local
    /// time of archiving. Another content under that name is never overwritten: `_2` and so on is
    /// put before the extension. The same content under the same original name is kept once.
    ///
    /// # Errors
    /// [`ArchiveError`], naming the file and the way out; nothing partial is left behind.
    pub fn store(
        &mut self,
        original_name: &OsStr,
        bytes: &[u8],
        stamp: NaiveDateTime,
    ) -> Result<Archived, ArchiveError> {
        let known = self.known.get(original_name).into_iter().flatten();
        if let Some(path) = known.into_iter().find(|path| holds(path, bytes)) {
            return Ok(Archived {
                path: path.clone(),
                already: true,
            });
        }
        let archived = write_new(&self.folder, original_name, bytes, stamp)?;
        self.known
            .entry(original_name.to_owned())
            .or_default()
            .push(archived.path.clone());
        Ok(archived)
    }
}

fn write_new(
    folder: &Path,
    original_name: &OsStr,
    bytes: &[u8],
    stamp: NaiveDateTime,
) -> Result<Archived, ArchiveError> {
    let mut name = OsString::from(stamp.format("%Y%m%d_%H%M%S_").to_string());
    name.push(original_name);
    let target = folder.join(&name);
    let mut temporary =
        write_temporary(folder, bytes).map_err(|source| ArchiveError::write(&target, source))?;
    for attempt in 1_u32.. {
        let path = numbered(&target, attempt);
        match temporary.persist_noclobber(&path) {
            Ok(_) => {
                sync_folder(folder).map_err(|source| ArchiveError::write(&path, source))?;
                return Ok(Archived {
                    path,
                    already: false,
                });
            }
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                if holds(&path, bytes) {
                    return Ok(Archived {
                        path,
                        already: true,
                    });
                }
                temporary = error.file;
            }
            Err(error) => return Err(ArchiveError::write(&path, error.error)),
        }
    }
    Err(ArchiveError::write(
        &target,
        io::Error::from(ErrorKind::AlreadyExists),
    ))
}

/// A hidden file in the folder, so that a rename finishes it; flushed to the disk.
fn write_temporary(folder: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut temporary = temporary(folder, ".archiving-")?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

/// A hidden file in the folder that may be read by whoever the user's mask allows: by default
/// temporary files are for their owner alone, and this one will stay.
pub(super) fn temporary(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(prefix)
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
}

/// Makes a rename in the folder last through a loss of power.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// `name.ips`, `name_2.ips`, `name_3.ips` ...
fn numbered(target: &Path, attempt: u32) -> PathBuf {
    if attempt == 1 {
        return target.to_path_buf();
    }
    let mut name = target.file_stem().unwrap_or_default().to_owned();
    name.push(format!("_{attempt}"));
    if let Some(extension) = target.extension() {
        name.push(".");
        name.push(extension);
    }
    target.with_file_name(name)
}

/// The name that a file of the archive had where it came from, behind `YYYYmmdd_HHMMSS_`.
fn original_name(name: &OsStr) -> Option<&OsStr> {
    const SHAPE: &[u8] = b"00000000_000000_";
    let (stamp, original) = name.as_bytes().split_at_checked(SHAPE.len())?;
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'_' => *byte == b'_',
        _ => byte.is_ascii_digit(),
    };
    stamp
        .iter()
        .zip(SHAPE)
        .all(fits)
        .then(|| OsStr::from_bytes(original))
}

/// Whether a file holds exactly these bytes; one that cannot be read does not, as far as is known,
/// and a second copy is the safe answer.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    let same_size = fs::metadata(path).is_ok_and(|metadata| {
        metadata.is_file() && usize::try_from(metadata.size()).is_ok_and(|size| size == bytes.len())
    });
    same_size && fs::read(path).is_ok_and(|content| content == bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(
        folder: &Path,
        name: &OsStr,
        bytes: &[u8],
        stamp: NaiveDateTime,
    ) -> Result<Archived, ArchiveError> {
        Store::open(folder)?.store(name, bytes, stamp)
    }

    fn stamp() -> NaiveDateTime {
        let day = chrono::NaiveDate::from_ymd_opt(2026, 1, 2).expect("a day");
        day.and_hms_opt(3, 4, 5).expect("a time")
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder");
        let name = |entry: io::Result<fs::DirEntry>| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn a_copy_has_its_time_in_its_name_and_is_made_once() {
        let base = tempfile::tempdir().expect("a folder");
        let folder = base.path().join("crash_logs");
        let name = OsStr::new("Python-2026.ips");
        let first = store(&folder, name, b"one", stamp()).expect("stored");
        assert_eq!(first.path, folder.join("20260102_030405_Python-2026.ips"));
        let later = stamp() + chrono::TimeDelta::hours(1);
        let again = store(&folder, name, b"one", later).expect("found");
        assert_eq!(
            again,
            Archived {
                path: first.path.clone(),
                already: true
            }
        );
        assert_eq!(names(&folder), ["20260102_030405_Python-2026.ips"]);
    }

    #[test]
    fn other_content_under_the_same_name_is_kept_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = OsStr::new("a.ips");
        for content in [b"one", b"two", b"six"] {
            assert!(
                !store(folder.path(), name, content, stamp())
                    .expect("stored")
                    .already
            );
        }
        assert!(
            store(folder.path(), name, b"one", stamp())
                .expect("found")
                .already
        );
        let expected = [
            "20260102_030405_a.ips",
            "20260102_030405_a_2.ips",
            "20260102_030405_a_3.ips",
        ];
        assert_eq!(names(folder.path()), expected);
    }

    #[test]
    fn an_open_archive_knows_what_it_has_stored() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut archive = Store::open(folder.path()).expect("opened");
        let name = OsStr::new("a.ips");
        let later = stamp() + chrono::TimeDelta::hours(1);
        let first = archive.store(name, b"one", stamp()).expect("stored");
        let again = archive.store(name, b"one", later).expect("found");
        assert!(again.already && again.path == first.path);
        assert!(!archive.store(name, b"two", later).expect("stored").already);
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let full = |errno| {
            let source = io::Error::from_raw_os_error(errno);
            matches!(
                ArchiveError::write(Path::new("a"), source),
                ArchiveError::Full { .. }
            )
        };
        assert!(full(libc::ENOSPC) && full(libc::EDQUOT));
        assert!(!full(libc::EACCES));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named_with_the_way_out() {
        let base = tempfile::tempdir().expect("a folder");
        let blocked = base.path().join("file");
        fs::write(&blocked, "").expect("written");
        let error = store(&blocked.join("logs"), OsStr::new("a.ips"), b"", stamp());
        let message = error.expect_err("a file is no folder").to_string();
        assert!(
            message.contains("file/logs") && message.contains("--archive"),
            "{message}"
        );
    }
}
