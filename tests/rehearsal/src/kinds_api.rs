//! Encoders of every kind, and work for each that shows in the checksum when an argument was lost on its way.

use crate::c_api::{
    agx_rehearsal_blit_encoder, agx_rehearsal_compute_encoder, agx_rehearsal_encode,
    agx_rehearsal_end_encoding, agx_rehearsal_fill_buffer,
};
use crate::classes::render::{ScissorRect, Viewport};
use crate::classes::resource_state::Region;
use crate::classes::{Size, debug, mps};
use crate::runtime::{Id, NIL, allocate, class_of, release, retain, send, with_pool};
use crate::scenario_api::agx_rehearsal_update_fence;
use std::ffi::{c_char, c_int, c_void};

/// Kinds of encoders, as the header numbers them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
enum Kind {
    Compute,
    Blit,
    Render,
    ParallelRender,
    ResourceState,
    AccelerationStructure,
    SampledCompute,
    SampledRender,
    Debug,
}

const KINDS: [Kind; 9] = [
    Kind::Compute,
    Kind::Blit,
    Kind::Render,
    Kind::ParallelRender,
    Kind::ResourceState,
    Kind::AccelerationStructure,
    Kind::SampledCompute,
    Kind::SampledRender,
    Kind::Debug,
];

/// Elements of a draw or a dispatch.
const ELEMENTS: usize = 64;

fn kind(number: c_int) -> Option<Kind> {
    KINDS.into_iter().find(|it| *it as c_int == number)
}

const fn size(width: usize) -> Size {
    Size {
        width,
        height: 1,
        depth: 1,
    }
}

/// An encoder of a kind, owned by its command buffer; NULL for a kind that there is not.
///
/// # Safety
/// `command_buffer` is a live command buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_encoder(command_buffer: Id, number: c_int) -> Id {
    let none: *mut c_void = std::ptr::null_mut();
    // SAFETY: the caller's promise; the factories have these signatures.
    with_pool(|| unsafe {
        match kind(number) {
            None => NIL,
            Some(Kind::Compute) => agx_rehearsal_compute_encoder(command_buffer),
            Some(Kind::Blit) => agx_rehearsal_blit_encoder(command_buffer),
            Some(Kind::Render) => {
                send!(command_buffer, "renderCommandEncoderWithDescriptor:", NIL => Id; Id)
            }
            Some(Kind::ParallelRender) => {
                send!(command_buffer, "parallelRenderCommandEncoderWithDescriptor:", NIL => Id; Id)
            }
            Some(Kind::ResourceState) => send!(command_buffer, "resourceStateCommandEncoder"; Id),
            Some(Kind::AccelerationStructure) => {
                send!(command_buffer, "accelerationStructureCommandEncoder"; Id)
            }
            Some(Kind::SampledCompute) => send!(
                command_buffer, "sampledComputeCommandEncoderWithProgramInfoBuffer:capacity:",
                none => *mut c_void, 0 => usize; Id
            ),
            Some(Kind::SampledRender) => send!(
                command_buffer, "sampledRenderCommandEncoderWithDescriptor:programInfoBuffer:capacity:",
                NIL => Id, none => *mut c_void, 0 => usize; Id
            ),
            Some(Kind::Debug) => debug_encoder(command_buffer),
        }
    })
}

/// The dump has no factory for it: it is made for the driver's command buffer, also of a proxy.
unsafe fn debug_encoder(command_buffer: Id) -> Id {
    // SAFETY: the caller's promise; the initialiser has this signature.
    unsafe {
        let command_buffer = if class_of(command_buffer) == mps::MPS.get() {
            send!(command_buffer, "commandBuffer"; Id)
        } else {
            command_buffer
        };
        let encoder =
            send!(allocate(debug::AGX.get()), "initWithCommandBuffer:", command_buffer => Id; Id);
        send!(command_buffer, "setCurrentCommandEncoder:", encoder => Id; ());
        release(encoder);
        encoder
    }
}

