//! The net for a runtime that does not announce its classes: `dlopen` is interposed, and the class list scanned after it.
//!
//! `dlopen` is on the shared cache's list of functions whose stubs are never optimised away, so that calls from inside
//! system frameworks are seen too. While the runtime announces classes, calls are passed on at once.

use std::ffi::{c_char, c_int, c_void};
use std::mem::transmute;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use crate::os::Interpose;

/// `void *dlopen_from(const char *path, int mode, void *address_in_caller)`, exported since macOS 11: the paths of the
/// caller's image, not ours, stand for `@rpath` and `@loader_path`.
type OpenFrom = unsafe extern "C-unwind" fn(*const c_char, c_int, *const c_void) -> *mut c_void;

/// The class list is scanned after each `dlopen`.
static ACTIVE: AtomicBool = AtomicBool::new(false);
/// `dlopen_from`, once it was found.
static OPEN_FROM: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

unsafe extern "C-unwind" {
    // Not libc's declaration: an initialiser of the image that is opened may throw.
    fn dlopen(path: *const c_char, mode: c_int) -> *mut c_void;
}

/// From now on the class list is scanned after each `dlopen`.
pub fn activate() {
    ACTIVE.store(true, Ordering::Release);
}

/// `dlopen` as every image but this one sees it: with the return address, which is in the caller, as third argument.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C-unwind" fn entry(_path: *const c_char, _mode: c_int) -> *mut c_void {
    core::arch::naked_asm!("mov x2, x30", "b {open}", open = sym open)
}

/// `dlopen` as every image but this one sees it: with the return address, which is in the caller, as third argument.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C-unwind" fn entry(_path: *const c_char, _mode: c_int) -> *mut c_void {
    core::arch::naked_asm!("mov rdx, [rsp]", "jmp {open}", open = sym open)
}

/// # Safety
/// As `dlopen`; `caller` is an address in the image that calls it.
unsafe extern "C-unwind" fn open(
    path: *const c_char,
    mode: c_int,
    caller: *const c_void,
) -> *mut c_void {
    // SAFETY: the caller's arguments, passed on to what it meant to call.
    let opened = unsafe {
        match open_from() {
            Some(open_from) => open_from(path, mode, caller),
            None => dlopen(path, mode),
        }
    };
    if ACTIVE.load(Ordering::Acquire) && !opened.is_null() {
        crate::guarded(super::native::scan);
    }
    opened
}

/// `dlopen_from`, if this system has it.
fn open_from() -> Option<OpenFrom> {
    let mut found = OPEN_FROM.load(Ordering::Relaxed);
    if found.is_null() {
        // SAFETY: the name ends in NUL.
        found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"dlopen_from".as_ptr()) };
        OPEN_FROM.store(found, Ordering::Relaxed);
    }
    // SAFETY: the symbol has this type wherever it exists (dlfcn.h).
    (!found.is_null()).then(|| unsafe { transmute::<*mut c_void, OpenFrom>(found) })
}

#[used]
#[unsafe(link_section = "__DATA,__interpose")]
static INTERPOSED: [Interpose; 1] = [Interpose(entry as *const (), dlopen as *const ())];
