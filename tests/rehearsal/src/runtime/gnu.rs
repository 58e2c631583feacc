//! GCC's runtime: look-up and call are two steps, and the root class, reference counts and pools are ours.

use super::class::{ClassRef, ClassSpec, Ivar, Method};
use super::{Class, Id, Imp, NIL, Sel, forward, quarantine, send};
use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

unsafe extern "C-unwind" {
    fn objc_msg_lookup(receiver: Id, selector: Sel) -> Imp;
    fn objc_msg_lookup_super(receiver: *mut SuperReceiver, selector: Sel) -> Imp;
    fn class_createInstance(class: Class, extra_bytes: usize) -> Id;
    fn class_getInstanceSize(class: Class) -> usize;
    fn class_getSuperclass(class: Class) -> Class;
}

/// GCC's runtime has no block classes; nobody sends a block a message there.
pub fn stack_block_class() -> *const c_void {
    ptr::null()
}

/// The section whose functions the loader calls once the library is mapped.
#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = crate::load;

/// `struct objc_super` of GCC's runtime.
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
pub unsafe fn implementation(receiver: Id, selector: Sel) -> Imp {
    // SAFETY: the caller's promise.
    unsafe { objc_msg_lookup(receiver, selector) }
}

/// The function to call for a message to the superclass, and its first argument.
///
/// # Safety
/// As for [`implementation`].
pub unsafe fn super_implementation(receiver: &mut SuperReceiver, selector: Sel) -> (Imp, Id) {
    // SAFETY: the caller's promise; the structure is the runtime's own `objc_super`.
    (
        unsafe { objc_msg_lookup_super(receiver, selector) },
        receiver.receiver,
    )
}

/// The metaclass, to which class methods are added.
///
/// # Safety
/// `class` is a class, registered or being built.
pub unsafe fn metaclass(class: Class) -> Class {
    // SAFETY: a class begins with its `isa`, which `objc_allocateClassPair` has set.
    unsafe { class.cast::<Class>().read() }
}

/// The class of an object.
///
/// # Safety
/// `object` is a live object.
pub unsafe fn class_of(object: Id) -> Class {
    // SAFETY: the runtime keeps the class in an object's first word.
    unsafe { object.cast::<Class>().read() }
}

/// Adds a reference. Touches the class before anything else, as Apple's does: a dead object faults here.
#[unsafe(export_name = "objc_retain")]
#[inline(never)]
unsafe extern "C-unwind" fn retain_object(object: Id) -> Id {
    if object.is_null() {
        return object;
    }
    // SAFETY: the caller says that the object is alive.
    unsafe {
        touch_class(object);
        send!(object, "retain"; Id)
    }
}

/// Drops a reference; faults on a dead object like [`retain_object`].
#[unsafe(export_name = "objc_release")]
#[inline(never)]
unsafe extern "C-unwind" fn release_object(object: Id) {
    if object.is_null() {
        return;
    }
    // SAFETY: the caller says that the object is alive.
    unsafe {
        touch_class(object);
        send!(object, "release"; ());
    }
}

#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "the fault has to show in objc_retain and objc_release themselves"
)]
unsafe fn touch_class(object: Id) {
    // SAFETY: a live object's first word points at its class, which is longer than this. The fifth word, as in Apple's runtime (at
    // 0x20): its first one would be a NULL of its own where the object is gone, which the compiler's checks turn into a panic.
    unsafe {
        let class = object.cast::<*const usize>().read_volatile();
        class.wrapping_add(4).read_volatile();
    }
}

/// Adds a reference to an object, or does nothing for nil.
///
/// # Safety
/// `object` is nil or alive.
pub unsafe fn retain(object: Id) -> Id {
    // SAFETY: the caller's promise.
    unsafe { retain_object(object) }
}

/// Drops a reference to an object, or does nothing for nil.
///
/// # Safety
/// `object` is nil or alive, and the caller owns the reference.
pub unsafe fn release(object: Id) {
    // SAFETY: the caller's promise.
    unsafe { release_object(object) }
}

