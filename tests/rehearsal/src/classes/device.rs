//! The device: it owns the pool and makes queues and resources.

use super::{queue, resources};
use crate::faults::Flaw;
use crate::impl_pool::{Impl, ImplPool};
use crate::queue_thread::EventState;
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Id, Sel, allocate, send, send_super};
use std::sync::Arc;

static METAL: ClassRef = ClassRef::new();
static IOGPU: ClassRef = ClassRef::new();
/// `AGXG16XFamilyDevice`.
pub static AGX: ClassRef = ClassRef::new();
static POOL: Ivar = Ivar::word(c"_implPool", c"^v");
/// What the device has once, for commands and for commits.
static ALLOCATOR: Ivar = Ivar::word(c"_spillAllocator", c"^v");
static SUBMISSION: Ivar = Ivar::word(c"_submission", c"^v");

/// `_MTLDevice`.
pub fn metal() -> ClassSpec {
    ClassSpec {
        name: c"_MTLDevice",
        superclass: Some(c"NSObject"),
        ivars: vec![],
        methods: vec![],
        class_methods: vec![],
        registered: &METAL,
    }
}

/// `IOGPUMetalDevice`.
pub fn iogpu() -> ClassSpec {
    ClassSpec {
        name: c"IOGPUMetalDevice",
        superclass: Some(c"_MTLDevice"),
        ivars: vec![],
        methods: vec![],
        class_methods: vec![],
        registered: &IOGPU,
    }
}

/// `AGXG16XFamilyDevice`.
pub fn agx() -> ClassSpec {
    ClassSpec {
        name: c"AGXG16XFamilyDevice",
        superclass: Some(c"IOGPUMetalDevice"),
        ivars: vec![&POOL, &ALLOCATOR, &SUBMISSION],
        methods: vec![
            Method::new(
                c"initWithAcceleratorPort:",
                c"@@:I",
                init::<true> as *const (),
            ),
            Method::new(
                c"newCommandQueue",
                c"@@:",
                new_command_queue::<true> as *const (),
            ),
            Method::new(
                c"newBufferWithLength:options:",
                c"@@:QQ",
                new_buffer::<true> as *const (),
            ),
            Method::new(
                c"newSharedEvent",
                c"@@:",
                new_shared_event::<true> as *const (),
            ),
            Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &AGX,
    }
}

/// The device's pool.
///
/// # Safety
/// `device` is a live device that outlives the reference.
pub unsafe fn pool<'a>(device: Id) -> &'a ImplPool {
    // SAFETY: set by `init`, freed by `dealloc`.
    unsafe { &*POOL.load::<*const ImplPool>(device) }
}

/// Where a device keeps what it has once, by the flaw that takes it out.
pub fn the_only(flaw: Flaw) -> &'static Ivar {
    match flaw {
        Flaw::Submission => &SUBMISSION,
        _ => &ALLOCATOR,
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyDevice initWithAcceleratorPort:]")]
unsafe extern "C-unwind" fn init<const LOCAL: bool>(this: Id, _: Sel, _port: u32) -> Id {
    // SAFETY: a fresh instance of this class.
    unsafe {
        POOL.store(this, Box::into_raw(Box::<ImplPool>::default()));
        for place in [&ALLOCATOR, &SUBMISSION] {
            place.store(this, Impl::allocate());
        }
    }
    this
}

#[unsafe(export_name = "-[AGXG16XFamilyDevice newCommandQueue]")]
unsafe extern "C-unwind" fn new_command_queue<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: the class stands, its initialiser has this signature.
    unsafe {
        let queue = allocate(queue::AGX.get());
        send!(queue, "initWithDevice:descriptor:", this => Id, std::ptr::null_mut() => Id; Id)
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyDevice newBufferWithLength:options:]")]
unsafe extern "C-unwind" fn new_buffer<const LOCAL: bool>(
    _: Id,
    _: Sel,
    length: usize,
    _options: usize,
) -> Id {
    // SAFETY: a fresh instance of the class that declares the variable.
    unsafe {
        let buffer = allocate(resources::BUFFER.get());
        resources::BUFFER_LENGTH.store(buffer, length);
        buffer
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyDevice newSharedEvent]")]
unsafe extern "C-unwind" fn new_shared_event<const LOCAL: bool>(_: Id, _: Sel) -> Id {
    // SAFETY: a fresh instance of the class that declares the variable.
    unsafe {
        let event = allocate(resources::SHARED_EVENT.get());
        resources::EVENT_STATE.store(event, Arc::into_raw(Arc::<EventState>::default()));
        event
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyDevice dealloc]")]
unsafe extern "C-unwind" fn dealloc<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: the last reference is gone; the pool came from `Box::into_raw`.
    unsafe {
        drop(Box::from_raw(POOL.take(this).cast::<ImplPool>()));
        for place in [&ALLOCATOR, &SUBMISSION] {
            Impl(place.take(this).cast()).free();
        }
        send_super!(this, &AGX, "dealloc"; ());
    }
}
