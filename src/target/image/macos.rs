//! What only macOS keeps in a file's metadata.

use std::fs::{File, Metadata};
use std::io;
use std::os::macos::fs::MetadataExt;

/// Capabilities are Linux's.
#[allow(clippy::unnecessary_wraps)] // Linux may fail to read them.
pub(super) fn has_capabilities(_: &File) -> io::Result<bool> {
    Ok(false)
}

/// Whether the file carries `SF_RESTRICTED` (`sys/stat.h`), the flag `restricted` of `ls -lO`.
pub(super) fn is_sip_restricted(metadata: &Metadata) -> bool {
    metadata.st_flags() & 0x0008_0000 != 0
}
