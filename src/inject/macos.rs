//! Insertion on macOS: `DYLD_INSERT_LIBRARIES`, with the copy that XPC children take.

use std::path::PathBuf;

/// The variable that names the libraries to insert (dyld(1)).
pub const INSERT_VARIABLE: &str = "DYLD_INSERT_LIBRARIES";
/// launchd hands `__XPC_` variables to XPC services without the prefix.
pub const INSERT_COPIES: &[&str] = &["__XPC_DYLD_INSERT_LIBRARIES"];
/// Whether a variable speaks to dyld, which takes all of these away together.
pub fn is_loaders(name: &str) -> bool {
    name.starts_with("DYLD_")
}
/// What separates the entries.
pub const SEPARATORS: &[u8] = b":";
/// Prefix and suffix of a shared library's file name.
pub const LIBRARY_AFFIXES: (&str, &str) = ("lib", ".dylib");
/// Whether crash reports come from the preloaded report writer instead of the system.
pub const REPORTS_ARE_REHEARSED: bool = false;

/// Whether every process that could leave a crash report has a ledger, where one descendant has.
/// Here the system reports any process, and a protected one in between drops the variable.
pub const LEDGERS_COVER_REPORTS: bool = false;

/// The user's cache, `~/Library/Caches`.
pub fn cache_folder(env: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    env("HOME").map(|home| PathBuf::from(home).join("Library/Caches"))
}

/// The user's state, `~/Library/Application Support/agxrun`.
pub fn state_folder(env: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    env("HOME").map(|home| PathBuf::from(home).join("Library/Application Support/agxrun"))
}
