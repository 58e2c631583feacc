//! The file that this library is.

use std::ffi::{CStr, c_void};

/// Name of the library's own file, without its folder; `None` if it cannot be told, or is not UTF-8.
pub fn file_name() -> Option<String> {
    let own: fn() -> Option<String> = file_name;
    // SAFETY: the structure is plain data, for which zero is a value.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: `info` is valid for a write; the address is of this image.
    if unsafe { libc::dladdr(own as *const c_void, &raw mut info) } == 0 || info.dli_fname.is_null()
    {
        return None;
    }
    // SAFETY: the loader keeps the path as long as the image, which is never unloaded.
    let path = unsafe { CStr::from_ptr(info.dli_fname) }.to_str().ok()?;
    Some(path.rsplit('/').next().unwrap_or(path).to_owned())
}
