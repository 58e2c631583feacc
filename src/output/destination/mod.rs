//! A file that an option names, opened before the work that it tells of.

mod replacement;

pub use replacement::Replacement;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where a text goes. A file is written beside its name and renamed, so that a reader sees the old
/// one or the new one, never half of it.
pub struct Destination {
    option: &'static str,
    to: To,
}

enum To {
    /// `-`.
    Stderr,
    /// A file, by way of a temporary one in the same folder.
    File(Replacement),
    /// Something that is no regular file, such as `/dev/stdout` or a named pipe: opened at once.
    Stream { path: PathBuf, stream: File },
}

impl Destination {
    /// Opens it before the work, so that a wrong path costs no run; `option` is what named it.
    pub fn open(path: PathBuf, option: &'static str) -> Result<Self> {
        let to = To::open(path, option)?;
        Ok(Self { option, to })
    }

    /// Writes the text, whole or not at all.
    pub fn write(self, text: &str) -> Result<()> {
        let Self { option, to } = self;
        match to {
            To::Stderr => write_all(io::stderr().lock(), text)
                .with_context(|| format!("cannot write what {option} asks for to stderr")),
            To::Stream { path, stream } => {
                write_all(stream, text).with_context(|| cannot_write(&path, option))
            }
            To::File(replacement) => {
                let path = replacement.path().to_owned();
                replacement
                    .write(text)
                    .with_context(|| cannot_write(&path, option))
            }
        }
    }
}

impl To {
    fn open(path: PathBuf, option: &str) -> Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Stderr);
        }
        let hint = || cannot_write(&path, option);
        if std::fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            let stream = File::options().write(true).open(&path).with_context(hint)?;
            return Ok(Self::Stream { path, stream });
        }
        Ok(Self::File(Replacement::of(&path).with_context(hint)?))
    }
}

fn write_all(mut to: impl Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    to.flush()
}

fn cannot_write(path: &Path, option: &str) -> String {
    format!("cannot write `{}` (hint: check {option})", path.display())
}
