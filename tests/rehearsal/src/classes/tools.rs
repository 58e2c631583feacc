//! Metal's wrappers (`MTLToolsCommandBuffer` and its encoders): what validation and capture put around the driver's objects. They are
//! under none of the driver's base classes, and pass everything on to the object they wrap.

use super::{Range, Size};
use crate::block::Block;
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Id, NIL, allocate, method, release, retain, send, send_super};
use std::ffi::c_void;

static OBJECT: ClassRef = ClassRef::new();
static ENCODER: ClassRef = ClassRef::new();
static COMPUTE: ClassRef = ClassRef::new();
static BLIT: ClassRef = ClassRef::new();
static RENDER: ClassRef = ClassRef::new();
/// `MTLToolsCommandBuffer`.
pub static COMMAND_BUFFER: ClassRef = ClassRef::new();
static BASE: Ivar = Ivar::word(c"_baseObject", c"@");
/// The wrapper of the encoder made last, which a wrapped command buffer owns.
static LAST: Ivar = Ivar::word(c"_lastEncoder", c"@");

/// The classes, superclasses first.
pub fn classes() -> [ClassSpec; 6] {
    [
        object(),
        encoder(),
        compute(),
        blit(),
        render(),
        command_buffer(),
    ]
}

#[rustfmt::skip] // a table
fn object() -> ClassSpec {
    ClassSpec {
        name: c"MTLToolsObject",
        superclass: Some(c"NSObject"),
        ivars: vec![&BASE],
        methods: vec![
            Method::new(c"initWithBaseObject:parent:", c"@@:@@", init::<true> as *const ()),
            Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &OBJECT,
    }
}

fn under(
    name: &'static std::ffi::CStr,
    superclass: &'static std::ffi::CStr,
    registered: &'static ClassRef,
    methods: Vec<Method>,
) -> ClassSpec {
    ClassSpec {
        name,
        superclass: Some(superclass),
        ivars: vec![],
        methods,
        class_methods: vec![],
        registered,
    }
}

#[rustfmt::skip] // a table
fn encoder() -> ClassSpec {
    under(c"MTLToolsCommandEncoder", c"MTLToolsObject", &ENCODER, vec![
        Method::new(c"endEncoding", c"v@:", end_encoding::<true> as *const ()),
    ])
}

#[rustfmt::skip] // a table
fn compute() -> ClassSpec {
    under(c"MTLToolsComputeCommandEncoder", c"MTLToolsCommandEncoder", &COMPUTE, vec![
        Method::new(c"setComputePipelineState:", c"v@:@", set_pipeline::<true> as *const ()),
        Method::new(c"setBuffer:offset:atIndex:", c"v@:@QQ", set_buffer::<true> as *const ()),
        Method::new(c"setBytes:length:atIndex:", c"v@:r^vQQ", set_bytes::<true> as *const ()),
        Method::new(c"useResource:usage:", c"v@:@Q", use_resource::<true> as *const ()),
        Method::new(c"dispatchThreads:threadsPerThreadgroup:", c"v@:{?=QQQ}{?=QQQ}", dispatch_threads::<true> as *const ()),
        Method::new(c"dispatchThreadgroups:threadsPerThreadgroup:", c"v@:{?=QQQ}{?=QQQ}", dispatch::<true> as *const ()),
        Method::new(c"updateFence:", c"v@:@", update_fence::<true> as *const ()),
    ])
}

#[rustfmt::skip] // a table
fn blit() -> ClassSpec {
    under(c"MTLToolsBlitCommandEncoder", c"MTLToolsCommandEncoder", &BLIT, vec![
        Method::new(c"fillBuffer:range:value:", c"v@:@{_NSRange=QQ}C", fill_buffer::<true> as *const ()),
        Method::new(c"updateFence:", c"v@:@", blit_update_fence::<true> as *const ()),
    ])
}

#[rustfmt::skip] // a table
fn render() -> ClassSpec {
    under(c"MTLToolsRenderCommandEncoder", c"MTLToolsCommandEncoder", &RENDER, vec![
        Method::new(c"setRenderPipelineState:", c"v@:@", set_render_pipeline::<true> as *const ()),
        Method::new(c"setVertexBuffer:offset:atIndex:", c"v@:@QQ", set_vertex_buffer::<true> as *const ()),
        Method::new(c"drawPrimitives:vertexStart:vertexCount:", c"v@:QQQ", draw::<true> as *const ()),
    ])
}

#[rustfmt::skip] // a table
fn command_buffer() -> ClassSpec {
    let mut spec = under(c"MTLToolsCommandBuffer", c"MTLToolsObject", &COMMAND_BUFFER, vec![
        Method::new(c"computeCommandEncoder", c"@@:", compute_encoder::<true> as *const ()),
        Method::new(c"computeCommandEncoderWithDescriptor:", c"@@:@", compute_encoder_descriptor::<true> as *const ()),
        Method::new(c"blitCommandEncoder", c"@@:", blit_encoder::<true> as *const ()),
        Method::new(c"renderCommandEncoderWithDescriptor:", c"@@:@", render_encoder::<true> as *const ()),
        Method::new(c"addCompletedHandler:", c"v@:@?", add_completed_handler::<true> as *const ()),
        Method::new(c"commit", c"v@:", commit::<true> as *const ()),
        Method::new(c"waitUntilCompleted", c"v@:", wait_until_completed::<true> as *const ()),
        Method::new(c"dealloc", c"v@:", command_buffer_dealloc::<true> as *const ()),
    ]);
    spec.ivars.push(&LAST);
    spec
}

/// What is wrapped, not retained.
unsafe fn base(this: Id) -> Id {
    // SAFETY: the callers run methods of a live wrapper.
    unsafe { BASE.load(this) }
}

/// Wraps an encoder; the command buffer's wrapper owns the encoder's. Nil stays nil.
unsafe fn wrap(this: Id, class: &ClassRef, encoder: Id) -> Id {
    if encoder == NIL {
        return NIL;
    }
    // SAFETY: the callers run methods of a live wrapper; the initialiser has this signature.
    unsafe {
        let wrapper = send!(allocate(class.get()), "initWithBaseObject:parent:", encoder => Id, this => Id; Id);
        release(LAST.take(this));
        LAST.store(this, wrapper);
        wrapper
    }
}

method!("-[MTLToolsObject initWithBaseObject:parent:]",
fn init(this, wrapped: Id, _parent: Id) -> Id {
    BASE.store(this, retain(wrapped));
    this
});
method!("-[MTLToolsObject dealloc]",
fn dealloc(this) {
    release(BASE.take(this));
    send_super!(this, &OBJECT, "dealloc"; ());
});
method!("-[MTLToolsCommandEncoder endEncoding]",
    fn end_encoding(this) { send!(base(this), "endEncoding"; ()) });
method!("-[MTLToolsComputeCommandEncoder setComputePipelineState:]",
    fn set_pipeline(this, pipeline: Id) { send!(base(this), "setComputePipelineState:", pipeline => Id; ()) });
method!("-[MTLToolsComputeCommandEncoder setBuffer:offset:atIndex:]",
fn set_buffer(this, buffer: Id, offset: usize, index: usize) {
    send!(base(this), "setBuffer:offset:atIndex:", buffer => Id, offset => usize, index => usize; ());
});
method!("-[MTLToolsComputeCommandEncoder setBytes:length:atIndex:]",
fn set_bytes(this, bytes: *const c_void, length: usize, index: usize) {
    send!(base(this), "setBytes:length:atIndex:", bytes => *const c_void, length => usize, index => usize; ());
});
method!("-[MTLToolsComputeCommandEncoder useResource:usage:]",
fn use_resource(this, resource: Id, usage: usize) {
    send!(base(this), "useResource:usage:", resource => Id, usage => usize; ());
});
method!("-[MTLToolsComputeCommandEncoder dispatchThreads:threadsPerThreadgroup:]",
fn dispatch_threads(this, threads: Size, per_group: Size) {
    send!(base(this), "dispatchThreads:threadsPerThreadgroup:", threads => Size, per_group => Size; ());
});
method!("-[MTLToolsComputeCommandEncoder dispatchThreadgroups:threadsPerThreadgroup:]",
fn dispatch(this, groups: Size, per_group: Size) {
    send!(base(this), "dispatchThreadgroups:threadsPerThreadgroup:", groups => Size, per_group => Size; ());
});
method!("-[MTLToolsComputeCommandEncoder updateFence:]",
    fn update_fence(this, fence: Id) { send!(base(this), "updateFence:", fence => Id; ()) });
method!("-[MTLToolsBlitCommandEncoder fillBuffer:range:value:]",
fn fill_buffer(this, buffer: Id, range: Range, value: u8) {
    send!(base(this), "fillBuffer:range:value:", buffer => Id, range => Range, value => u8; ());
});
method!("-[MTLToolsBlitCommandEncoder updateFence:]",
    fn blit_update_fence(this, fence: Id) { send!(base(this), "updateFence:", fence => Id; ()) });
method!("-[MTLToolsRenderCommandEncoder setRenderPipelineState:]",
    fn set_render_pipeline(this, pipeline: Id) { send!(base(this), "setRenderPipelineState:", pipeline => Id; ()) });
method!("-[MTLToolsRenderCommandEncoder setVertexBuffer:offset:atIndex:]",
fn set_vertex_buffer(this, buffer: Id, offset: usize, index: usize) {
    send!(base(this), "setVertexBuffer:offset:atIndex:", buffer => Id, offset => usize, index => usize; ());
});
method!("-[MTLToolsRenderCommandEncoder drawPrimitives:vertexStart:vertexCount:]",
fn draw(this, kind: usize, start: usize, count: usize) {
    send!(base(this), "drawPrimitives:vertexStart:vertexCount:", kind => usize, start => usize, count => usize; ());
});
method!("-[MTLToolsCommandBuffer computeCommandEncoder]",
    fn compute_encoder(this) -> Id { send!(this, "computeCommandEncoderWithDescriptor:", NIL => Id; Id) });
method!("-[MTLToolsCommandBuffer computeCommandEncoderWithDescriptor:]",
fn compute_encoder_descriptor(this, descriptor: Id) -> Id {
    wrap(this, &COMPUTE, send!(base(this), "computeCommandEncoderWithDescriptor:", descriptor => Id; Id))
});
method!("-[MTLToolsCommandBuffer blitCommandEncoder]",
    fn blit_encoder(this) -> Id { wrap(this, &BLIT, send!(base(this), "blitCommandEncoder"; Id)) });
method!("-[MTLToolsCommandBuffer renderCommandEncoderWithDescriptor:]",
fn render_encoder(this, descriptor: Id) -> Id {
    wrap(this, &RENDER, send!(base(this), "renderCommandEncoderWithDescriptor:", descriptor => Id; Id))
});
method!("-[MTLToolsCommandBuffer addCompletedHandler:]",
fn add_completed_handler(this, handler: *const Block) {
    send!(base(this), "addCompletedHandler:", handler => *const Block; ());
});
method!("-[MTLToolsCommandBuffer commit]",
    fn commit(this) { send!(base(this), "commit"; ()) });
method!("-[MTLToolsCommandBuffer waitUntilCompleted]",
    fn wait_until_completed(this) { send!(base(this), "waitUntilCompleted"; ()) });
method!("-[MTLToolsCommandBuffer dealloc]",
fn command_buffer_dealloc(this) {
    release(LAST.take(this));
    send_super!(this, &COMMAND_BUFFER, "dealloc"; ());
});
