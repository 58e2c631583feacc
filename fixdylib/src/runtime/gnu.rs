//! GCC's runtime, `libobjc.so.4` (tested with GCC 12's). Never linked: a process without it gets none from us.
//!
//! It differs from Apple's where it matters here:
//! - there is no callback for a new class, but compilers' modules enter through `__objc_exec_class` and classes made at
//!   run time through `objc_registerClassPair`: this library exports both, and being preloaded is asked first;
//! - `method_setImplementation` does not reach subclasses whose dispatch tables stand already, so that the tables are
//!   rebuilt with `__objc_update_dispatch_table_for_class`;
//! - a class's superclass is a name until its links are resolved.

use std::ffi::{CStr, c_char, c_int, c_long, c_ulong, c_void};
use std::mem::transmute;
use std::ptr;
use std::sync::OnceLock;

use agx_ledger::Counter;
use agx_ledger::layout::flag;

use super::{Class, Common, Id, Imp, Method, Selector, known};
use crate::{hooks, ledger, lock::Reentrant};

/// GCC's `struct objc_method`.
#[repr(C)]
struct GnuMethod {
    name: Selector,
    types: *const c_char,
    implementation: Imp,
}

/// The start of GCC's `struct objc_class` (libobjc/objc-private/module-abi-8.h).
#[repr(C)]
struct GnuClass {
    metaclass: Class,
    /// The superclass, or its name until the links are resolved.
    superclass: *const c_void,
    name: *const c_char,
    version: c_long,
    info: c_ulong,
}

/// Bit of [`GnuClass::info`]: the links are resolved.
const RESOLVED: c_ulong = 8;

/// What this file needs beside [`Common`].
#[derive(Clone, Copy)]
struct Gnu {
    common: Common,
    msg_lookup: unsafe extern "C-unwind" fn(Id, Selector) -> Imp,
    class_responds: unsafe extern "C" fn(Class, Selector) -> i8,
    class_get_implementation: unsafe extern "C" fn(Class, Selector) -> Imp,
    look_up_class: unsafe extern "C" fn(*const c_char) -> Class,
    get_class_list: unsafe extern "C" fn(*mut Class, c_int) -> c_int,
    update_table: unsafe extern "C" fn(Class),
    resolve_links: unsafe extern "C" fn(),
    exec_class: unsafe extern "C-unwind" fn(*mut c_void),
    register_pair: unsafe extern "C-unwind" fn(Class),
}

static GNU: OnceLock<Gnu> = OnceLock::new();

/// Finds the runtime if it is in the process, wherever it was loaded: `ctypes` loads libraries locally, where the
/// default search does not see them.
fn gnu() -> Option<&'static Gnu> {
    if let Some(found) = GNU.get() {
        return Some(found);
    }
    // SAFETY: with RTLD_NOLOAD nothing is loaded and no code runs; the reference keeps the library for good.
    let library = unsafe {
        libc::dlopen(
            c"libobjc.so.4".as_ptr(),
            libc::RTLD_NOLOAD | libc::RTLD_LAZY,
        )
    };
    if library.is_null() {
        return None;
    }
    let found = look_up(library)?;
    ledger::set_flag(flag::OBJC_SEEN);
    Some(GNU.get_or_init(|| found))
}

