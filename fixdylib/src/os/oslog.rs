//! macOS's unified log.
//!
//! `os_log` is a macro; this is what it comes to (os/log.h): an exported function, given the image that has the format, the
//! format in the section where the log's readers look for it, and the arguments as bytes.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::log_buffer;
use crate::say::Severity;

/// `OS_LOG_TYPE_DEFAULT`: kept without anybody's asking, as `OS_LOG_TYPE_INFO` is not.
const TYPE_DEFAULT: u8 = 0x00;
/// `OS_LOG_TYPE_ERROR`.
const TYPE_ERROR: u8 = 0x10;

unsafe extern "C" {
    /// The header of the image that this is linked into: the linker makes it.
    static __dso_handle: c_void;

    fn os_log_create(subsystem: *const c_char, category: *const c_char) -> *mut c_void;
    fn os_log_type_enabled(log: *mut c_void, kind: u8) -> bool;
    fn _os_log_impl(
        image: *const c_void,
        log: *mut c_void,
        kind: u8,
        format: *const c_char,
        arguments: *const u8,
        size: u32,
    );
}

#[used]
#[unsafe(link_section = "__TEXT,__oslogstring,cstring_literals")]
static FORMAT: [u8; 11] = *b"%{public}s\0";

/// The macro aligns its buffer so.
#[repr(align(16))]
struct Arguments([u8; 12]);

/// The log of this library, once something was logged.
static LOG: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Logs a line under the subsystem `agxrun`, category `fix`. Allocates, locks, and may send messages to the log's service.
pub fn log(severity: Severity, line: &CStr) {
    let kind = match severity {
        Severity::Notice => TYPE_DEFAULT,
        Severity::Error => TYPE_ERROR,
    };
    let mut log = LOG.load(Ordering::Acquire);
    if log.is_null() {
        // SAFETY: both names end in NUL. The same names give the same log, which is never freed, to every thread.
        log = unsafe { os_log_create(c"agxrun".as_ptr(), c"fix".as_ptr()) };
        LOG.store(log, Ordering::Release);
    }
    let arguments = Arguments(log_buffer::public_string(line.as_ptr() as u64));
    // SAFETY: the log is one; the format ends in NUL and is of the image; the buffer is laid out for it, and the string
    // that it refers to is copied before the call returns.
    unsafe {
        if os_log_type_enabled(log, kind) {
            _os_log_impl(
                &raw const __dso_handle,
                log,
                kind,
                FORMAT.as_ptr().cast(),
                arguments.0.as_ptr(),
                arguments.0.len() as u32,
            );
        }
    }
}
