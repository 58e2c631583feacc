//! The encoders' base classes.

use super::command_buffer;
use crate::failure::{Assertion, fail};
use crate::observers::{self, Point};
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Id, NIL, Sel, method, send, send_super};
use std::sync::atomic::{AtomicI64, Ordering};

static METAL: ClassRef = ClassRef::new();
static IOGPU: ClassRef = ClassRef::new();
static IOGPU_COMPUTE: ClassRef = ClassRef::new();
static IOGPU_BLIT: ClassRef = ClassRef::new();
static COMMAND_BUFFER: Ivar = Ivar::word(c"_commandBuffer", c"@");
static DEVICE: Ivar = Ivar::word(c"_device", c"@");
static OPEN: Ivar = Ivar::word(c"_open", c"Q");
/// Encoders that were initialised and not yet deallocated.
static LIVE: AtomicI64 = AtomicI64::new(0);

/// Encoders that are alive, those that wait to be used again included.
pub fn live() -> i64 {
    LIVE.load(Ordering::SeqCst)
}

/// Counts an encoder that is under no base class of this file.
pub fn born() {
    LIVE.fetch_add(1, Ordering::SeqCst);
}

/// Counts its end.
pub fn died() {
    LIVE.fetch_sub(1, Ordering::SeqCst);
}

/// `_MTLCommandEncoder`.
pub fn metal() -> ClassSpec {
    ClassSpec {
        name: c"_MTLCommandEncoder",
        superclass: Some(c"_MTLObjectWithLabel"),
        ivars: vec![&COMMAND_BUFFER, &DEVICE, &OPEN],
        methods: vec![
            Method::new(
                c"initWithCommandBuffer:",
                c"@@:@",
                init::<true> as *const (),
            ),
            Method::new(
                c"commandBuffer",
                c"@@:",
                command_buffer::<true> as *const (),
            ),
            Method::new(c"device", c"@@:", device::<true> as *const ()),
            Method::new(c"endEncoding", c"v@:", end_encoding::<true> as *const ()),
            Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &METAL,
    }
}

/// `IOGPUMetalCommandEncoder`.
pub fn iogpu() -> ClassSpec {
    ClassSpec {
        name: c"IOGPUMetalCommandEncoder",
        superclass: Some(c"_MTLCommandEncoder"),
        ivars: vec![],
        methods: vec![Method::new(
            c"endEncoding",
            c"v@:",
            iogpu_end_encoding::<true> as *const (),
        )],
        class_methods: vec![],
        registered: &IOGPU,
    }
}

/// `IOGPUMetalComputeCommandEncoder`.
pub fn iogpu_compute() -> ClassSpec {
    ClassSpec {
        name: c"IOGPUMetalComputeCommandEncoder",
        superclass: Some(c"IOGPUMetalCommandEncoder"),
        ivars: vec![],
        methods: vec![],
        class_methods: vec![],
        registered: &IOGPU_COMPUTE,
    }
}

/// `IOGPUMetalBlitCommandEncoder`.
pub fn iogpu_blit() -> ClassSpec {
    ClassSpec {
        name: c"IOGPUMetalBlitCommandEncoder",
        superclass: Some(c"IOGPUMetalCommandEncoder"),
        ivars: vec![],
        methods: vec![],
        class_methods: vec![],
        registered: &IOGPU_BLIT,
    }
}

/// The command buffer that the encoder encodes to, not retained.
///
/// # Safety
/// `this` is a live encoder.
pub unsafe fn command_buffer_of(this: Id) -> Id {
    // SAFETY: the caller's promise.
    unsafe { COMMAND_BUFFER.load(this) }
}

/// The encoder's device, not retained.
///
/// # Safety
/// `this` is a live encoder.
pub unsafe fn device_of(this: Id) -> Id {
    // SAFETY: the caller's promise.
    unsafe { DEVICE.load(this) }
}

#[unsafe(export_name = "-[_MTLCommandEncoder initWithCommandBuffer:]")]
unsafe extern "C-unwind" fn init<const LOCAL: bool>(this: Id, _: Sel, command_buffer: Id) -> Id {
    // SAFETY: the receiver is nobody else's yet; the command buffer is alive.
    unsafe {
        if DEVICE.load::<Id>(this) == NIL {
            born();
        }
        COMMAND_BUFFER.store(this, command_buffer);
        DEVICE.store(this, command_buffer::device_of(command_buffer));
        OPEN.store(this, 1_usize);
    }
    this
}

#[unsafe(export_name = "-[_MTLCommandEncoder commandBuffer]")]
unsafe extern "C-unwind" fn command_buffer<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { command_buffer_of(this) }
}

#[unsafe(export_name = "-[_MTLCommandEncoder device]")]
unsafe extern "C-unwind" fn device<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { device_of(this) }
}

#[unsafe(export_name = "-[_MTLCommandEncoder endEncoding]")]
unsafe extern "C-unwind" fn end_encoding<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { OPEN.store(this, 0_usize) }
}

#[unsafe(export_name = "-[_MTLCommandEncoder dealloc]")]
unsafe extern "C-unwind" fn dealloc<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: the last reference is gone.
    unsafe {
        if OPEN.load::<usize>(this) != 0 {
            fail(&Assertion {
                method: c"-[_MTLCommandEncoder dealloc]",
                line: 131,
                sentence: c"Command encoder released without endEncoding",
            });
        }
        if DEVICE.load::<Id>(this) != NIL {
            died();
        }
        send_super!(this, &METAL, "dealloc"; ());
    }
}

/// Ends an encoder for its command buffer, too. `class` is the one whose method this is.
///
/// # Safety
/// `this` is a live instance of `class`. It may be dead when this returns.
pub unsafe fn end(this: Id, class: &ClassRef) {
    // SAFETY: the caller's promise. The command buffer's reference to the encoder may be the last one, so nothing touches the
    // encoder after it is dropped.
    unsafe {
        observers::tell(Point::Ending, this);
        send_super!(this, class, "endEncoding"; ());
        send!(command_buffer_of(this), "setCurrentCommandEncoder:", NIL => Id; ());
    }
}

method!("-[IOGPUMetalCommandEncoder endEncoding]",
    fn iogpu_end_encoding(this) { end(this, &IOGPU) });
