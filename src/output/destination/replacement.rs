//! A file that takes another's place in one step.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A temporary file in the folder of the one that it will replace: a reader sees the old one or the new one, never half of it.
pub struct Replacement {
    path: PathBuf,
    temporary: NamedTempFile,
}

impl Replacement {
    /// Makes the temporary file. What a link leads to will be replaced, not the link, as by a program that opens the file.
    ///
    /// # Errors
    /// Where the folder does not exist or may not be written to.
    pub fn of(path: &Path) -> io::Result<Self> {
        let path = match fs::canonicalize(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => std::path::absolute(path)?,
            found => found?,
        };
        let temporary = tempfile::Builder::new()
            .prefix(".agxrun-")
            // Temporary files are for their owner alone unless something else is said. This one stays, and is read by others:
            // who may is up to the user's mask, as with any program's output.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(path.parent().unwrap_or(Path::new("/")))?;
        Ok(Self { path, temporary })
    }

    /// The file that will be there.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the text and puts it there.
    ///
    /// # Errors
    /// The system's; the old file then stands, and the temporary one is gone.
    pub fn write(mut self, text: &str) -> io::Result<()> {
        self.temporary.write_all(text.as_bytes())?;
        match fs::metadata(&self.path) {
            // Who was allowed to read the old one may read the new one, and nobody else.
            Ok(old) => {
                let file = self.temporary.as_file();
                file.set_permissions(old.permissions())?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        self.temporary
            .persist(&self.path)
            .map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("a file").permissions().mode() & 0o777
    }

    #[test]
    fn the_old_files_permissions_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.json");
        fs::write(&path, "old").expect("written");
        for allowed in [0o600, 0o640, 0o444, 0o666] {
            fs::set_permissions(&path, Permissions::from_mode(allowed)).expect("set");
            let replacement = Replacement::of(&path).expect("opened");
            replacement.write("new").expect("written");
            assert_eq!(mode(&path), allowed, "{allowed:o}");
        }
        assert_eq!(fs::read_to_string(&path).expect("text"), "new");
    }

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let (link, file) = (folder.path().join("link"), folder.path().join("file"));
        fs::write(&file, "old").expect("written");
        std::os::unix::fs::symlink("file", &link).expect("linked");
        Replacement::of(&link)
            .and_then(|replacement| replacement.write("new"))
            .expect("written");
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).expect("text"), "new");
    }

    #[test]
    fn one_that_is_given_up_leaves_the_folder_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(Replacement::of(&folder.path().join("out.json")).expect("opened"));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
        assert!(Replacement::of(&folder.path().join("missing/out.json")).is_err());
    }
}
