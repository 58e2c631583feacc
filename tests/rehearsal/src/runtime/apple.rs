//! Apple's runtime: one function sends every message, and reference counts, pools and blocks are the system's.

use super::class::{ClassRef, ClassSpec, Method};
use super::{Class, Id, Imp, Sel, quarantine};
use std::ffi::{CStr, c_void};

unsafe extern "C-unwind" {
    fn objc_msgSend();
    fn objc_msgSendSuper();
    fn object_getClass(object: Id) -> Class;
    fn class_getSuperclass(class: Class) -> Class;
    fn class_getInstanceSize(class: Class) -> usize;
    fn objc_destructInstance(object: Id) -> Id;
    fn objc_retain(object: Id) -> Id;
    fn objc_release(object: Id);
    fn objc_autorelease(object: Id) -> Id;
    fn objc_autoreleasePoolPush() -> *mut c_void;
    fn objc_autoreleasePoolPop(pool: *mut c_void);
    fn _Block_copy(block: *const c_void) -> *mut c_void;
    fn _Block_release(block: *const c_void);
}

unsafe extern "C" {
    static _NSConcreteStackBlock: [*const c_void; 32];
}

/// The class of a block that lies on the stack.
pub fn stack_block_class() -> *const c_void {
    (&raw const _NSConcreteStackBlock).cast()
}

/// The section whose functions the loader calls once the library is mapped.
#[used]
#[unsafe(link_section = "__DATA,__mod_init_func")]
static CONSTRUCTOR: extern "C" fn() = crate::load;

/// `struct objc_super`.
#[repr(C)]
pub struct SuperReceiver {
    receiver: Id,
    superclass: Class,
}

impl SuperReceiver {
    /// A message to `receiver` that starts above `class`.
    pub fn new(receiver: Id, class: &ClassRef) -> Self {
        // SAFETY: the class is registered, or no method of it could be running.
        let superclass = unsafe { class_getSuperclass(class.get()) };
        Self {
            receiver,
            superclass,
        }
    }
}

/// The function to call for a message.
///
/// # Safety
/// `receiver` is nil, a class, or a live object.
pub unsafe fn implementation(_receiver: Id, _selector: Sel) -> Imp {
    objc_msgSend as *const () as Imp
}

/// The function to call for a message to the superclass, and its first argument.
///
/// # Safety
/// As for [`implementation`].
pub unsafe fn super_implementation(receiver: &mut SuperReceiver, _selector: Sel) -> (Imp, Id) {
    (
        objc_msgSendSuper as *const () as Imp,
        (&raw mut *receiver).cast(),
    )
}

/// The metaclass, to which class methods are added.
///
/// # Safety
/// `class` is a class, registered or being built.
pub unsafe fn metaclass(class: Class) -> Class {
    // SAFETY: the caller's promise.
    unsafe { object_getClass(class) }
}

/// The class of an object.
///
/// # Safety
/// `object` is a live object.
pub unsafe fn class_of(object: Id) -> Class {
    // SAFETY: the caller's promise.
    unsafe { object_getClass(object) }
}

/// Adds a reference to an object, or does nothing for nil.
///
/// # Safety
/// `object` is nil or alive.
pub unsafe fn retain(object: Id) -> Id {
    // SAFETY: the caller's promise.
    unsafe { objc_retain(object) }
}

/// Drops a reference to an object, or does nothing for nil.
///
/// # Safety
/// `object` is nil or alive, and the caller owns the reference.
pub unsafe fn release(object: Id) {
    // SAFETY: the caller's promise.
    unsafe { objc_release(object) }
}

/// Hands the caller's reference to the thread's innermost pool.
///
/// # Safety
/// `object` is nil or alive, and the caller owns the reference.
pub unsafe fn autorelease(object: Id) -> Id {
    // SAFETY: the caller's promise.
    unsafe { objc_autorelease(object) }
}

/// Runs `body` in a pool of its own and releases what was put there.
pub fn with_pool<T>(body: impl FnOnce() -> T) -> T {
    // SAFETY: push and pop are paired; an unwinding body leaves the pool to the enclosing one, as the runtime allows.
    unsafe {
        let pool = objc_autoreleasePoolPush();
        let result = body();
        objc_autoreleasePoolPop(pool);
        result
    }
}

/// Objects alive are not counted: the system's root class makes them.
pub fn live_objects() -> i64 {
    -1
}

/// The class below which all of the driver's classes stand: its own, right below `NSObject`, which frees objects so that their
/// memory serves the next one at once. A use after free would then be a silent success.
pub const ROOT: &CStr = c"AGXRehearsalObject";

static ROOT_CLASS: ClassRef = ClassRef::new();

/// The classes that have to stand first.
pub fn first_classes() -> Vec<ClassSpec> {
    vec![ClassSpec {
        name: ROOT,
        superclass: Some(c"NSObject"),
        ivars: vec![],
        methods: vec![Method::new(
            c"dealloc",
            c"v@:",
            dealloc::<true> as *const (),
        )],
        class_methods: vec![],
        registered: &ROOT_CLASS,
    }]
}

/// What `NSObject`'s does, but for giving the memory back: that is poisoned and rests.
#[unsafe(export_name = "-[AGXRehearsalObject dealloc]")]
unsafe extern "C-unwind" fn dealloc<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: nobody holds a reference; the size is the runtime's own for this class, which allocates with calloc. Destructing
    // clears what the runtime keeps aside for the object, and frees nothing.
    unsafe {
        let size = class_getInstanceSize(object_getClass(this));
        quarantine::rest(objc_destructInstance(this), size);
    }
}

/// Loads CoreFoundation: it is what asks `forwardingTargetForSelector:`. It gives the runtime its forward handler when it is
/// loaded; before that, the runtime's own handler ends the process at the first message that has no method. A process with Metal
/// has CoreFoundation, a program that links the system's library alone does not.
///
/// # Errors
/// What the loader says.
pub fn prepare() -> Result<(), String> {
    const CORE_FOUNDATION: &CStr =
        c"/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation";
    // SAFETY: a C string; the handle is kept for good, as a forward handler cannot be taken back. A constructor may load a library:
    // the loader's lock is recursive.
    unsafe {
        if libc::dlopen(CORE_FOUNDATION.as_ptr(), libc::RTLD_NOW).is_null() {
            let why = CStr::from_ptr(libc::dlerror()).to_string_lossy();
            return Err(format!("CoreFoundation cannot be loaded: {why}"));
        }
    }
    Ok(())
}

/// A block that a method keeps.
///
/// # Safety
/// `block` is a block by the blocks ABI.
pub unsafe fn copy_block(block: *const crate::block::Block) -> *mut crate::block::Block {
    // SAFETY: the caller's promise.
    unsafe { _Block_copy(block.cast()).cast() }
}

/// Gives back a block that [`copy_block`] made.
///
/// # Safety
/// `block` came from [`copy_block`] and is not used again.
pub unsafe fn release_block(block: *mut crate::block::Block) {
    // SAFETY: the caller's promise.
    unsafe { _Block_release(block.cast()) }
}