#[allow(clippy::missing_transmute_annotations)] // the fields give the types
fn look_up(library: *mut c_void) -> Option<Gnu> {
    let symbol = |name: &CStr| {
        // SAFETY: the handle is open.
        let found = unsafe { libc::dlsym(library, name.as_ptr()) };
        (!found.is_null()).then_some(found)
    };
    // SAFETY: each symbol has the type that objc/runtime.h, objc/message.h and objc-private/ declare for it in GCC 12.
    unsafe {
        Some(Gnu {
            common: Common {
                class_get_name: transmute::<*mut c_void, _>(symbol(c"class_getName")?),
                class_get_superclass: transmute::<*mut c_void, _>(symbol(c"class_getSuperclass")?),
                class_copy_method_list: transmute::<*mut c_void, _>(symbol(
                    c"class_copyMethodList",
                )?),
                class_get_instance_variable: transmute::<*mut c_void, _>(symbol(
                    c"class_getInstanceVariable",
                )?),
                class_conforms_to_protocol: transmute::<*mut c_void, _>(symbol(
                    c"class_conformsToProtocol",
                )?),
                get_protocol: transmute::<*mut c_void, _>(symbol(c"objc_getProtocol")?),
                ivar_get_offset: transmute::<*mut c_void, _>(symbol(c"ivar_getOffset")?),
                method_get_name: transmute::<*mut c_void, _>(symbol(c"method_getName")?),
                method_get_implementation: transmute::<*mut c_void, _>(symbol(
                    c"method_getImplementation",
                )?),
                method_get_type_encoding: transmute::<*mut c_void, _>(symbol(
                    c"method_getTypeEncoding",
                )?),
                sel_get_name: transmute::<*mut c_void, _>(symbol(c"sel_getName")?),
                sel_register_name: transmute::<*mut c_void, _>(symbol(c"sel_registerName")?),
            },
            msg_lookup: transmute::<*mut c_void, _>(symbol(c"objc_msg_lookup")?),
            class_responds: transmute::<*mut c_void, _>(symbol(c"class_respondsToSelector")?),
            class_get_implementation: transmute::<*mut c_void, _>(symbol(
                c"class_getMethodImplementation",
            )?),
            look_up_class: transmute::<*mut c_void, _>(symbol(c"objc_lookUpClass")?),
            get_class_list: transmute::<*mut c_void, _>(symbol(c"objc_getClassList")?),
            update_table: transmute::<*mut c_void, _>(symbol(
                c"__objc_update_dispatch_table_for_class",
            )?),
            resolve_links: transmute::<*mut c_void, _>(symbol(c"__objc_resolve_class_links")?),
            exec_class: transmute::<*mut c_void, _>(symbol(c"__objc_exec_class")?),
            register_pair: transmute::<*mut c_void, _>(symbol(c"objc_registerClassPair")?),
        })
    }
}

pub(super) fn common() -> Option<&'static Common> {
    Some(&gnu()?.common)
}

/// Looks at the classes that are there already. From then on the exported functions below announce new ones.
pub fn start() {
    if gnu().is_some() {
        scan();
    }
}

/// Classes that were announced, so that a scan announces each once.
static SEEN: Reentrant<Vec<usize>> = Reentrant::new(Vec::new());

/// Whether each class is announced before its first message: a scan may come too late, or never.
pub fn announces_first_messages() -> bool {
    false
}

/// The classes that are there now; none without a runtime, `None` while it takes a module in.
pub fn classes() -> Option<Vec<Class>> {
    let Some(it) = gnu() else {
        return Some(Vec::new());
    };
    let classes = list(it);
    can_resolve(it, &classes).then_some(classes)
}

/// The classes that the runtime knows.
fn list(it: &Gnu) -> Vec<Class> {
    // SAFETY: the runtime takes its own lock; a list that grew between the calls is cut at the buffer's end.
    unsafe {
        let count = (it.get_class_list)(ptr::null_mut(), 0);
        let mut classes: Vec<Class> = vec![ptr::null(); usize::try_from(count).unwrap_or(0)];
        let written = (it.get_class_list)(classes.as_mut_ptr(), count);
        classes.truncate(usize::try_from(written).unwrap_or(0).min(classes.len()));
        classes
    }
}

/// Whether every superclass is there. The runtime aborts the process ("cannot find class Object") if links are resolved
/// before that, as its own modules would see it do while they are taken in one by one.
fn can_resolve(it: &Gnu, classes: &[Class]) -> bool {
    // SAFETY: names end in NUL, and classes of the runtime start as `GnuClass` says.
    unsafe {
        !(it.look_up_class)(c"Object".as_ptr()).is_null()
            && classes.iter().all(|class| {
                let class = &*class.cast::<GnuClass>();
                class.info & RESOLVED != 0
                    || class.superclass.is_null()
                    || !(it.look_up_class)(class.superclass.cast()).is_null()
            })
    }
}

/// Announces every class of which nothing is known. Superclasses may come after their subclasses, which the hooks allow.
///
/// While a superclass is missing nothing is announced. No message can be sent then either: the first one resolves the
/// links.
fn scan() {
    let Some(it) = gnu() else { return };
    ledger::count(Counter::ClassScans, 1);
    let classes = list(it);
    if !can_resolve(it, &classes) {
        return;
    }
    // SAFETY: every superclass is there.
    unsafe { (it.resolve_links)() };
    let me = ledger::thread() as usize;
    for class in classes {
        SEEN.lock(me);
        // SAFETY: locked in the line above, and the closure does not lock.
        let new = unsafe {
            let new = SEEN.with(|seen| match seen.binary_search(&(class as usize)) {
                Ok(_) => false,
                Err(at) => {
                    seen.insert(at, class as usize);
                    true
                }
            });
            SEEN.unlock();
            new
        };
        if new {
            hooks::on_class_ready(class);
        }
    }
}

