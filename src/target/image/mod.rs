//! One file that the kernel executes or dyld loads, and what it says about itself.
//!
//! Only headers, load commands and the signature's own fields are read, whatever the file's length.
//! The reader believes nothing: sizes are checked before they are allocated, and what contradicts
//! itself is unreadable.

mod elf;
mod entitlements;
#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod host;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod host;
mod identity;
mod macho;
mod platform;
mod processor;
mod signature;
mod source;
mod unreadable;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use source::Window;

pub use elf::{Elf, Interpreter};
pub use entitlements::{Entitlements, Grant};
pub use identity::{Identity, Permissions};
pub use macho::{Extent, FileType, MachO, Slice};
pub use platform::Platform;
pub use processor::Processor;
pub use signature::{Flags, Signature};
pub use source::ReadAt;
pub use unreadable::Unreadable;

/// A file as it stood when it was read.
#[derive(Debug)]
pub struct Image {
    /// Which file it was, so that a later look can tell whether it still is.
    pub identity: Identity,
    /// What executing it would change about the process's privileges.
    pub permissions: Permissions,
    /// What is in it.
    pub contents: Contents,
}

/// What kind of file it is.
#[derive(Debug)]
pub enum Contents {
    /// Mach-O: one slice, or those of a universal file in the file's order.
    MachO(Vec<Slice>),
    /// ELF.
    Elf(Elf),
    /// A script: the kernel executes its interpreter instead.
    Script,
    /// Nothing that a kernel executes; an empty file, too.
    Other,
}

impl Image {
    /// Reads the file at `path`; links are followed.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        // Without O_NONBLOCK, opening a pipe would wait for its writer.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)
            .map_err(|source| Unreadable::Io {
                operation: "open it",
                source,
            })?;
        Self::read_open(&file)
    }

    /// Reads a file's contents that are in memory, such as those of an archive's member: nobody's
    /// file, without special permissions.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        Ok(Image {
            identity: Identity::default(),
            permissions: Permissions::default(),
            contents: Contents::parse(&bytes)?,
        })
    }

    /// Reads an open file, and fails where it changed meanwhile.
    pub fn read_open(file: &File) -> Result<Self, Unreadable> {
        let unreadable = |operation| move |source: io::Error| Unreadable::Io { operation, source };
        let before = file
            .metadata()
            .map_err(unreadable("look at its metadata"))?;
        if !before.is_file() {
            return Err(Unreadable::NotAFile);
        }
        let permissions =
            Permissions::of(file, &before).map_err(unreadable("read its extended attributes"))?;
        let contents = Contents::parse(file)?;
        let identity = Identity::of(&before);
        let after = file
            .metadata()
            .map_err(unreadable("look at its metadata"))?;
        if Identity::of(&after) != identity {
            return Err(Unreadable::Changed);
        }
        Ok(Image {
            identity,
            permissions,
            contents,
        })
    }
}

impl Contents {
    /// Reads what is in `source`.
    pub fn parse(source: &dyn ReadAt) -> Result<Self, Unreadable> {
        let file = Window::whole(source)?;
        let head = file.read_up_to(0, FIRST_PAGE, "the first page")?;
        let magic: &[u8] = head.get(..4).unwrap_or(&head);
        Ok(match magic {
            b"\x7fELF" => Contents::Elf(elf::parse(&file, &head)?),
            [b'#', b'!', ..] => Contents::Script,
            _ => match macho::parse(&file, &head)? {
                Some(slices) => Contents::MachO(slices),
                None => Contents::Other,
            },
        })
    }
}

/// The places of the slices of a Mach-O file, whatever stands in them; nothing of another file.
pub fn extents(source: &dyn ReadAt) -> Result<Option<Vec<Extent>>, Unreadable> {
    let file = Window::whole(source)?;
    let head = file.read_up_to(0, FIRST_PAGE, "the first page")?;
    macho::extents(&file, &head)
}

/// What is read of every file at first. The kernel decides by the first page as well: a universal
/// file's table must lie within it (xnu, `bsd/kern/mach_fat.c`).
const FIRST_PAGE: usize = 4096;