thread_local! {
    static POOL: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Hands the caller's reference to the thread's innermost pool.
///
/// # Safety
/// `object` is nil or alive, and the caller owns the reference.
pub unsafe fn autorelease(object: Id) -> Id {
    if !object.is_null() {
        POOL.with_borrow_mut(|pool| pool.push(object.addr()));
    }
    object
}

/// Runs `body` in a pool of its own and releases what was put there.
pub fn with_pool<T>(body: impl FnOnce() -> T) -> T {
    let depth = POOL.with_borrow(Vec::len);
    let result = body();
    let dropped = POOL.with_borrow_mut(|pool| pool.split_off(depth));
    for address in dropped {
        // SAFETY: each entry is a reference that `autorelease` took over.
        unsafe { release(ptr::with_exposed_provenance_mut(address)) }
    }
    result
}

/// Objects of this driver that are alive.
pub fn live_objects() -> i64 {
    LIVE.load(Ordering::Relaxed)
}

static LIVE: AtomicI64 = AtomicI64::new(0);

static NS_OBJECT: ClassRef = ClassRef::new();
static ISA: Ivar = Ivar::word(c"isa", c"#");
static REFERENCES: Ivar = Ivar::word(c"_references", c"Q");

/// The class below which all of the driver's classes stand.
pub const ROOT: &CStr = c"NSObject";

/// The classes that have to stand first. GCC's runtime brings no root class, so this driver registers its own under the
/// usual name.
pub fn first_classes() -> Vec<ClassSpec> {
    vec![root()]
}

fn root() -> ClassSpec {
    ClassSpec {
        name: ROOT,
        superclass: None,
        ivars: vec![&ISA, &REFERENCES],
        methods: vec![
            Method::new(c"init", c"@@:", init::<true> as *const ()),
            Method::new(c"retain", c"@@:", ns_retain::<true> as *const ()),
            Method::new(c"release", c"Vv@:", ns_release::<true> as *const ()),
            Method::new(c"autorelease", c"@@:", ns_autorelease::<true> as *const ()),
            Method::new(c"retainCount", c"Q@:", ns_retain_count::<true> as *const ()),
            Method::new(c"class", c"#@:", ns_class::<true> as *const ()),
            Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
        ],
        class_methods: vec![
            Method::new(c"alloc", c"@@:", alloc::<true> as *const ()),
            Method::new(c"class", c"#@:", init::<true> as *const ()),
        ],
        registered: &NS_OBJECT,
    }
}

/// Makes the runtime ask `forwardingTargetForSelector:`.
#[expect(clippy::unnecessary_wraps, reason = "on Apple's runtime this can fail")]
pub fn prepare() -> Result<(), String> {
    forward::install();
    Ok(())
}

unsafe fn references<'a>(object: Id) -> &'a AtomicUsize {
    // SAFETY: the variable is a word of a live object, only ever used atomically.
    unsafe { &*REFERENCES.at::<AtomicUsize>(object) }
}

#[unsafe(export_name = "+[NSObject alloc]")]
unsafe extern "C-unwind" fn alloc<const LOCAL: bool>(class: Class, _: Sel) -> Id {
    // SAFETY: the runtime passes the class; instances are zeroed.
    unsafe {
        let object = class_createInstance(class, 0);
        if !object.is_null() {
            references(object).store(1, Ordering::Relaxed);
            LIVE.fetch_add(1, Ordering::Relaxed);
        }
        object
    }
}

#[unsafe(export_name = "-[NSObject init]")]
unsafe extern "C-unwind" fn init<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    this
}

#[unsafe(export_name = "-[NSObject class]")]
unsafe extern "C-unwind" fn ns_class<const LOCAL: bool>(this: Id, _: Sel) -> Class {
    // SAFETY: a method runs on a live object.
    unsafe { class_of(this) }
}

#[unsafe(export_name = "-[NSObject retain]")]
unsafe extern "C-unwind" fn ns_retain<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: a method runs on a live object.
    unsafe { references(this) }.fetch_add(1, Ordering::Relaxed);
    this
}

#[unsafe(export_name = "-[NSObject release]")]
unsafe extern "C-unwind" fn ns_release<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live object; the last reference ends it.
    unsafe {
        if references(this).fetch_sub(1, Ordering::AcqRel) == 1 {
            send!(this, "dealloc"; ());
        }
    }
}

#[unsafe(export_name = "-[NSObject autorelease]")]
unsafe extern "C-unwind" fn ns_autorelease<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: the sender gives its reference away.
    unsafe { autorelease(this) }
}

#[unsafe(export_name = "-[NSObject retainCount]")]
unsafe extern "C-unwind" fn ns_retain_count<const LOCAL: bool>(this: Id, _: Sel) -> usize {
    // SAFETY: a method runs on a live object.
    unsafe { references(this) }.load(Ordering::Relaxed)
}

/// Poisons the object and lets its memory rest.
#[unsafe(export_name = "-[NSObject dealloc]")]
unsafe extern "C-unwind" fn dealloc<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: nobody holds a reference; the size is the runtime's own for this class, which allocates with calloc.
    unsafe { quarantine::rest(this, class_getInstanceSize(class_of(this))) }
    LIVE.fetch_sub(1, Ordering::Relaxed);
}

/// A block that a method keeps: its own copy, with what it captured.
///
/// # Safety
/// `block` is a block by the blocks ABI.
pub unsafe fn copy_block(block: *const crate::block::Block) -> *mut crate::block::Block {
    // SAFETY: the descriptor states the size; a copy helper, where there is one, retains what was captured.
    unsafe {
        let descriptor = &*(*block).descriptor;
        let copy = libc::calloc(1, descriptor.size).cast::<crate::block::Block>();
        ptr::copy_nonoverlapping(block.cast::<u8>(), copy.cast::<u8>(), descriptor.size);
        if let Some(helpers) = crate::block::helpers(block) {
            (helpers.copy)(copy.cast(), block.cast());
        }
        copy
    }
}

/// Gives back a block that [`copy_block`] made.
///
/// # Safety
/// `block` came from [`copy_block`] and is not used again.
pub unsafe fn release_block(block: *mut crate::block::Block) {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(helpers) = crate::block::helpers(block) {
            (helpers.dispose)(block.cast());
        }
        libc::free(block.cast());
    }
}

/// Asks an object for the one that answers `selector` in its place; nil when it has none to offer.
///
/// # Safety
/// `receiver` is a live object.
pub unsafe fn forwarding_target(receiver: Id, selector: Sel) -> Id {
    static ASK: super::Selector = super::Selector::new(c"forwardingTargetForSelector:");
    // SAFETY: the caller's promise; the signature is the method's own.
    unsafe {
        if super::class_respondsToSelector(class_of(receiver), ASK.get()) == 0 {
            return NIL;
        }
        send!(receiver, "forwardingTargetForSelector:", selector => Sel; Id)
    }
}