/// Encodes a kind's work, which follows from `number`; the header says what it adds to the checksum.
///
/// # Safety
/// The objects are alive, and the encoder is open and of the kind.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_work(
    encoder: Id,
    kind_number: c_int,
    pipeline: Id,
    buffer: Id,
    number: u32,
) {
    let value = number as usize;
    // SAFETY: the caller's promise.
    unsafe {
        match kind(kind_number) {
            None => {}
            Some(Kind::Compute | Kind::SampledCompute) => {
                agx_rehearsal_encode(encoder, pipeline, buffer, number, 1);
            }
            Some(Kind::Blit) => {
                agx_rehearsal_fill_buffer(encoder, buffer, value, ELEMENTS, 3);
                send!(
                    encoder, "copyFromBuffer:sourceOffset:toBuffer:destinationOffset:size:",
                    buffer => Id, value => usize, buffer => Id, 5 => usize, 6 => usize; ()
                );
            }
            Some(Kind::Render | Kind::SampledRender) => render(encoder, pipeline, buffer, number),
            Some(Kind::ParallelRender) => {
                for _ in 0..2 {
                    let part = with_pool(|| retain(send!(encoder, "renderCommandEncoder"; Id)));
                    render(part, pipeline, buffer, number);
                    agx_rehearsal_end_encoding(part);
                    release(part);
                }
            }
            Some(Kind::ResourceState) => resource_state(encoder, buffer, value),
            Some(Kind::AccelerationStructure) => {
                send!(
                    encoder, "buildAccelerationStructure:descriptor:scratchBuffer:scratchBufferOffset:",
                    NIL => Id, NIL => Id, buffer => Id, value => usize; ()
                );
                agx_rehearsal_update_fence(encoder, buffer);
            }
            Some(Kind::Debug) => {
                let name = c"name".as_ptr();
                send!(encoder, "dumpBuffer:name:", buffer => Id, name => *const c_char; ());
            }
        }
    }
}

unsafe fn render(encoder: Id, pipeline: Id, buffer: Id, number: u32) {
    let value = number as usize;
    let viewport = Viewport {
        numbers: [0.0, 0.0, f64::from(number), 2.0, 0.0, 1.0],
    };
    let rect = ScissorRect {
        numbers: [value, 0, 4, 4],
    };
    // SAFETY: the callers' promise.
    unsafe {
        send!(encoder, "setRenderPipelineState:", pipeline => Id; ());
        send!(encoder, "setVertexBuffer:offset:atIndex:", buffer => Id, value => usize, 0 => usize; ());
        send!(encoder, "setVertexBytes:length:atIndex:", (&raw const number).cast() => *const c_void, 4 => usize, 1 => usize; ());
        send!(encoder, "setViewport:", viewport => Viewport; ());
        send!(encoder, "drawPrimitives:vertexStart:vertexCount:", 3 => usize, value => usize, ELEMENTS => usize; ());
        send!(encoder, "setScissorRect:", rect => ScissorRect; ());
        send!(
            encoder, "drawMeshThreads:threadsPerObjectThreadgroup:threadsPerMeshThreadgroup:",
            size(ELEMENTS) => Size, size(1) => Size, size(2) => Size; ()
        );
        send!(encoder, "setBlendColorRed:green:blue:alpha:", 1.0 => f32, 2.0 => f32, 3.0 => f32, 4.0 => f32; ());
        send!(
            encoder, "drawIndexedPrimitives:indexCount:indexType:indexBuffer:indexBufferOffset:",
            3 => usize, ELEMENTS => usize, 0 => usize, buffer => Id, value => usize; ()
        );
        send!(encoder, "updateFence:afterStages:", buffer => Id, 1 => usize; ());
    }
}

unsafe fn resource_state(encoder: Id, texture: Id, value: usize) {
    let region = Region {
        origin: size(value),
        size: size(ELEMENTS),
    };
    // SAFETY: the callers' promise.
    unsafe {
        send!(
            encoder, "updateTextureMapping:mode:region:mipLevel:slice:",
            texture => Id, 0 => usize, region => Region, 1 => usize, 2 => usize; ()
        );
        send!(
            encoder,
            "moveTextureMappingsFromTexture:sourceSlice:sourceLevel:sourceOrigin:sourceSize:toTexture:destinationSlice:destinationLevel:destinationOrigin:",
            texture => Id, 1 => usize, 2 => usize, size(value) => Size, size(8) => Size,
            texture => Id, 3 => usize, 4 => usize, size(5) => Size; ()
        );
        agx_rehearsal_update_fence(encoder, texture);
    }
}
