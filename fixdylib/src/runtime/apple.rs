//! Apple's runtime. libobjc is part of libSystem's closure, so that linking it costs a process nothing.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::mem::transmute;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use agx_ledger::Counter;
use agx_ledger::layout::{degraded, flag};

use super::{Class, Common, Id, Imp, Method, Selector};
use crate::{hooks, ledger, say};

#[link(name = "objc", kind = "dylib")]
unsafe extern "C" {
    fn class_getName(class: Class) -> *const c_char;
    fn class_getSuperclass(class: Class) -> Class;
    fn class_copyMethodList(class: Class, count: *mut c_uint) -> *mut Method;
    fn class_getInstanceVariable(class: Class, name: *const c_char) -> *const c_void;
    fn class_getInstanceMethod(class: Class, selector: Selector) -> Method;
    fn class_conformsToProtocol(class: Class, protocol: *const c_void) -> i8;
    fn objc_getProtocol(name: *const c_char) -> *const c_void;
    fn ivar_getOffset(ivar: *const c_void) -> isize;
    fn method_getName(method: Method) -> Selector;
    fn method_getImplementation(method: Method) -> Imp;
    fn method_getTypeEncoding(method: Method) -> *const c_char;
    fn method_setImplementation(method: Method, implementation: Imp) -> Imp;
    fn object_getClass(object: Id) -> Class;
    fn objc_getClassList(buffer: *mut Class, count: c_int) -> c_int;
    fn sel_getName(selector: Selector) -> *const c_char;
    fn sel_registerName(name: *const c_char) -> Selector;
}

unsafe extern "C-unwind" {
    fn objc_msgSend();
    fn objc_retain(object: Id) -> Id;
    fn objc_release(object: Id);
}

static COMMON: Common = Common {
    class_get_name: class_getName,
    class_get_superclass: class_getSuperclass,
    class_copy_method_list: class_copyMethodList,
    class_get_instance_variable: class_getInstanceVariable,
    class_conforms_to_protocol: class_conformsToProtocol,
    get_protocol: objc_getProtocol,
    ivar_get_offset: ivar_getOffset,
    method_get_name: method_getName,
    method_get_implementation: method_getImplementation,
    method_get_type_encoding: method_getTypeEncoding,
    sel_get_name: sel_getName,
    sel_register_name: sel_registerName,
};

#[allow(clippy::unnecessary_wraps)] // GCC's runtime may be absent
pub(super) fn common() -> Option<&'static Common> {
    Some(&COMMON)
}

/// The trigger was found.
static ANNOUNCES: AtomicBool = AtomicBool::new(false);

/// `_objc_func_willInitializeClass` of objc-internal.h.
type WillInitialise = extern "C" fn(context: *mut c_void, class: Class);

/// Asks to be told of each class just before its `+initialize`, which is before its first message. Exported since macOS
/// 10.15 and declared in objc-internal.h ("The class can be queried and manipulated using runtime functions. Don't
/// message it."); the runtime calls at once for every class that is initialised already.
pub fn start() {
    ledger::set_flag(flag::OBJC_SEEN);
    // SAFETY: the symbol, where it exists, has this type; the callback lives as long as the process, because a library
    // with Objective-C callbacks is never unloaded.
    unsafe {
        let found = libc::dlsym(
            libc::RTLD_DEFAULT,
            c"_objc_addWillInitializeClassFunc".as_ptr(),
        );
        if found.is_null() {
            ledger::note_degraded(degraded::NO_TRIGGER);
            super::apple_net::activate();
            scan();
        } else {
            ANNOUNCES.store(true, Ordering::Relaxed);
            let add: unsafe extern "C" fn(WillInitialise, *mut c_void) = transmute(found);
            add(will_initialise, ptr::null_mut());
        }
    }
}

extern "C" fn will_initialise(_context: *mut c_void, class: Class) {
    crate::guarded(|| {
        hooks::on_class_ready(class);
        say::pass_on();
    });
}

/// Whether each class is announced before its first message.
pub fn announces_first_messages() -> bool {
    ANNOUNCES.load(Ordering::Relaxed)
}

