//! What the scenarios of the published failures need of the C interface, besides `c_api`.

use crate::classes::{encoder, tools};
use crate::runtime::{Id, NIL, allocate, retain, send, with_pool};
use crate::{gpu_fault, queue_thread};

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
