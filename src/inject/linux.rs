//! Insertion on Linux: `LD_PRELOAD`, and the report writer that stands in for ReportCrash.

use std::path::PathBuf;

/// The variable that names the libraries to insert.
pub const INSERT_VARIABLE: &str = "LD_PRELOAD";
/// Copies of the variable for services started on the target's behalf: none on Linux.
pub const INSERT_COPIES: &[&str] = &[];
/// Whether a variable speaks to the dynamic linker about libraries, and may be taken away on the way.
pub fn is_loaders(name: &str) -> bool {
    name == INSERT_VARIABLE
}
/// What separates the entries; the dynamic linker takes spaces as well (ld.so(8), LD_PRELOAD).
pub const SEPARATORS: &[u8] = b": ";
/// Prefix and suffix of a shared library's file name.
pub const LIBRARY_AFFIXES: (&str, &str) = ("lib", ".so");
/// Whether crash reports come from the preloaded report writer instead of the system.
pub const REPORTS_ARE_REHEARSED: bool = true;

/// Whether every process that could leave a crash report has a ledger, where one descendant has.
/// Here reports come from a library that travels in the same variable as the fix library.
pub const LEDGERS_COVER_REPORTS: bool = true;

/// The user's cache: `$XDG_CACHE_HOME`, else `~/.cache` (XDG Base Directory Specification).
pub fn cache_folder(env: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    absolute(env("XDG_CACHE_HOME"))
        .or_else(|| absolute(env("HOME")).map(|home| home.join(".cache")))
}

/// The user's state: `$XDG_STATE_HOME`, else `~/.local/state`.
pub fn state_folder(env: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    absolute(env("XDG_STATE_HOME"))
        .or_else(|| absolute(env("HOME")).map(|home| home.join(".local/state")))
        .map(|state| state.join("agxrun"))
}

/// The specification has relative values ignored.
fn absolute(value: Option<std::ffi::OsString>) -> Option<PathBuf> {
    value.map(PathBuf::from).filter(|path| path.is_absolute())
}
