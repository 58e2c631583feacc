//! Command queues: they make command buffers and hand committed ones to their thread.

use super::{coalescing, command_buffer};
use crate::queue_thread::QueueThread;
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Id, Sel, allocate, autorelease, release, retain, send, send_super};
use std::sync::Arc;

static METAL: ClassRef = ClassRef::new();
static IOGPU: ClassRef = ClassRef::new();
/// `AGXG16XFamilyCommandQueue`.
pub static AGX: ClassRef = ClassRef::new();
static DEVICE: Ivar = Ivar::word(c"_device", c"@");
static THREAD: Ivar = Ivar::word(c"_commitQueue", c"^v");

/// `_MTLCommandQueue`.
pub fn metal() -> ClassSpec {
    ClassSpec {
        name: c"_MTLCommandQueue",
        superclass: Some(c"_MTLObjectWithLabel"),
        ivars: vec![&DEVICE, &THREAD],
        methods: vec![
            Method::new(
                c"initWithDevice:descriptor:",
                c"@@:@@",
                init::<true> as *const (),
            ),
            Method::new(c"device", c"@@:", device::<true> as *const ()),
            Method::new(
                c"commitCommandBuffer:wake:",
                c"v@:@B",
                commit_command_buffer::<true> as *const (),
            ),
            Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &METAL,
    }
}

/// `IOGPUMetalCommandQueue`.
pub fn iogpu() -> ClassSpec {
    ClassSpec {
        name: c"IOGPUMetalCommandQueue",
        superclass: Some(c"_MTLCommandQueue"),
        ivars: vec![],
        methods: vec![],
        class_methods: vec![],
        registered: &IOGPU,
    }
}

/// `AGXG16XFamilyCommandQueue`.
pub fn agx() -> ClassSpec {
    ClassSpec {
        name: c"AGXG16XFamilyCommandQueue",
        superclass: Some(c"IOGPUMetalCommandQueue"),
        ivars: vec![],
        methods: vec![
            Method::new(
                c"commandBuffer",
                c"@@:",
                command_buffer::<true> as *const (),
            ),
            Method::new(
                c"commandBufferWithUnretainedReferences",
                c"@@:",
                command_buffer_unretained::<true> as *const (),
            ),
        ],
        class_methods: vec![],
        registered: &AGX,
    }
}

/// The queue's device, not retained.
///
/// # Safety
/// `queue` is a live queue.
pub unsafe fn device_of(queue: Id) -> Id {
    // SAFETY: the caller's promise.
    unsafe { DEVICE.load(queue) }
}

#[unsafe(export_name = "-[_MTLCommandQueue initWithDevice:descriptor:]")]
unsafe extern "C-unwind" fn init<const LOCAL: bool>(
    this: Id,
    _: Sel,
    device: Id,
    _descriptor: Id,
) -> Id {
    // SAFETY: a fresh instance; the device is alive.
    unsafe {
        DEVICE.store(this, retain(device));
        THREAD.store(this, Arc::into_raw(Arc::<QueueThread>::default()));
    }
    this
}

#[unsafe(export_name = "-[_MTLCommandQueue device]")]
unsafe extern "C-unwind" fn device<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { device_of(this) }
}

#[unsafe(export_name = "-[_MTLCommandQueue commitCommandBuffer:wake:]")]
unsafe extern "C-unwind" fn commit_command_buffer<const LOCAL: bool>(
    this: Id,
    _: Sel,
    command_buffer: Id,
    _wake: bool,
) {
    // SAFETY: both objects are alive; the variable holds one count of the thread, which stays there.
    unsafe {
        let thread: *const QueueThread = THREAD.load(this);
        Arc::increment_strong_count(thread);
        let steps = command_buffer::take_steps(command_buffer);
        Arc::from_raw(thread).submit(retain(command_buffer), steps);
    }
}

#[unsafe(export_name = "-[_MTLCommandQueue dealloc]")]
unsafe extern "C-unwind" fn dealloc<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: the last reference is gone, and with it the last command buffer: nothing is pending.
    unsafe {
        let thread = Arc::from_raw(THREAD.take(this).cast::<QueueThread>().cast_const());
        thread.close();
        release(DEVICE.take(this));
        send_super!(this, &METAL, "dealloc"; ());
    }
}

unsafe fn new_command_buffer(queue: Id, retained_references: bool) -> Id {
    // SAFETY: the class stands, its initialiser has this signature.
    unsafe {
        let command_buffer = allocate(coalescing::AGX.get());
        let command_buffer = send!(command_buffer, "initWithQueue:retainedReferences:", queue => Id, retained_references => bool; Id);
        autorelease(command_buffer)
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandQueue commandBuffer]")]
unsafe extern "C-unwind" fn command_buffer<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { new_command_buffer(this, true) }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandQueue commandBufferWithUnretainedReferences]")]
unsafe extern "C-unwind" fn command_buffer_unretained<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: as above.
    unsafe { new_command_buffer(this, false) }
}
