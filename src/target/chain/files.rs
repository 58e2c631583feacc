//! A system's files: this one's, or those of another laid out under a folder.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use crate::target::rules::System;

/// The files that paths of one system name.
#[derive(Debug, Clone)]
pub struct Files {
    root: PathBuf,
    most_links: usize,
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Absolute, without links.
    pub path: PathBuf,
    /// The links on the way, in order.
    pub links: Vec<PathBuf>,
}

/// Why a path leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// More links than the kernel follows.
    #[error("more than {most} symbolic links lead from `{}`", path.display())]
    Links {
        /// Where they begin.
        path: PathBuf,
        /// How many are followed.
        most: usize,
    },
    /// Something on the way is missing, or cannot be looked at.
    #[error("cannot look at `{}`: {source}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Files {
    /// The files of a system whose root folder is `root`.
    pub fn under(root: PathBuf, system: System) -> Self {
        Files {
            root,
            // MAXSYMLINKS: xnu, `bsd/sys/param.h`; Linux, `include/linux/namei.h`.
            most_links: match system {
                System::MacOs => 32,
                System::Linux => 40,
            },
        }
    }

    /// Where this machine has the file that the system calls `path`, which is absolute.
    pub fn here(&self, path: &Path) -> PathBuf {
        let mut here = self.root.clone();
        here.extend(
            path.components()
                .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir)),
        );
        here
    }

    /// Follows every link of `path`, relative to `folder`, as the kernel does.
    pub fn resolve(&self, path: &Path, folder: &Path) -> Result<Resolved, Lost> {
        let whole = folder.join(path);
        let mut ahead: VecDeque<OsString> = parts(&whole);
        let mut at = PathBuf::from("/");
        let mut links = Vec::new();
        while let Some(part) = ahead.pop_front() {
            if part == ".." {
                at.pop();
                continue;
            }
            let next = at.join(&part);
            let lost = |source| Lost::Io {
                path: next.clone(),
                source,
            };
            let here = self.here(&next);
            if !here.symlink_metadata().map_err(lost)?.is_symlink() {
                at = next;
                continue;
            }
            if links.len() == self.most_links {
                return Err(Lost::Links {
                    path: whole,
                    most: self.most_links,
                });
            }
            let target = here.read_link().map_err(lost)?;
            if target.is_absolute() {
                at = PathBuf::from("/");
            }
            for part in parts(&target).into_iter().rev() {
                ahead.push_front(part);
            }
            links.push(next);
        }
        Ok(Resolved { path: at, links })
    }

    /// Whether `path` is a file that this user may execute.
    pub fn is_executable(&self, path: &Path, folder: &Path) -> bool {
        self.resolve(path, folder).is_ok_and(|found| {
            let here = self.here(&found.path);
            here.is_file() && access(&here, AccessFlags::X_OK).is_ok()
        })
    }

    /// Whether `path`, which is absolute, is a file.
    pub fn is_file(&self, path: &Path) -> bool {
        self.resolve(path, Path::new("/"))
            .is_ok_and(|found| self.here(&found.path).is_file())
    }

    /// Whether `path`, which is absolute, is a folder.
    pub fn is_folder(&self, path: &Path) -> bool {
        self.resolve(path, Path::new("/"))
            .is_ok_and(|found| self.here(&found.path).is_dir())
    }

    /// The first `limit` bytes of a regular file; `path` is absolute.
    pub fn head(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let found = self
            .resolve(path, Path::new("/"))
            .map_err(|lost| match lost {
                Lost::Io { source, .. } => source,
                Lost::Links { .. } => io::Error::from_raw_os_error(libc::ELOOP),
            })?;
        // Without O_NONBLOCK, opening a pipe would wait for its writer.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(self.here(&found.path))?;
        if !file.metadata()?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        read_up_to(file, limit)
    }

    /// The names in a folder, sorted; none where it cannot be listed, since what is looked for in
    /// folders here is only ever offered.
    pub fn names(&self, folder: &Path) -> Vec<OsString> {
        let Ok(found) = self.resolve(folder, Path::new("/")) else {
            return Vec::new();
        };
        let Ok(entries) = std::fs::read_dir(self.here(&found.path)) else {
            return Vec::new();
        };
        let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        names
    }
}

fn read_up_to(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The names in a path, `..` among them.
fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some(OsStr::new("..").to_owned()),
            _ => None,
        })
        .collect()
}
