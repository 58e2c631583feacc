//! What the scenarios of the published failures need of the C interface, besides `c_api`.

use crate::classes::Range;
use crate::classes::{encoder, tools};
use crate::observers::{self, Function, Point};
use crate::runtime::{Id, NIL, allocate, retain, send, with_pool};
use crate::{gpu_fault, queue_thread};
use std::ffi::{c_int, c_void};

/// A compute encoder of `computeCommandEncoderWithDispatchType:substreamCount:`, a factory that no published fix library hooks.
///
/// # Safety
/// `command_buffer` is a live command buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_private_compute_encoder(command_buffer: Id) -> Id {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe {
        send!(command_buffer, "computeCommandEncoderWithDispatchType:substreamCount:", 0 => usize, 1 => u32; Id)
    })
}

/// A render encoder, whose work is not modelled. The command buffer owns it.
///
/// # Safety
/// `command_buffer` is a live command buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_render_encoder(command_buffer: Id) -> Id {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe {
        send!(command_buffer, "renderCommandEncoderWithDescriptor:", NIL => Id; Id)
    })
}

/// A resource state encoder, whose work is not modelled. The command buffer owns it.
///
/// # Safety
/// `command_buffer` is a live command buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_resource_state_encoder(command_buffer: Id) -> Id {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe { send!(command_buffer, "resourceStateCommandEncoder"; Id) })
}

/// An `MTLToolsCommandBuffer` around a new command buffer, owned by the caller. It makes wrapped compute encoders, commits and waits.
///
/// # Safety
/// `queue` is a live queue.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_tools_command_buffer(queue: Id) -> Id {
    // SAFETY: the class stands, its initialiser has this signature; the queue is alive.
    with_pool(|| unsafe {
        let base = send!(queue, "commandBuffer"; Id);
        let wrapper = allocate(tools::COMMAND_BUFFER.get());
        send!(wrapper, "initWithBaseObject:parent:", base => Id, queue => Id; Id)
    })
}

/// A wrapped compute encoder of an `MTLToolsCommandBuffer`, owned by the caller.
///
/// # Safety
/// `command_buffer` is a live `MTLToolsCommandBuffer`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_tools_compute_encoder(command_buffer: Id) -> Id {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe { retain(send!(command_buffer, "computeCommandEncoder"; Id)) })
}

/// Sends `updateFence:`. One command; a compute encoder adds 0x10001 to the checksum, a blit encoder 0x20003.
///
/// # Safety
/// The encoder is alive and open.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_update_fence(encoder: Id, fence: Id) {
    // SAFETY: the caller's promise.
    unsafe { send!(encoder, "updateFence:", fence => Id; ()) }
}

/// Sends `status`: an `MTLCommandBufferStatus`, 4 completed, 5 completed with an error.
///
/// # Safety
/// The command buffer is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_status(command_buffer: Id) -> usize {
    // SAFETY: the caller's promise.
    unsafe { send!(command_buffer, "status"; usize) }
}

/// Encoders that are alive, those that wait in a device's pool included. Waits until every command buffer that was committed has
/// completed and is let go.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn agx_rehearsal_live_encoders() -> i64 {
    queue_thread::wait_idle();
    encoder::live()
}

/// Command buffers that ended with a GPU page fault so far.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn agx_rehearsal_gpu_faults() -> u64 {
    gpu_fault::count()
}

/// Has `function(object, context)` called from a point of the driver, on the thread that comes to it: 0 `endEncoding` of an encoder,
/// 1 `commit` of a command buffer. NULL takes the function away. 0, or -1 for a point that there is not.
///
/// # Safety
/// The function may be called with `context` from any thread until it is taken away.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_observe(
    point: c_int,
    function: Option<Function>,
    context: *mut c_void,
) -> c_int {
    let Some(point) = [Point::Ending, Point::Committing]
        .into_iter()
        .find(|it| *it as c_int == point)
    else {
        return -1;
    };
    observers::set(point, function.map(|it| (it, context)));
    0
}

/// Sends `setBuffers:offsets:withRange:` for `count` buffers from index 0 on. The last offset counts, as with
/// `agx_rehearsal_set_buffer`, which this one sends for each.
///
/// # Safety
/// The encoder is alive, and there are `count` live buffers and offsets.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_set_buffers(
    encoder: Id,
    buffers: *const Id,
    offsets: *const usize,
    count: usize,
) {
    let range = Range {
        location: 0,
        length: count,
    };
    // SAFETY: the caller's promise.
    unsafe {
        send!(encoder, "setBuffers:offsets:withRange:", buffers => *const Id, offsets => *const usize, range => Range; ());
    }
}

/// Sends `setVertexBuffer:offset:atIndex:` to a render encoder. The last offset bound is added to the checksum of each draw.
///
/// # Safety
/// Both objects are alive and of the right kind.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_set_vertex_buffer(
    encoder: Id,
    buffer: Id,
    offset: usize,
    index: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        send!(encoder, "setVertexBuffer:offset:atIndex:", buffer => Id, offset => usize, index => usize; ());
    }
}

/// Sends `computeCommandEncoderWithDispatchType:`, of which `MPSCommandBuffer` has a method of its own. Owned as a compute encoder is.
///
/// # Safety
/// `command_buffer` is a live command buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_compute_encoder_with_dispatch_type(
    command_buffer: Id,
    dispatch_type: usize,
) -> Id {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe {
        send!(command_buffer, "computeCommandEncoderWithDispatchType:", dispatch_type => usize; Id)
    })
}

/// Sends `commitAndContinue` to an `MPSCommandBuffer`: it goes on in a new command buffer.
///
/// # Safety
/// `command_buffer` is a live `MPSCommandBuffer`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_commit_and_continue(command_buffer: Id) {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe { send!(command_buffer, "commitAndContinue"; ()) });
}
