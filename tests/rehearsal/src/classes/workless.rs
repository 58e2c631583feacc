//! Render and resource state encoders: they live and die as the others do, with an `_impl` from the pool, but their work is not
//! modelled: it is recorders'. No fault of them is published.

use super::{command_buffer, device, encoder};
use crate::failure::{Assertion, fail};
use crate::impl_pool::Impl;
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Id, NIL, Sel, allocate, release, send, send_super};

const RENDER: usize = 0;
const RESOURCE_STATE: usize = 1;
static BASES: [ClassRef; 2] = [ClassRef::new(), ClassRef::new()];
static AGX: [ClassRef; 2] = [ClassRef::new(), ClassRef::new()];
static IMPL: [Ivar; 2] = [Ivar::word(c"_impl", c"^v"), Ivar::word(c"_impl", c"^v")];

/// The base classes and the driver's, superclasses first.
pub fn classes() -> [ClassSpec; 4] {
    let base = |kind: usize, name| ClassSpec {
        name,
        superclass: Some(c"IOGPUMetalCommandEncoder"),
        ivars: vec![],
        methods: vec![],
        class_methods: vec![],
        registered: &BASES[kind],
    };
    let mut render = agx::<RENDER>(c"AGXG16XFamilyRenderContext");
    render.superclass = Some(c"IOGPUMetalRenderCommandEncoder");
    render.methods.push(Method::new(
        c"deferredEndEncoding:",
        c"v@:@",
        deferred_end_encoding as *const (),
    ));
    let mut resource_state = agx::<RESOURCE_STATE>(c"AGXG16XFamilyResourceStateContext");
    resource_state.superclass = Some(c"IOGPUMetalResourceStateCommandEncoder");
    [
        base(RENDER, c"IOGPUMetalRenderCommandEncoder"),
        base(RESOURCE_STATE, c"IOGPUMetalResourceStateCommandEncoder"),
        render,
        resource_state,
    ]
}

/// The command buffer's factories.
pub fn factories() -> [Method; 2] {
    [
        Method::new(
            c"renderCommandEncoderWithDescriptor:",
            c"@@:@",
            render_encoder as *const (),
        ),
        Method::new(
            c"resourceStateCommandEncoder",
            c"@@:",
            resource_state_encoder as *const (),
        ),
    ]
}

fn agx<const KIND: usize>(name: &'static std::ffi::CStr) -> ClassSpec {
    ClassSpec {
        name,
        superclass: None,
        ivars: vec![&IMPL[KIND]],
        methods: vec![
            Method::new(
                c"initWithCommandBuffer:descriptor:",
                c"@@:@@",
                init::<KIND> as *const (),
            ),
            Method::new(c"endEncoding", c"v@:", end_encoding::<KIND> as *const ()),
            Method::new(c"destroyImpl", c"v@:", destroy_impl::<KIND> as *const ()),
            Method::new(c"dealloc", c"v@:", dealloc::<KIND> as *const ()),
        ],
        class_methods: vec![],
        registered: &AGX[KIND],
    }
}

unsafe extern "C-unwind" fn init<const KIND: usize>(
    this: Id,
    _: Sel,
    command_buffer: Id,
    _descriptor: Id,
) -> Id {
    // SAFETY: a fresh instance; the command buffer is alive.
    unsafe {
        send_super!(this, &AGX[KIND], "initWithCommandBuffer:", command_buffer => Id; Id);
        IMPL[KIND].store(this, device::pool(encoder::device_of(this)).take_block());
    }
    this
}

/// Ends at once: neither kind is kept for coalescing.
unsafe extern "C-unwind" fn end_encoding<const KIND: usize>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class; nothing touches it after the last message.
    unsafe {
        if KIND == RENDER {
            send!(this, "deferredEndEncoding:", NIL => Id; ());
        } else {
            send!(this, "destroyImpl"; ());
        }
        send_super!(this, &AGX[KIND], "endEncoding"; ());
    }
}

unsafe extern "C-unwind" fn deferred_end_encoding(this: Id, _: Sel, _: Id) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { send!(this, "destroyImpl"; ()) }
}

unsafe extern "C-unwind" fn destroy_impl<const KIND: usize>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class; the block is its own.
    unsafe {
        let own = Impl(IMPL[KIND].take(this).cast());
        if !own.0.is_null() {
            device::pool(encoder::device_of(this))
                .lock()
                .give_block(own);
        }
    }
}

unsafe extern "C-unwind" fn dealloc<const KIND: usize>(this: Id, selector: Sel) {
    // SAFETY: the last reference is gone. An encoder that never ended still has its block.
    unsafe {
        destroy_impl::<KIND>(this, selector);
        send_super!(this, &AGX[KIND], "dealloc"; ());
    }
}

unsafe fn make(this: Id, kind: usize, descriptor: Id) -> Id {
    // SAFETY: the callers run methods of a live command buffer; the initialiser has this signature.
    unsafe {
        if command_buffer::current_encoder(this) != NIL {
            fail(&Assertion {
                method: c"-[AGXG16XFamilyCommandBuffer renderCommandEncoderWithDescriptor:]",
                line: 967,
                sentence: c"A command encoder is already encoding to this command buffer",
            });
        }
        send!(this, "commitEncoder"; ());
        let encoder = allocate(AGX[kind].get());
        let encoder =
            send!(encoder, "initWithCommandBuffer:descriptor:", this => Id, descriptor => Id; Id);
        send!(this, "setCurrentCommandEncoder:", encoder => Id; ());
        release(encoder);
        encoder
    }
}

unsafe extern "C-unwind" fn render_encoder(this: Id, _: Sel, descriptor: Id) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { make(this, RENDER, descriptor) }
}

unsafe extern "C-unwind" fn resource_state_encoder(this: Id, _: Sel) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { make(this, RESOURCE_STATE, NIL) }
}
