//! `AGXG16XFamilyRenderContext`: draws count as commands, by what is bound. It ends at once: nothing is kept for coalescing.

use super::{Size, command, encoder, resources};
use crate::classes::device;
use crate::impl_pool::{Impl, offset};
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Id, NIL, method, send, send_super};
use std::ffi::c_void;

static IOGPU: ClassRef = ClassRef::new();
/// `AGXG16XFamilyRenderContext`.
pub static AGX: ClassRef = ClassRef::new();
static IMPL: Ivar = Ivar::word(c"_impl", c"^v");
/// What a fence adds to the checksum, as one command.
const FENCE: u64 = 0x4_0007;

/// `MTLViewport`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Viewport {
    /// Origin, extent, and range of depths.
    pub numbers: [f64; 6],
}

/// `MTLScissorRect`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ScissorRect {
    /// Origin and extent.
    pub numbers: [usize; 4],
}

/// `IOGPUMetalRenderCommandEncoder`.
pub fn iogpu() -> ClassSpec {
    ClassSpec {
        name: c"IOGPUMetalRenderCommandEncoder",
        superclass: Some(c"IOGPUMetalCommandEncoder"),
        ivars: vec![],
        methods: vec![],
        class_methods: vec![],
        registered: &IOGPU,
    }
}

