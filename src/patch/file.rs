//! The copy as a file: written beside its place, and moved there when it is whole.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Why the copy was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Input and output are one file, by name or by a link.
    #[error("`{0}` is the input itself, which is never changed (hint: name another file)")]
    IsInput(PathBuf),
    /// It is there.
    #[error("`{0}` is there already (hint: --force replaces it)")]
    Exists(PathBuf),
    /// It is there, and no file.
    #[error("`{0}` is no file, and is not replaced")]
    NotAFile(PathBuf),
    /// The system refused.
    #[error("could not {operation} `{path}`: {source}")]
    Io {
        /// What was attempted.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl WriteError {
    fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| WriteError::Io {
            operation,
            path,
            source,
        }
    }
}

/// Whether a copy of `input` may be written to `output`: it is another file, and where there is one
/// already, `force` was said.
pub fn check(input: &Path, output: &Path, force: bool) -> Result<(), WriteError> {
    let there = match fs::metadata(output) {
        Ok(there) => Some(there),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(WriteError::io("look at", output)(error)),
    };
    let Some(there) = there else {
        // A link that leads nowhere is there, too: it would be replaced.
        return match fs::symlink_metadata(output) {
            Ok(_) if force => Ok(()),
            Ok(_) => Err(WriteError::Exists(output.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(WriteError::io("look at", output)(error)),
        };
    };
    let source = fs::metadata(input).map_err(WriteError::io("look at", input))?;
    if is_same(&source, &there) {
        return Err(WriteError::IsInput(output.to_owned()));
    }
    if !there.is_file() {
        return Err(WriteError::NotAFile(output.to_owned()));
    }
    if !force {
        return Err(WriteError::Exists(output.to_owned()));
    }
    Ok(())
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Writes `bytes` to `output`, with the permissions of `input`. Nobody sees a part of it: it is written
/// under another name in the same folder, and moved when it is on the disk.
pub fn write(input: &Path, output: &Path, bytes: &[u8], force: bool) -> Result<(), WriteError> {
    check(input, output, force)?;
    let source = fs::metadata(input).map_err(WriteError::io("look at", input))?;
    let folder = match output.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let failed = |operation| WriteError::io(operation, output);
    let mut file = NamedTempFile::new_in(folder).map_err(WriteError::io("write into", folder))?;
    file.write_all(bytes).map_err(failed("write"))?;
    file.as_file()
        .set_permissions(source.permissions())
        .map_err(failed("set the permissions of"))?;
    file.as_file().sync_all().map_err(failed("write"))?;
    // Somebody may have made one since it was looked for.
    let moved = if force {
        file.persist(output)
    } else {
        file.persist_noclobber(output)
    };
    moved.map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => WriteError::Exists(output.to_owned()),
        _ => failed("move the copy to")(error.error),
    })?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(WriteError::io("write", folder))
}
