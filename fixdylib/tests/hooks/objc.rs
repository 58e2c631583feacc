//! Objective-C classes without an Objective-C compiler: made at run time, with GCC's runtime.

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::transmute;
use std::ptr;

pub type Id = *mut c_void;
pub type Sel = *const c_void;
pub type Class = *mut c_void;

#[link(name = "libobjc.so.4", kind = "dylib", modifiers = "+verbatim")]
unsafe extern "C" {
    fn objc_allocateClassPair(superclass: Class, name: *const c_char, extra: usize) -> Class;
    fn objc_registerClassPair(class: Class);
    fn objc_lookUpClass(name: *const c_char) -> Class;
    fn class_addMethod(
        class: Class,
        selector: Sel,
        code: *const c_void,
        types: *const c_char,
    ) -> i8;
    fn class_addIvar(
        class: Class,
        name: *const c_char,
        size: usize,
        align: u8,
        types: *const c_char,
    ) -> i8;
    fn class_createInstance(class: Class, extra: usize) -> Id;
    fn class_getInstanceVariable(class: Class, name: *const c_char) -> *const c_void;
    fn ivar_getOffset(ivar: *const c_void) -> isize;
    fn sel_registerName(name: *const c_char) -> Sel;
    fn sel_registerTypedName(name: *const c_char, types: *const c_char) -> Sel;
    fn objc_msg_lookup(object: Id, selector: Sel) -> *const c_void;
}

fn c(text: &str) -> CString {
    CString::new(text).expect("no NUL in names")
}

/// A class being made.
pub struct Builder(Class);

impl Builder {
    /// `superclass` is looked up by name; empty for a root.
    pub fn new(name: &str, superclass: &str) -> Self {
        // SAFETY: names end in NUL; a root class has no superclass and gets its own `isa`.
        unsafe {
            let parent = if superclass.is_empty() {
                ptr::null_mut()
            } else {
                class(superclass)
            };
            let made = objc_allocateClassPair(parent, c(name).into_raw(), 0);
            assert!(!made.is_null(), "{name}");
            let it = Self(made);
            if superclass.is_empty() {
                it.ivar("isa")
            } else {
                it
            }
        }
    }

    /// A pointer-sized instance variable.
    pub fn ivar(self, name: &str) -> Self {
        // SAFETY: the class is not registered yet; names are kept by the runtime, so that they are leaked.
        let added = unsafe { class_addIvar(self.0, c(name).into_raw(), 8, 3, c("^v").into_raw()) };
        assert_eq!(added, 1);
        self
    }

    /// A method whose code has the type that `types` says.
    pub fn method(self, name: &str, types: &str, code: *const c_void) -> Self {
        let types = c(types).into_raw();
        // SAFETY: as above; the selector carries its types, as a compiler's would.
        unsafe {
            let selector = sel_registerTypedName(c(name).as_ptr(), types);
            assert_eq!(class_addMethod(self.0, selector, code, types), 1, "{name}");
        }
        self
    }

    pub fn register(self) -> Class {
        // SAFETY: made above, registered once.
        unsafe { objc_registerClassPair(self.0) };
        self.0
    }
}

pub fn class(name: &str) -> Class {
    // SAFETY: the name ends in NUL.
    let found = unsafe { objc_lookUpClass(c(name).as_ptr()) };
    assert!(!found.is_null(), "{name}");
    found
}

pub fn instance(class: Class) -> Id {
    // SAFETY: a registered class.
    unsafe { class_createInstance(class, 0) }
}

pub fn selector(name: &CStr) -> Sel {
    // SAFETY: the name ends in NUL.
    unsafe { sel_registerName(name.as_ptr()) }
}

/// The address of an instance variable.
pub fn ivar(class: Class, object: Id, name: &CStr) -> *mut *mut c_void {
    // SAFETY: the class has the variable and the object is its instance.
    unsafe {
        let ivar = class_getInstanceVariable(class, name.as_ptr());
        object.cast::<u8>().offset(ivar_getOffset(ivar)).cast()
    }
}

/// The code for a message, as a function of type `F`.
///
/// # Safety
/// `F` is the function type of the method.
pub unsafe fn lookup<F: Copy>(object: Id, selector: Sel) -> F {
    assert_eq!(size_of::<F>(), size_of::<*const c_void>());
    // SAFETY: promised by the caller.
    unsafe {
        let code = objc_msg_lookup(object, selector);
        *ptr::from_ref(&code).cast::<F>()
    }
}

/// Sends a message without arguments.
pub fn send(object: Id, name: &CStr) -> Id {
    let selector = selector(name);
    // SAFETY: the tests' methods without arguments return nothing or a pointer.
    unsafe {
        let code: unsafe extern "C-unwind" fn(Id, Sel) -> Id =
            transmute(objc_msg_lookup(object, selector));
        code(object, selector)
    }
}
