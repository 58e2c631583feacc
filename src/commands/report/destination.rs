//! Where the page goes. Nothing that is not a page of ours is lost to it.

use std::fs::{File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::output::html::MARK;
use crate::output::terminal;

/// How far into a file its mark is looked for, in bytes.
const HEAD: u64 = 4096;

/// A place for the page, known to be writable.
pub enum Destination {
    /// `-`.
    Stdout,
    /// A file, by way of a temporary one in the same folder: a reader sees the old page or the new
    /// one, never half of it.
    File {
        /// The file; where a link was named, what it leads to.
        path: PathBuf,
        /// What is written first.
        temporary: tempfile::NamedTempFile,
        /// Whether a file of that name may be replaced; else none was there.
        replaces: bool,
    },
    /// Something that is no regular file, such as `/dev/stdout` or a named pipe: opened at once.
    Stream {
        /// What was named.
        path: PathBuf,
        /// It, open.
        stream: File,
    },
}

impl Destination {
    /// Opens it before anything is read, so that a wrong path costs nothing.
    pub fn open(path: PathBuf, force: bool) -> Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Stdout);
        }
        let hint = || {
            format!(
                "cannot write the page to `{}` (hint: check --output)",
                path.display()
            )
        };
        let (target, replaces) = match std::fs::metadata(&path) {
            Ok(there) if there.is_dir() => {
                bail!(
                    "`{}` is a folder (hint: --output {})",
                    path.display(),
                    path.join("crashes.html").display()
                )
            }
            Ok(there) if !there.is_file() => {
                let stream = File::options().write(true).open(&path).with_context(hint)?;
                return Ok(Self::Stream { path, stream });
            }
            Ok(_) => {
                if !force && !is_ours(&path).with_context(hint)? {
                    bail!(
                        "`{}` exists and is no page that agxrun wrote (hint: name another file with --output, or overwrite it with --force)",
                        path.display()
                    );
                }
                (path.canonicalize().with_context(hint)?, true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                (std::path::absolute(&path).with_context(hint)?, force)
            }
            Err(error) => return Err(error).with_context(hint),
        };
        let folder = target.parent().unwrap_or(Path::new("/"));
        let temporary = tempfile::Builder::new()
            .prefix(".agxrun-report-")
            // As any program makes a file: the umask decides who may read it.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .with_context(hint)?;
        Ok(Self::File {
            path: target,
            temporary,
            replaces,
        })
    }

    /// Writes the page. Returns the file, where it is one.
    pub fn write(self, page: &str) -> Result<Option<PathBuf>> {
        let failed = |path: &Path| format!("cannot write the page to `{}`", path.display());
        match self {
            Self::Stdout => {
                terminal::print(page).context("cannot write the page")?;
                Ok(None)
            }
            Self::Stream { path, mut stream } => {
                stream
                    .write_all(page.as_bytes())
                    .with_context(|| failed(&path))?;
                Ok(None)
            }
            Self::File {
                path,
                mut temporary,
                replaces,
            } => {
                temporary
                    .write_all(page.as_bytes())
                    .with_context(|| failed(&path))?;
                let persisted = if replaces {
                    temporary.persist(&path)
                } else {
                    // What came to be there meanwhile is somebody's.
                    temporary.persist_noclobber(&path)
                };
                persisted.with_context(|| failed(&path))?;
                Ok(Some(path))
            }
        }
    }
}

/// Whether a file is a page that this command wrote, or empty.
fn is_ours(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    let mark = MARK.as_bytes();
    Ok(head.is_empty() || head.windows(mark.len()).any(|window| window == mark))
}
