//! The parallel render encoder: it is no `_MTLCommandEncoder`, and has a command buffer of its own for each of its encoders, so that
//! each can be another thread's.

use super::{command_buffer, device, encoder};
use crate::failure::{Assertion, fail};
use crate::impl_pool::Impl;
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Id, NIL, method, release, retain, send, send_super};
use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard, PoisonError};

static METAL: ClassRef = ClassRef::new();
static IOGPU: ClassRef = ClassRef::new();
/// `AGXG16XFamilyThreadedRenderPass`.
pub static AGX: ClassRef = ClassRef::new();
static COMMAND_BUFFER: Ivar = Ivar::word(c"_commandBuffer", c"@");
static DEVICE: Ivar = Ivar::word(c"_device", c"@");
/// Its encoders' command buffers, in the order in which they were made.
static COMMAND_BUFFERS: Ivar = Ivar::word(c"_commandBuffers", c"^v");
static OPEN: Ivar = Ivar::word(c"_open", c"Q");
static IMPL: Ivar = Ivar::word(c"_impl", c"^v");

/// Addresses of command buffers, each with a reference.
type Children = Mutex<Vec<usize>>;

/// `_MTLParallelRenderCommandEncoder`.
#[rustfmt::skip] // a table
pub fn metal() -> ClassSpec {
    ClassSpec {
        name: c"_MTLParallelRenderCommandEncoder",
        superclass: Some(c"_MTLObjectWithLabel"),
        ivars: vec![&COMMAND_BUFFER, &DEVICE, &COMMAND_BUFFERS, &OPEN],
        methods: vec![
            Method::new(c"initWithCommandBuffer:renderPassDescriptor:", c"@@:@@", init::<true> as *const ()),
            Method::new(c"commandBuffer", c"@@:", command_buffer_of::<true> as *const ()),
            Method::new(c"device", c"@@:", device_of::<true> as *const ()),
            Method::new(c"_renderCommandEncoderCommon", c"@@:", common::<true> as *const ()),
            Method::new(c"renderCommandEncoder", c"@@:", render_encoder::<true> as *const ()),
            Method::new(c"endEncoding", c"v@:", end_encoding::<true> as *const ()),
            Method::new(c"endEncodingAndRetrieveProgramAddressTable", c"@@:", end_and_retrieve::<true> as *const ()),
            Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &METAL,
    }
}

/// `IOGPUMetalParallelRenderCommandEncoder`.
pub fn iogpu() -> ClassSpec {
    ClassSpec {
        name: c"IOGPUMetalParallelRenderCommandEncoder",
        superclass: Some(c"_MTLParallelRenderCommandEncoder"),
        ivars: vec![],
        methods: vec![],
        class_methods: vec![],
        registered: &IOGPU,
    }
}

/// `AGXG16XFamilyThreadedRenderPass`.
#[rustfmt::skip] // a table
pub fn agx() -> ClassSpec {
    ClassSpec {
        name: c"AGXG16XFamilyThreadedRenderPass",
        superclass: Some(c"IOGPUMetalParallelRenderCommandEncoder"),
        ivars: vec![&IMPL],
        methods: vec![
            Method::new(c"initWithCommandBuffer:renderPassDescriptor:", c"@@:@@", agx_init::<true> as *const ()),
            Method::new(
                c"sampledRenderCommandEncoderWithProgramInfoBuffer:capacity:",
                c"@@:^(?={?=b8b24IQQ}{?=b8b24IQQ})Q",
                sampled_encoder::<true> as *const (),
            ),
            Method::new(c"endEncoding", c"v@:", agx_end_encoding::<true> as *const ()),
            Method::new(c"dealloc", c"v@:", agx_dealloc::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &AGX,
    }
}

unsafe fn children<'a>(this: Id) -> MutexGuard<'a, Vec<usize>> {
    // SAFETY: set by the initialiser, freed by `dealloc`.
    let list = unsafe { &*COMMAND_BUFFERS.load::<*const Children>(this) };
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new command buffer for one encoder, and the encoder's number. The list owns the command buffer.
unsafe fn child(this: Id) -> (Id, usize) {
    // SAFETY: the callers run methods of a live encoder.
    unsafe {
        let queue = send!(COMMAND_BUFFER.load(this), "commandQueue"; Id);
        let child = retain(send!(queue, "commandBuffer"; Id));
        let mut list = children(this);
        list.push(child.expose_provenance());
        (child, list.len() - 1)
    }
}

unsafe fn release_children(this: Id, append: bool) {
    // SAFETY: the callers run methods of a live encoder, whose command buffer is alive where its work is wanted.
    unsafe {
        let list = std::mem::take(&mut *children(this));
        for address in list {
            let child: Id = std::ptr::with_exposed_provenance_mut(address);
            if append {
                for step in command_buffer::take_steps(child) {
                    command_buffer::append(COMMAND_BUFFER.load(this), step);
                }
            }
            release(child);
        }
    }
}

unsafe fn give_block_back(this: Id) {
    // SAFETY: the callers run methods of a live encoder; the block is its own.
    unsafe {
        let own = Impl(IMPL.take(this).cast());
        if !own.0.is_null() {
            device::pool(DEVICE.load(this)).lock().give_block(own);
        }
    }
}

method!("-[_MTLParallelRenderCommandEncoder initWithCommandBuffer:renderPassDescriptor:]",
fn init(this, command_buffer: Id, _descriptor: Id) -> Id {
    encoder::born();
    COMMAND_BUFFER.store(this, command_buffer);
    DEVICE.store(this, command_buffer::device_of(command_buffer));
    COMMAND_BUFFERS.store(this, Box::into_raw(Box::<Children>::default()));
    OPEN.store(this, 1_usize);
    this
});
method!("-[_MTLParallelRenderCommandEncoder commandBuffer]",
    fn command_buffer_of(this) -> Id { COMMAND_BUFFER.load(this) });
method!("-[_MTLParallelRenderCommandEncoder device]",
    fn device_of(this) -> Id { DEVICE.load(this) });
method!("-[_MTLParallelRenderCommandEncoder _renderCommandEncoderCommon]",
fn common(this) -> Id {
    let (child, number) = child(this);
    send!(
        child, "subRenderCommandEncoderWithDescriptor:subEncoderIndex:framebuffer:",
        NIL => Id, number => usize, std::ptr::null_mut() => *mut c_void; Id
    )
});
method!("-[_MTLParallelRenderCommandEncoder renderCommandEncoder]",
    fn render_encoder(this) -> Id { send!(this, "_renderCommandEncoderCommon"; Id) });
method!("-[_MTLParallelRenderCommandEncoder endEncoding]",
fn end_encoding(this) {
    release_children(this, true);
    OPEN.store(this, 0_usize);
    // The command buffer's reference may be the last one: nothing touches the encoder after this.
    send!(COMMAND_BUFFER.load(this), "setCurrentCommandEncoder:", NIL => Id; ());
});
method!("-[_MTLParallelRenderCommandEncoder endEncodingAndRetrieveProgramAddressTable]",
fn end_and_retrieve(this) -> Id {
    send!(this, "endEncoding"; ());
    NIL
});
method!("-[_MTLParallelRenderCommandEncoder dealloc]",
fn dealloc(this) {
    if DEVICE.load::<Id>(this) != NIL {
        if OPEN.load::<usize>(this) != 0 {
            fail(&Assertion {
                method: c"-[_MTLParallelRenderCommandEncoder dealloc]",
                // No report of this class was sighted; the line is made up.
                line: 131,
                sentence: c"Command encoder released without endEncoding",
            });
        }
        release_children(this, false);
        drop(Box::from_raw(COMMAND_BUFFERS.take(this).cast::<Children>()));
        encoder::died();
    }
    send_super!(this, &METAL, "dealloc"; ());
});
method!("-[AGXG16XFamilyThreadedRenderPass initWithCommandBuffer:renderPassDescriptor:]",
fn agx_init(this, command_buffer: Id, descriptor: Id) -> Id {
    send_super!(this, &AGX, "initWithCommandBuffer:renderPassDescriptor:", command_buffer => Id, descriptor => Id; Id);
    IMPL.store(this, device::pool(DEVICE.load(this)).take_block());
    this
});
method!("-[AGXG16XFamilyThreadedRenderPass sampledRenderCommandEncoderWithProgramInfoBuffer:capacity:]",
fn sampled_encoder(this, info: *mut c_void, capacity: usize) -> Id {
    let (child, number) = child(this);
    send!(
        child, "sampledSubRenderCommandEncoderWithDescriptor:subEncoderIndex:framebuffer:programInfoBuffer:capacity:",
        NIL => Id, number => usize, std::ptr::null_mut() => *mut c_void, info => *mut c_void, capacity => usize; Id
    )
});
method!("-[AGXG16XFamilyThreadedRenderPass endEncoding]",
fn agx_end_encoding(this) {
    give_block_back(this);
    send_super!(this, &AGX, "endEncoding"; ());
});
method!("-[AGXG16XFamilyThreadedRenderPass dealloc]",
fn agx_dealloc(this) {
    if DEVICE.load::<Id>(this) != NIL {
        give_block_back(this);
    }
    send_super!(this, &AGX, "dealloc"; ());
});
