//! The Objective-C runtime: the only declarations of it, and the only code that differs between Apple's and GCC's.
//!
//! Both files offer the same functions. The seam towards the hooks is one function,
//! [`on_class_ready`](crate::hooks::on_class_ready), called for each class before it can receive a message.
//!
//! # Nets
//! | | trigger | where it is missing |
//! |---|---|---|
//! | Apple | `_objc_addWillInitializeClassFunc` | the class list is scanned at load and after each `dlopen`; noted in the ledger |
//! | GCC | the exported `__objc_exec_class` and `objc_registerClassPair`, which scan | the scan at load alone |
//!
//! GCC's is missing for a driver that does not ask this library first: one that was opened with `RTLD_DEEPBIND`, or finds
//! the functions with `dlsym`. Its `_objc_load_callback` is no net: it comes from inside `__objc_exec_class`, before the
//! module's classes are all there. Scans are counted (`class_scans`).

#[cfg(target_vendor = "apple")]
mod apple;
#[cfg(target_vendor = "apple")]
mod apple_net;
#[cfg(not(target_vendor = "apple"))]
mod gnu;
pub mod known;

use std::ffi::{CStr, c_char, c_uint, c_void};

#[cfg(target_vendor = "apple")]
use apple as native;
#[cfg(not(target_vendor = "apple"))]
use gnu as native;

pub use native::{
    announces_first_messages, class_bits, class_finished, class_of, classes, implementation_for,
    install, release, reset_after_fork, retain, retain_count, send, start,
};

/// A class, never null.
pub type Class = *const c_void;
/// An object, or null.
pub type Id = *mut c_void;
/// A selector.
pub type Selector = *const c_void;
/// A method of a class's own list.
pub type Method = *mut c_void;
/// A method's code.
pub type Imp = *const c_void;

/// The functions that both runtimes have under one name and with one meaning.
#[derive(Clone, Copy)]
struct Common {
    class_get_name: unsafe extern "C" fn(Class) -> *const c_char,
    class_get_superclass: unsafe extern "C" fn(Class) -> Class,
    class_copy_method_list: unsafe extern "C" fn(Class, *mut c_uint) -> *mut Method,
    class_get_instance_variable: unsafe extern "C" fn(Class, *const c_char) -> *const c_void,
    ivar_get_offset: unsafe extern "C" fn(*const c_void) -> isize,
    class_conforms_to_protocol: unsafe extern "C" fn(Class, *const c_void) -> i8,
    get_protocol: unsafe extern "C" fn(*const c_char) -> *const c_void,
    method_get_name: unsafe extern "C" fn(Method) -> Selector,
    method_get_implementation: unsafe extern "C" fn(Method) -> Imp,
    method_get_type_encoding: unsafe extern "C" fn(Method) -> *const c_char,
    sel_get_name: unsafe extern "C" fn(Selector) -> *const c_char,
    sel_register_name: unsafe extern "C" fn(*const c_char) -> Selector,
}

/// One method of a class.
#[derive(Clone, Copy)]
pub struct OwnMethod {
    /// The method itself, for [`install`].
    pub method: Method,
    /// Its selector's name.
    pub name: &'static CStr,
    /// Its type encoding; empty if it has none.
    pub encoding: &'static CStr,
    /// Its code now.
    pub implementation: Imp,
}

/// Text that a runtime keeps for good; empty for null.
///
/// # Safety
/// `text` is null or ends in NUL, and is never freed.
unsafe fn kept<'a>(text: *const c_char) -> &'a CStr {
    if text.is_null() {
        return c"";
    }
    // SAFETY: promised by the caller.
    unsafe { CStr::from_ptr(text) }
}

/// Name of a class.
///
/// # Safety
/// `class` is a class of the runtime.
pub unsafe fn class_name(class: Class) -> &'static CStr {
    // SAFETY: `class` is valid; names live as long as their classes, and classes with hooks are not disposed of.
    native::common().map_or(c"", |it| unsafe { kept((it.class_get_name)(class)) })
}

/// The superclass, unless it is a root.
///
/// # Safety
/// `class` is a class of the runtime.
pub unsafe fn superclass(class: Class) -> Option<Class> {
    // SAFETY: `class` is valid.
    let found = unsafe { (native::common()?.class_get_superclass)(class) };
    (!found.is_null()).then_some(found)
}

/// The class and its superclasses, the class first.
///
/// # Safety
/// `class` is a class of the runtime.
pub unsafe fn lineage(class: Class) -> impl Iterator<Item = Class> {
    // SAFETY: a superclass is a class.
    std::iter::successors(Some(class), |it| unsafe { superclass(*it) })
}

/// The methods that the class itself implements.
///
/// # Safety
/// `class` is a class of the runtime.
pub unsafe fn own_methods(class: Class) -> Vec<OwnMethod> {
    let Some(it) = native::common() else {
        return Vec::new();
    };
    let mut count = 0;
    // SAFETY: `class` is valid; the list has `count` methods and is ours to free.
    unsafe {
        let list = (it.class_copy_method_list)(class, &raw mut count);
        if list.is_null() {
            return Vec::new();
        }
        let methods = std::slice::from_raw_parts(list, count as usize)
            .iter()
            .map(|method| OwnMethod {
                method: *method,
                name: kept((it.sel_get_name)((it.method_get_name)(*method))),
                encoding: kept((it.method_get_type_encoding)(*method)),
                implementation: (it.method_get_implementation)(*method),
            })
            .collect();
        libc::free(list.cast());
        methods
    }
}

/// How many methods the class itself implements.
///
/// # Safety
/// `class` is a class of the runtime.
pub unsafe fn own_method_count(class: Class) -> usize {
    let Some(it) = native::common() else { return 0 };
    let mut count = 0;
    // SAFETY: `class` is valid; the list is ours to free.
    unsafe { libc::free((it.class_copy_method_list)(class, &raw mut count).cast()) };
    count as usize
}

/// Offset of an instance variable of the class or its superclasses, in bytes.
///
/// # Safety
/// `class` is a class of the runtime.
pub unsafe fn ivar_offset(class: Class, name: &CStr) -> Option<usize> {
    let it = native::common()?;
    // SAFETY: `class` is valid and `name` ends in NUL.
    unsafe {
        let ivar = (it.class_get_instance_variable)(class, name.as_ptr());
        if ivar.is_null() {
            None
        } else {
            usize::try_from((it.ivar_get_offset)(ivar)).ok()
        }
    }
}

/// A method's code now.
///
/// # Safety
/// `method` is of the list of a class that still exists.
pub unsafe fn implementation(method: Method) -> Imp {
    // SAFETY: promised by the caller.
    native::common().map_or(std::ptr::null(), |it| unsafe {
        (it.method_get_implementation)(method)
    })
}

/// Whether the class itself, its superclasses aside, says that it conforms to the protocol of this name.
///
/// # Safety
/// `class` is a class of the runtime.
pub unsafe fn conforms(class: Class, protocol: &CStr) -> bool {
    let Some(it) = native::common() else {
        return false;
    };
    // SAFETY: `class` is valid and the name ends in NUL; a protocol that nobody declared is null, and not asked about.
    unsafe {
        let protocol = (it.get_protocol)(protocol.as_ptr());
        !protocol.is_null() && (it.class_conforms_to_protocol)(class, protocol) != 0
    }
}

/// The selector of a name; null without a runtime.
pub fn selector(name: &CStr) -> Selector {
    // SAFETY: `name` ends in NUL.
    native::common().map_or(std::ptr::null(), |it| unsafe {
        (it.sel_register_name)(name.as_ptr())
    })
}