/// Puts this file in order in the child of a `fork`.
pub fn reset_after_fork(me: usize) {
    if SEEN.reset_after_fork(me) {
        return;
    }
    SEEN.lock(me);
    // SAFETY: locked in the line above. What another thread may have left half done is abandoned, not freed.
    unsafe {
        SEEN.with(|seen| std::mem::forget(std::mem::take(seen)));
        SEEN.unlock();
    }
}

/// Gives a method of `class` new code; true if it has it. Callers end with [`class_finished`].
///
/// # Safety
/// `method` is of the class's own list, and `implementation` takes what the method takes.
pub unsafe fn install(method: Method, implementation: Imp) -> bool {
    // SAFETY: GCC's `Method` points to this structure (objc/runtime.h, "struct objc_method").
    unsafe { (*method.cast::<GnuMethod>()).implementation = implementation };
    true
}

/// Makes the new code of a class's methods reach the class and its subclasses.
///
/// # Safety
/// `class` is a class of the runtime.
pub unsafe fn class_finished(class: Class) {
    if let Some(it) = gnu() {
        // SAFETY: `class` is valid; the runtime takes its own lock, and does nothing for a class without a table.
        unsafe { (it.update_table)(class) };
    }
}

/// The class of an object, which GCC's headers read inline.
///
/// # Safety
/// `object` is an object.
pub unsafe fn class_of(object: Id) -> Class {
    // SAFETY: every object starts with its class.
    unsafe { *object.cast::<Class>() }
}

/// The bits of an object's first word that say its class: all.
pub fn class_bits() -> usize {
    usize::MAX
}

/// The code that a message to `object` would run; `None` if it does not respond.
///
/// # Safety
/// `object` is an object.
pub unsafe fn implementation_for(object: Id, selector: Selector) -> Option<Imp> {
    let it = gnu()?;
    // SAFETY: `object` is valid, and so is its class.
    unsafe {
        let class = class_of(object);
        ((it.class_responds)(class, selector) != 0)
            .then(|| (it.class_get_implementation)(class, selector))
    }
}

/// Sends a message without arguments, whose result is not wanted.
///
/// # Safety
/// `object` is an object that responds to `selector` with a method that takes nothing and returns at most a pointer.
pub unsafe fn send(object: Id, selector: Selector) {
    if let Some(it) = gnu() {
        // SAFETY: promised by the caller.
        unsafe {
            let method: unsafe extern "C-unwind" fn(Id, Selector) =
                transmute((it.msg_lookup)(object, selector));
            method(object, selector);
        }
    }
}

/// Retains an object; false if it cannot be retained.
///
/// # Safety
/// `object` is an object.
pub unsafe fn retain(object: Id) -> bool {
    let (retain, release) = (known::RETAIN.get(), known::RELEASE.get());
    // SAFETY: the object responds to both, as is asked first: a root class need not.
    unsafe {
        let can = implementation_for(object, retain).is_some()
            && implementation_for(object, release).is_some();
        if can {
            send(object, retain);
        }
        can
    }
}

/// Gives a retain back.
///
/// # Safety
/// [`retain`] returned true for the object.
pub unsafe fn release(object: Id) {
    // SAFETY: promised by the caller.
    unsafe { send(object, known::RELEASE.get()) };
}

/// How often an object is retained; `None` if it does not tell.
///
/// # Safety
/// `object` is an object.
pub unsafe fn retain_count(object: Id) -> Option<usize> {
    let selector = known::RETAIN_COUNT.get();
    // SAFETY: the object responds, as is asked first, and the method has this type wherever it exists.
    unsafe {
        let method: unsafe extern "C-unwind" fn(Id, Selector) -> usize =
            transmute(implementation_for(object, selector)?);
        Some(method(object, selector))
    }
}

/// Takes in a compiler's module: GCC calls it from each module's constructor.
///
/// # Safety
/// As the runtime's function of this name, which does the work.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn __objc_exec_class(module: *mut c_void) {
    let Some(it) = gnu() else { missing() };
    // SAFETY: the caller's argument, passed on.
    unsafe { (it.exec_class)(module) };
    crate::guarded(scan);
}

/// Takes in a class made at run time.
///
/// # Safety
/// As the runtime's function of this name, which does the work.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn objc_registerClassPair(class: Class) {
    let Some(it) = gnu() else { missing() };
    // SAFETY: the caller's argument, passed on.
    unsafe { (it.register_pair)(class) };
    crate::guarded(scan);
}

/// Somebody calls the runtime and there is none: without us the program would not have been linked.
#[cold]
fn missing() -> ! {
    crate::say::say(format_args!(
        "an Objective-C runtime other than libobjc.so.4 is not supported (set AGX_FIX_DISABLE=1)"
    ));
    std::process::abort()
}