/// The classes that are there now.
#[allow(clippy::unnecessary_wraps)] // GCC's runtime may be absent, or in the middle of its modules
pub fn classes() -> Option<Vec<Class>> {
    // SAFETY: the runtime takes its own lock; a list that grew between the calls is cut at the buffer's end.
    Some(unsafe {
        let count = objc_getClassList(ptr::null_mut(), 0);
        let mut classes: Vec<Class> = vec![ptr::null(); usize::try_from(count).unwrap_or(0)];
        let all = objc_getClassList(classes.as_mut_ptr(), count);
        classes.truncate(usize::try_from(all).unwrap_or(0).min(classes.len()));
        classes
    })
}

/// The net without the trigger: the classes that are there now.
pub(super) fn scan() {
    ledger::count(Counter::ClassScans, 1);
    classes()
        .into_iter()
        .flatten()
        .for_each(hooks::on_class_ready);
    say::pass_on();
}

/// Nothing to put in order in the child of a `fork`: there is no state here.
pub fn reset_after_fork(_me: usize) {}

/// Gives a method new code; true if it has it.
///
/// # Safety
/// `method` is of a class's own list, and `implementation` takes what the method takes.
pub unsafe fn install(method: Method, implementation: Imp) -> bool {
    // SAFETY: promised by the caller. The runtime flushes its caches itself.
    unsafe {
        method_setImplementation(method, implementation);
        method_getImplementation(method) == implementation
    }
}

/// Nothing is left to do once the methods are set.
///
/// # Safety
/// None; the other runtime's function has duties.
pub unsafe fn class_finished(_class: Class) {}

/// The class of an object.
///
/// # Safety
/// `object` is an object.
pub unsafe fn class_of(object: Id) -> Class {
    // SAFETY: promised by the caller.
    unsafe { object_getClass(object) }
}

/// The bits of an object's first word that say its class. The runtime exports them for debuggers
/// (objc-gdb.h, `objc_debug_isa_class_mask`). Where they are not told all bits count: an object whose count changed is then
/// looked at anew.
pub fn class_bits() -> usize {
    // SAFETY: the symbol, where it exists, is a word that never changes.
    unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, c"objc_debug_isa_class_mask".as_ptr());
        if found.is_null() {
            usize::MAX
        } else {
            found.cast::<usize>().read()
        }
    }
}

/// The code that a message to `object` would run; `None` if it does not respond.
///
/// # Safety
/// `object` is an object.
pub unsafe fn implementation_for(object: Id, selector: Selector) -> Option<Imp> {
    // SAFETY: `object` is valid. An instance exists, so that its class is initialised and nothing is messaged.
    unsafe {
        let method = class_getInstanceMethod(object_getClass(object), selector);
        (!method.is_null()).then(|| method_getImplementation(method))
    }
}

/// Sends a message without arguments, whose result is not wanted.
///
/// # Safety
/// `object` is an object that responds to `selector` with a method that takes nothing and returns at most a pointer.
pub unsafe fn send(object: Id, selector: Selector) {
    // SAFETY: `objc_msgSend` is called with the type of the method that it jumps to.
    unsafe {
        let message: unsafe extern "C-unwind" fn(Id, Selector) =
            transmute(objc_msgSend as *const c_void);
        message(object, selector);
    }
}

/// Retains an object; false if it cannot be retained.
///
/// # Safety
/// `object` is an object.
pub unsafe fn retain(object: Id) -> bool {
    // SAFETY: promised by the caller.
    unsafe { objc_retain(object) };
    true
}

/// Gives a retain back.
///
/// # Safety
/// [`retain`] returned true for the object.
pub unsafe fn release(object: Id) {
    // SAFETY: promised by the caller.
    unsafe { objc_release(object) };
}

/// How often an object is retained; `None` if it does not tell.
///
/// # Safety
/// `object` is an object.
pub unsafe fn retain_count(object: Id) -> Option<usize> {
    let selector = super::known::RETAIN_COUNT.get();
    // SAFETY: the object responds, as is asked first, and the method has this type wherever it exists.
    unsafe {
        let method: unsafe extern "C-unwind" fn(Id, Selector) -> usize =
            transmute(implementation_for(object, selector)?);
        Some(method(object, selector))
    }
}
