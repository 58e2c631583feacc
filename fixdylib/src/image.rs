//! The files that code was loaded from: this library's own, and others'.

use std::ffi::{CStr, c_void};

/// Name of the library's own file, without its folder; `None` if it cannot be told, or is not UTF-8.
pub fn file_name() -> Option<String> {
    let own: fn() -> Option<String> = file_name;
    String::from_utf8(file_of(own as *const c_void)?).ok() // not UTF-8, as promised
}

/// Name of the file from which the code at this address was loaded, without its folder; `None` if it is of none.
pub fn file_of(code: *const c_void) -> Option<Vec<u8>> {
    // SAFETY: the structure is plain data, for which zero is a value.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: `info` is valid for a write; any address may be asked about.
    if unsafe { libc::dladdr(code, &raw mut info) } == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: the loader keeps the path as long as the image; code of one that is being unloaded is in use no more.
    let path = unsafe { CStr::from_ptr(info.dli_fname) }.to_bytes();
    let name = path.rsplit(|it| *it == b'/').next().unwrap_or(path);
    Some(name.to_vec())
}