/// `AGXG16XFamilyRenderContext`.
#[rustfmt::skip] // a table
pub fn agx() -> ClassSpec {
    ClassSpec {
        name: c"AGXG16XFamilyRenderContext",
        superclass: Some(c"IOGPUMetalRenderCommandEncoder"),
        ivars: vec![&IMPL],
        methods: vec![
            Method::new(c"initWithCommandBuffer:descriptor:", c"@@:@@", init::<true> as *const ()),
            Method::new(c"initWithCommandBuffer:dummyDescriptor:", c"@@:@@", init_dummy::<true> as *const ()),
            Method::new(c"initWithCommandBuffer:descriptor:subEncoderIndex:framebuffer:", c"@@:@@Q^v", init_sub::<true> as *const ()),
            Method::new(c"setRenderPipelineState:", c"v@:@", set_pipeline::<true> as *const ()),
            Method::new(c"setVertexBuffer:offset:atIndex:", c"v@:@QQ", set_vertex_buffer::<true> as *const ()),
            Method::new(c"setFragmentBuffer:offset:atIndex:", c"v@:@QQ", set_fragment_buffer::<true> as *const ()),
            Method::new(c"setMeshBuffer:offset:atIndex:", c"v@:@QQ", set_mesh_buffer::<true> as *const ()),
            Method::new(c"setVertexBytes:length:atIndex:", c"v@:r^vQQ", set_vertex_bytes::<true> as *const ()),
            Method::new(c"setFragmentBytes:length:atIndex:", c"v@:r^vQQ", set_fragment_bytes::<true> as *const ()),
            Method::new(c"setViewport:", c"v@:{?=dddddd}", set_viewport::<true> as *const ()),
            Method::new(c"setScissorRect:", c"v@:{?=QQQQ}", set_scissor_rect::<true> as *const ()),
            Method::new(c"setBlendColorRed:green:blue:alpha:", c"v@:ffff", set_blend_color::<true> as *const ()),
            Method::new(c"drawPrimitives:vertexStart:vertexCount:", c"v@:QQQ", draw::<true> as *const ()),
            Method::new(c"drawPrimitives:vertexStart:vertexCount:instanceCount:", c"v@:QQQQ", draw_instances::<true> as *const ()),
            Method::new(c"drawIndexedPrimitives:indexCount:indexType:indexBuffer:indexBufferOffset:", c"v@:QQQ@Q", draw_indexed::<true> as *const ()),
            Method::new(c"drawMeshThreads:threadsPerObjectThreadgroup:threadsPerMeshThreadgroup:", c"v@:{?=QQQ}{?=QQQ}{?=QQQ}", draw_mesh_threads::<true> as *const ()),
            Method::new(c"dispatchThreadsPerTile:", c"v@:{?=QQQ}", dispatch_per_tile::<true> as *const ()),
            Method::new(c"updateFence:afterStages:", c"v@:@Q", update_fence::<true> as *const ()),
            Method::new(c"endEncoding", c"v@:", end_encoding::<true> as *const ()),
            Method::new(c"deferredEndEncoding:", c"v@:@", deferred_end_encoding::<true> as *const ()),
            Method::new(c"destroyImpl", c"v@:", destroy_impl::<true> as *const ()),
            Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &AGX,
    }
}

unsafe fn context(this: Id) -> Impl {
    // SAFETY: the callers run methods of a live encoder.
    unsafe { IMPL.load(this) }
}

unsafe fn start(this: Id, command_buffer: Id) -> Id {
    // SAFETY: the callers run initialisers of a fresh instance; the command buffer is alive.
    unsafe {
        send_super!(this, &AGX, "initWithCommandBuffer:", command_buffer => Id; Id);
        IMPL.store(this, device::pool(encoder::device_of(this)).take_block());
    }
    this
}

unsafe fn bind(this: Id, byte_offset: usize) {
    // SAFETY: the callers run methods of a live, open encoder.
    unsafe { context(this).write(offset::BUFFER, byte_offset as u64) }
}

unsafe fn set_state(this: Id, state: u64) {
    // SAFETY: as for `bind`.
    unsafe { context(this).write(offset::STATE, state) }
}

unsafe fn record(this: Id, elements: u64, more: usize) {
    // SAFETY: as for `bind`.
    unsafe {
        let context = context(this);
        let checksum = command::checksum_of(context, elements).wrapping_add(more as u64);
        command::record(this, context, checksum);
    }
}

/// A number as it was sent: those of a rehearsal are whole and not negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a checksum of whatever came"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

method!("-[AGXG16XFamilyRenderContext initWithCommandBuffer:descriptor:]",
    fn init(this, command_buffer: Id, _descriptor: Id) -> Id { start(this, command_buffer) });
method!("-[AGXG16XFamilyRenderContext initWithCommandBuffer:dummyDescriptor:]",
    fn init_dummy(this, command_buffer: Id, _descriptor: Id) -> Id { start(this, command_buffer) });
method!("-[AGXG16XFamilyRenderContext initWithCommandBuffer:descriptor:subEncoderIndex:framebuffer:]",
fn init_sub(this, command_buffer: Id, _descriptor: Id, _index: usize, _framebuffer: *mut c_void) -> Id {
    start(this, command_buffer)
});
method!("-[AGXG16XFamilyRenderContext setRenderPipelineState:]",
fn set_pipeline(this, pipeline: Id) {
    let tag: u64 = resources::PIPELINE_TAG.load(pipeline);
    context(this).write(offset::PIPELINE, tag);
});
method!("-[AGXG16XFamilyRenderContext setVertexBuffer:offset:atIndex:]",
    fn set_vertex_buffer(this, _buffer: Id, byte_offset: usize, _index: usize) { bind(this, byte_offset) });
method!("-[AGXG16XFamilyRenderContext setFragmentBuffer:offset:atIndex:]",
    fn set_fragment_buffer(this, _buffer: Id, byte_offset: usize, _index: usize) { bind(this, byte_offset) });
method!("-[AGXG16XFamilyRenderContext setMeshBuffer:offset:atIndex:]",
    fn set_mesh_buffer(this, _buffer: Id, byte_offset: usize, _index: usize) { bind(this, byte_offset) });
method!("-[AGXG16XFamilyRenderContext setVertexBytes:length:atIndex:]",
fn set_vertex_bytes(this, bytes: *const u8, length: usize, _index: usize) {
    command::keep_bytes(context(this), bytes, length);
});
method!("-[AGXG16XFamilyRenderContext setFragmentBytes:length:atIndex:]",
fn set_fragment_bytes(this, bytes: *const u8, length: usize, _index: usize) {
    command::keep_bytes(context(this), bytes, length);
});
method!("-[AGXG16XFamilyRenderContext setViewport:]",
    fn set_viewport(this, viewport: Viewport) { set_state(this, whole(viewport.numbers.iter().sum())) });
method!("-[AGXG16XFamilyRenderContext setScissorRect:]",
    fn set_scissor_rect(this, rect: ScissorRect) { set_state(this, rect.numbers.iter().sum::<usize>() as u64) });
method!("-[AGXG16XFamilyRenderContext setBlendColorRed:green:blue:alpha:]",
fn set_blend_color(this, red: f32, green: f32, blue: f32, alpha: f32) {
    set_state(this, whole(f64::from(red + green + blue + alpha)));
});
method!("-[AGXG16XFamilyRenderContext drawPrimitives:vertexStart:vertexCount:]",
    fn draw(this, _kind: usize, start: usize, count: usize) { record(this, count as u64, start) });
method!("-[AGXG16XFamilyRenderContext drawPrimitives:vertexStart:vertexCount:instanceCount:]",
fn draw_instances(this, _kind: usize, start: usize, count: usize, instances: usize) {
    record(this, (count * instances) as u64, start);
});
method!("-[AGXG16XFamilyRenderContext drawIndexedPrimitives:indexCount:indexType:indexBuffer:indexBufferOffset:]",
fn draw_indexed(this, _kind: usize, count: usize, _index_type: usize, _indices: Id, byte_offset: usize) {
    record(this, count as u64, byte_offset);
});
method!("-[AGXG16XFamilyRenderContext drawMeshThreads:threadsPerObjectThreadgroup:threadsPerMeshThreadgroup:]",
    fn draw_mesh_threads(this, threads: Size, _per_object: Size, _per_mesh: Size) { record(this, threads.volume(), 0) });
method!("-[AGXG16XFamilyRenderContext dispatchThreadsPerTile:]",
    fn dispatch_per_tile(this, threads: Size) { record(this, threads.volume(), 0) });
method!("-[AGXG16XFamilyRenderContext updateFence:afterStages:]",
    fn update_fence(this, _fence: Id, _stages: usize) { command::record(this, context(this), FENCE) });
method!("-[AGXG16XFamilyRenderContext endEncoding]",
fn end_encoding(this) {
    send!(this, "deferredEndEncoding:", NIL => Id; ());
    // Nothing touches the encoder after this message.
    send_super!(this, &AGX, "endEncoding"; ());
});
method!("-[AGXG16XFamilyRenderContext deferredEndEncoding:]",
    fn deferred_end_encoding(this, _next: Id) { send!(this, "destroyImpl"; ()) });
method!("-[AGXG16XFamilyRenderContext destroyImpl]",
    fn destroy_impl(this) { command::hand_in(this, Impl(IMPL.take(this).cast())) });
method!("-[AGXG16XFamilyRenderContext dealloc]",
fn dealloc(this) {
    // An encoder that never ended still has its block.
    if encoder::device_of(this) != NIL {
        command::give_up(this, Impl(IMPL.take(this).cast()));
    }
    send_super!(this, &AGX, "dealloc"; ());
});
