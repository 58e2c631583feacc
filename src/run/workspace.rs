//! The run's own folder: ledgers, and links for paths that the insertion variable cannot carry.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::inject::environment::{LEDGER_DIR, needs_alias};

/// Where a run keeps what it needs while it lasts.
#[derive(Debug)]
pub struct Workspace {
    folder: TempDir,
    ledgers: PathBuf,
}

/// Why a run has no folder of its own.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The temporary folder.
    #[error(
        "cannot make a folder for the run in `{}`: {source} (hint: check TMPDIR and the free space)",
        std::env::temp_dir().display()
    )]
    Temporary {
        /// Why.
        source: io::Error,
    },
    /// The folder that `AGX_FIX_LEDGER_DIR` names.
    #[error(
        "cannot make a folder for the ledgers in `{}`: {source} (hint: {LEDGER_DIR} names it; name one that can be written, or unset it)",
        path.display()
    )]
    Ledgers {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Workspace {
    /// Makes the folder. Ledgers go into it, or, where `AGX_FIX_LEDGER_DIR` names a folder, into a
    /// new one below that, which stays: other runs may be using the same.
    ///
    /// # Errors
    /// [`WorkspaceError`] with the folder in which nothing can be made.
    pub fn new() -> Result<Self, WorkspaceError> {
        let mut workspace = Self::temporary()?;
        let chosen = std::env::var_os(LEDGER_DIR).filter(|folder| !folder.is_empty());
        if let Some(chosen) = chosen.map(PathBuf::from) {
            workspace.ledgers = below(&chosen).map_err(|source| WorkspaceError::Ledgers {
                path: chosen,
                source,
            })?;
        }
        Ok(workspace)
    }

    /// Makes the folder, with the ledgers in it whatever the environment says: nobody is to read them later.
    ///
    /// # Errors
    /// [`WorkspaceError::Temporary`].
    pub fn temporary() -> Result<Self, WorkspaceError> {
        let made = || {
            let folder = tempfile::Builder::new().prefix("agxrun-").tempdir()?;
            let ledgers = folder.path().join("ledgers");
            std::fs::create_dir(&ledgers)?;
            Ok(Self { folder, ledgers })
        };
        made().map_err(|source| WorkspaceError::Temporary { source })
    }

    /// Where the processes write their ledgers.
    pub fn ledgers(&self) -> &Path {
        &self.ledgers
    }

    /// `path`, or a link to it where the insertion variable cannot carry it.
    pub fn alias(&self, path: &Path) -> io::Result<PathBuf> {
        if !needs_alias(path) {
            return Ok(path.to_owned());
        }
        let name = path.file_name().unwrap_or(path.as_os_str());
        let link = self.folder.path().join(name);
        if needs_alias(&link) {
            return Err(io::Error::other(format!(
                "the path `{}` holds a separator of the insertion variable, and so does the \
                 temporary folder (hint: move the library, or set TMPDIR to a plain path)",
                path.display()
            )));
        }
        std::os::unix::fs::symlink(path, &link)?;
        Ok(link)
    }

    /// Leaves the folder in place: processes that were left behind go on writing into it.
    pub fn keep(self) {
        // The path is not needed: the processes know it.
        let _ = self.folder.keep();
    }
}

/// A new folder below one that may have to be made.
fn below(chosen: &Path) -> io::Result<PathBuf> {
    let chosen = std::path::absolute(chosen)?;
    std::fs::create_dir_all(&chosen).map_err(|error| match error.kind() {
        // "File exists" would say that all is well.
        io::ErrorKind::AlreadyExists => io::ErrorKind::NotADirectory.into(),
        _ => error,
    })?;
    let folder = tempfile::Builder::new().prefix("run-").tempdir_in(chosen)?;
    Ok(folder.keep())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_a_separator_gets_a_link_without_one() {
        let workspace = Workspace::new().expect("a temporary folder");
        let awkward = workspace.folder.path().join("a:b");
        std::fs::create_dir(&awkward).expect("created");
        let library = awkward.join("libx.so");
        std::fs::write(&library, b"content").expect("written");
        let alias = workspace.alias(&library).expect("a link");
        assert!(!needs_alias(&alias));
        assert_eq!(std::fs::read(&alias).expect("readable"), b"content");
        let plain = Path::new("/plain/liby.so");
        assert_eq!(workspace.alias(plain).expect("unchanged"), plain);
    }
}
