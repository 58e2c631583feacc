//! The recorders' part of `include/agx_rehearsal.h`.

use super::send::{SendError, send};
use super::session::Record;
use super::{recorder, recorders};
use std::ffi::{CStr, c_char, c_int};

/// Methods that have recorders.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn agx_rehearsal_recorded_methods() -> usize {
    recorders().len()
}

/// The names and the encoding of recorded method number `index`; 0, or -1 where there is none.
///
/// # Safety
/// The three pointers can be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_recorded_method(
    index: usize,
    class_name: *mut *const c_char,
    selector: *mut *const c_char,
    encoding: *mut *const c_char,
) -> c_int {
    let Some(recorder) = recorder(index) else {
        return -1;
    };
    // SAFETY: the caller's promise.
    unsafe {
        class_name.write(recorder.class.as_ptr());
        selector.write(recorder.selector.as_ptr());
        encoding.write(recorder.encoding.as_ptr());
    }
    0
}

/// Sends a recorded method with values drawn from `seed`, to a fresh instance of exactly this class, and writes what became of
/// them. 0; -1 where no recorded method has these names, -2 where its encoding cannot be passed; nothing is written then.
///
/// # Safety
/// Both names are C strings; `out` can be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_send(
    class_name: *const c_char,
    selector: *const c_char,
    seed: u64,
    out: *mut Record,
) -> c_int {
    // SAFETY: the caller's promise.
    let (class, selector) = unsafe { (CStr::from_ptr(class_name), CStr::from_ptr(selector)) };
    match send(class, selector, seed) {
        Ok(record) => {
            // SAFETY: the caller's promise.
            unsafe { out.write(record) }
            0
        }
        Err(SendError::NotRecorded) => -1,
        Err(SendError::NotPassable) => -2,
    }
}
