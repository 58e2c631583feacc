//! The Objective-C runtime as this driver uses it: declarations that both runtimes share, messages, and class registration.
//!
//! What differs between Apple's runtime and GCC's stands in `apple.rs` and `gnu.rs`; both offer the same names.

#[cfg(target_vendor = "apple")]
mod apple;
pub mod class;
mod family;
#[cfg(not(target_vendor = "apple"))]
mod forward;
#[cfg(not(target_vendor = "apple"))]
mod gnu;
mod quarantine;

#[cfg(target_vendor = "apple")]
pub use apple::*;
#[cfg(not(target_vendor = "apple"))]
pub use gnu::*;

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// An object, or nil.
pub type Id = *mut c_void;
/// A class, or Nil.
pub type Class = *mut c_void;
/// A registered selector.
pub type Sel = *const c_void;
/// A method's implementation, cast to its real signature before a call.
pub type Imp = *const c_void;

/// The nil object.
pub const NIL: Id = ptr::null_mut();

unsafe extern "C-unwind" {
    pub fn objc_lookUpClass(name: *const c_char) -> Class;
    pub fn objc_allocateClassPair(
        superclass: Class,
        name: *const c_char,
        extra_bytes: usize,
    ) -> Class;
    pub fn objc_registerClassPair(class: Class);
    pub fn class_addIvar(
        class: Class,
        name: *const c_char,
        size: usize,
        log2_align: u8,
        types: *const c_char,
    ) -> i8;
    pub fn class_addMethod(class: Class, selector: Sel, imp: Imp, types: *const c_char) -> i8;
    pub fn class_getInstanceVariable(class: Class, name: *const c_char) -> *const c_void;
    pub fn ivar_getOffset(ivar: *const c_void) -> isize;
    pub fn class_respondsToSelector(class: Class, selector: Sel) -> i8;
    pub fn sel_registerName(name: *const c_char) -> Sel;
}

/// A selector by its name, registered with the runtime at its first use.
pub struct Selector {
    name: &'static CStr,
    registered: AtomicPtr<c_void>,
}

impl Selector {
    /// Names a selector; nothing is registered yet.
    pub const fn new(name: &'static CStr) -> Self {
        Self {
            name,
            registered: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The registered selector.
    pub fn get(&self) -> Sel {
        let known = self.registered.load(Ordering::Acquire);
        if !known.is_null() {
            return known.cast_const();
        }
        // SAFETY: the name is a C string, and registering a selector twice gives the same one.
        let selector = unsafe { sel_registerName(self.name.as_ptr()) };
        self.registered
            .store(selector.cast_mut(), Ordering::Release);
        selector
    }
}

/// Sends a message: `send!(receiver, "setBuffer:offset:atIndex:", buffer => Id, 0 => usize; ())`.
///
/// Each argument states its C type, the type after the semicolon is the result's. The caller vouches, in an `unsafe` block,
/// that the receiver is alive (or nil) and that its method has this signature.
macro_rules! send {
    ($receiver:expr, $name:literal $(, $argument:expr => $type:ty)* ; $result:ty) => {{
        static SELECTOR: $crate::runtime::Selector = $crate::runtime::Selector::new(
            match ::std::ffi::CStr::from_bytes_with_nul(concat!($name, "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!("a selector holds no NUL"),
            },
        );
        let receiver: $crate::runtime::Id = $receiver;
        let selector = SELECTOR.get();
        let imp: unsafe extern "C-unwind" fn($crate::runtime::Id, $crate::runtime::Sel $(, $type)*) -> $result =
            ::std::mem::transmute($crate::runtime::implementation(receiver, selector));
        imp(receiver, selector $(, $argument)*)
    }};
}

/// Sends a message to the superclass of the class that the named specification registered, as `[super ...]` does.
macro_rules! send_super {
    ($receiver:expr, $class:expr, $name:literal $(, $argument:expr => $type:ty)* ; $result:ty) => {{
        static SELECTOR: $crate::runtime::Selector = $crate::runtime::Selector::new(
            match ::std::ffi::CStr::from_bytes_with_nul(concat!($name, "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!("a selector holds no NUL"),
            },
        );
        let selector = SELECTOR.get();
        let mut receiver = $crate::runtime::SuperReceiver::new($receiver, $class);
        let (imp, first) = $crate::runtime::super_implementation(&mut receiver, selector);
        let imp: unsafe extern "C-unwind" fn($crate::runtime::Id, $crate::runtime::Sel $(, $type)*) -> $result =
            ::std::mem::transmute(imp);
        imp(first, selector $(, $argument)*)
    }};
}

/// Defines a method's function under its Objective-C name: `method!("-[Class sel:]", fn name(this, argument: Type) -> Type { ... })`.
/// The body runs inside `unsafe`: a method runs on a live instance of its class, with arguments of its encoding's types.
macro_rules! method {
    ($symbol:literal, fn $name:ident($this:ident $(, $argument:ident: $type:ty)*) $(-> $result:ty)? $body:block) => {
        #[unsafe(export_name = $symbol)]
        #[inline(never)]
        unsafe extern "C-unwind" fn $name<const LOCAL: bool>(
            $this: $crate::runtime::Id,
            _: $crate::runtime::Sel
            $(, $argument: $type)*
        ) $(-> $result)? {
            #[allow(unused_unsafe, reason = "some bodies need none")]
            // SAFETY: a method runs on a live instance of its class, with arguments of its encoding's types.
            unsafe { $body }
        }
    };
}

pub(crate) use method;
pub(crate) use send;
pub(crate) use send_super;

/// Allocates an instance of a class that the driver registered; the caller owns the one reference.
///
/// # Safety
/// `class` is a registered class whose root answers `+alloc`.
pub unsafe fn allocate(class: Class) -> Id {
    // SAFETY: the caller's promise.
    unsafe { send!(class, "alloc"; Id) }
}
