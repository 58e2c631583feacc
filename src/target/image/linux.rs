//! What only Linux keeps in a file's metadata.

use std::fs::{File, Metadata};
use std::io;

use xattr::FileExt;

/// Whether executing the file would add capabilities (capabilities(7), "File capabilities").
pub(super) fn has_capabilities(file: &File) -> io::Result<bool> {
    match file.get_xattr("security.capability") {
        Ok(value) => Ok(value.is_some()),
        // A file system without extended attributes has none of these either.
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(false),
        Err(error) => Err(error),
    }
}

/// System Integrity Protection is macOS's.
pub(super) fn is_sip_restricted(_: &Metadata) -> bool {
    false
}
