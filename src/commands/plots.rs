//! Where plots go: a folder that `--svg` names.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::output::destination::Destination;

/// A folder, made and known to be writable.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes it where it is not there, before anything is run: a wrong path costs no run.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = || {
            format!(
                "cannot write plots into `{}` (hint: check --svg)",
                path.display()
            )
        };
        std::fs::create_dir_all(path).with_context(failed)?;
        // Gone again with this line: what cannot be written into is found out.
        tempfile::tempfile_in(path).with_context(failed)?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Writes each plot under its name; one that is there is replaced.
    pub fn write(&self, plots: &[(&str, String)]) -> Result<()> {
        for (name, svg) in plots {
            Destination::open(self.path.join(name), "--svg")?.write(svg)?;
        }
        Ok(())
    }
}
