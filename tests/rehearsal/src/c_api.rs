//! The C interface, declared for its users in `include/agx_rehearsal.h`. Each function sends real messages, so that whatever
//! is hooked is hooked here too.

use crate::block::{Block, FunctionBlock};
use crate::classes::{Range, Size, device, resources};
use crate::runtime::{self, Id, NIL, allocate, objc_lookUpClass, release, retain, send, with_pool};
use crate::{faults, is_loaded, queue_thread};
use std::ffi::{CStr, c_char, c_int, c_void};

/// Seeds the windows. Before the first thread encodes.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn agx_rehearsal_set_seed(seed: u64) {
    faults::seed(seed);
}

/// Selects the fault by name; 0, or -1 for a name that is not known. Before the first device is made.
///
/// # Safety
/// `name` is a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_set_fault(name: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    let known = unsafe { CStr::from_ptr(name) }
        .to_str()
        .is_ok_and(faults::select);
    if known { 0 } else { -1 }
}

/// A device, owned by the caller; NULL where the classes could not be registered.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn agx_rehearsal_device_create() -> Id {
    if !is_loaded() {
        return NIL;
    }
    // SAFETY: the class stands, its initialiser has this signature.
    with_pool(|| unsafe {
        send!(allocate(device::AGX.get()), "initWithAcceleratorPort:", 0 => u32; Id)
    })
}

/// A command queue, owned by the caller.
///
/// # Safety
/// `device` is a live device.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_queue_create(device: Id) -> Id {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe { send!(device, "newCommandQueue"; Id) })
}

/// A pipeline, owned by the caller. A dispatch adds `tag * threads` to the checksum.
///
/// # Safety
/// `device` is a live device.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_pipeline_create(_device: Id, tag: u64) -> Id {
    // SAFETY: the class stands and declares the variable.
    with_pool(|| unsafe {
        let pipeline = allocate(resources::PIPELINE.get());
        resources::PIPELINE_TAG.store(pipeline, tag);
        pipeline
    })
}

/// A buffer of `length` bytes, owned by the caller. It has no memory: nothing reads it.
///
/// # Safety
/// `device` is a live device.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_buffer_create(device: Id, length: usize) -> Id {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe {
        send!(device, "newBufferWithLength:options:", length => usize, 0 => usize; Id)
    })
}

/// A shared event, owned by the caller.
///
/// # Safety
/// `device` is a live device.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_event_create(device: Id) -> Id {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe { send!(device, "newSharedEvent"; Id) })
}

/// Value last signalled of an event.
///
/// # Safety
/// `event` is a live event.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_event_value(event: Id) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { send!(event, "signaledValue"; u64) }
}

/// A command buffer, owned by the caller.
///
/// # Safety
/// `queue` is a live queue.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_command_buffer(queue: Id) -> Id {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe { retain(send!(queue, "commandBuffer"; Id)) })
}

/// An `MPSCommandBuffer` around a new command buffer, owned by the caller; every command buffer function takes it.
///
/// # Safety
/// `queue` is a live queue.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_mps_command_buffer(queue: Id) -> Id {
    // SAFETY: the class stands; the queue is alive.
    with_pool(|| unsafe {
        let class = objc_lookUpClass(c"MPSCommandBuffer".as_ptr());
        retain(send!(class, "commandBufferFromCommandQueue:", queue => Id; Id))
    })
}

/// A compute encoder. The command buffer owns it; it must not be used after `agx_rehearsal_end_encoding`.
///
/// # Safety
/// `command_buffer` is a live command buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_compute_encoder(command_buffer: Id) -> Id {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe { send!(command_buffer, "computeCommandEncoder"; Id) })
}

/// A blit encoder; owned like a compute encoder.
///
/// # Safety
/// `command_buffer` is a live command buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_blit_encoder(command_buffer: Id) -> Id {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe { send!(command_buffer, "blitCommandEncoder"; Id) })
}

/// Sends `setComputePipelineState:`.
///
/// # Safety
/// Both objects are alive and of the right kind.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_set_pipeline(encoder: Id, pipeline: Id) {
    // SAFETY: the caller's promise.
    unsafe { send!(encoder, "setComputePipelineState:", pipeline => Id; ()) }
}

/// Sends `setBuffer:offset:atIndex:`. The last offset bound is added to the checksum of each dispatch.
///
/// # Safety
/// Both objects are alive and of the right kind.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_set_buffer(
    encoder: Id,
    buffer: Id,
    offset: usize,
    index: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        send!(encoder, "setBuffer:offset:atIndex:", buffer => Id, offset => usize, index => usize; ());
    }
}

/// Sends `setBytes:length:atIndex:`. The first four bytes, little-endian, are added to the checksum of each dispatch.
///
/// # Safety
/// The encoder is alive; `bytes` has `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_set_bytes(
    encoder: Id,
    bytes: *const c_void,
    length: usize,
    index: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        send!(encoder, "setBytes:length:atIndex:", bytes => *const c_void, length => usize, index => usize; ());
    }
}

/// Sends `useResource:usage:`.
///
/// # Safety
/// Both objects are alive and of the right kind.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_use_resource(
    encoder: Id,
    resource: Id,
    usage: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { send!(encoder, "useResource:usage:", resource => Id, usage => usize; ()) }
}

/// Sends `dispatchThreads:threadsPerThreadgroup:` for `threads` by 1 by 1 threads.
///
/// # Safety
/// The encoder is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_dispatch_threads(encoder: Id, threads: usize) {
    let grid = Size {
        width: threads,
        height: 1,
        depth: 1,
    };
    let group = Size {
        width: 32,
        height: 1,
        depth: 1,
    };
    // SAFETY: the caller's promise.
    unsafe {
        send!(encoder, "dispatchThreads:threadsPerThreadgroup:", grid => Size, group => Size; ());
    }
}

/// Sends `dispatchThreadgroups:threadsPerThreadgroup:` for `groups` by 1 by 1 groups of 32 threads.
///
/// # Safety
/// The encoder is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_dispatch_threadgroups(encoder: Id, groups: usize) {
    let grid = Size {
        width: groups,
        height: 1,
        depth: 1,
    };
    let group = Size {
        width: 32,
        height: 1,
        depth: 1,
    };
    // SAFETY: the caller's promise.
    unsafe {
        send!(encoder, "dispatchThreadgroups:threadsPerThreadgroup:", grid => Size, group => Size; ());
    }
}

/// Encodes `count` dispatches of 64 threads, each with its own pipeline, buffer, bytes and residency messages: number `i`
/// binds the buffer at offset `first + i` and sets the bytes of `first + i`. What a foreign caller sends in one call.
///
/// # Safety
/// The objects are alive and of the right kind.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_encode(
    encoder: Id,
    pipeline: Id,
    buffer: Id,
    first: u32,
    count: u32,
) {
    for number in (0..count).map(|step| first.wrapping_add(step)) {
        let bytes = number.to_le_bytes();
        // SAFETY: the caller's promise.
        unsafe {
            agx_rehearsal_set_pipeline(encoder, pipeline);
            agx_rehearsal_set_buffer(encoder, buffer, number as usize, 0);
            agx_rehearsal_set_bytes(encoder, bytes.as_ptr().cast(), bytes.len(), 1);
            agx_rehearsal_use_resource(encoder, buffer, 1);
            agx_rehearsal_dispatch_threads(encoder, 64);
        }
    }
}

/// Makes, encodes, commits and waits for `command_buffers` command buffers in turn, each with one compute encoder of
/// `dispatches` dispatches as [`agx_rehearsal_encode`] numbers them: those of buffer `i` start at `first + i`. What a program
/// whose interpreter locks between calls needs, to be in the driver at the same time as its other threads.
///
/// # Safety
/// The objects are alive and of the right kind.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_submit(
    queue: Id,
    pipeline: Id,
    buffer: Id,
    first: u32,
    dispatches: u32,
    command_buffers: u32,
) {
    for number in (0..command_buffers).map(|step| first.wrapping_add(step)) {
        // SAFETY: the caller's promise; the rest is made here, in the order that Metal asks for.
        unsafe {
            let command_buffer = agx_rehearsal_command_buffer(queue);
            let encoder = agx_rehearsal_compute_encoder(command_buffer);
            agx_rehearsal_encode(encoder, pipeline, buffer, number, dispatches);
            agx_rehearsal_end_encoding(encoder);
            agx_rehearsal_commit(command_buffer);
            agx_rehearsal_wait(command_buffer);
            agx_rehearsal_release(command_buffer);
        }
    }
}

/// Sends `fillBuffer:range:value:` to a blit encoder; adds `offset + length * value` to the checksum, and one dispatch.
///
/// # Safety
/// Both objects are alive and of the right kind.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_fill_buffer(
    encoder: Id,
    buffer: Id,
    offset: usize,
    length: usize,
    value: u8,
) {
    let range = Range {
        location: offset,
        length,
    };
    // SAFETY: the caller's promise.
    unsafe {
        send!(encoder, "fillBuffer:range:value:", buffer => Id, range => Range, value => u8; ());
    }
}

/// Sends `endEncoding`.
///
/// # Safety
/// The encoder is alive and open.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_end_encoding(encoder: Id) {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe { send!(encoder, "endEncoding"; ()) });
}

/// Sends `commit`.
///
/// # Safety
/// The command buffer is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_commit(command_buffer: Id) {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe { send!(command_buffer, "commit"; ()) });
}

/// Sends `waitUntilCompleted`.
///
/// # Safety
/// The command buffer is alive and committed.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_wait(command_buffer: Id) {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe { send!(command_buffer, "waitUntilCompleted"; ()) });
}

/// Sends `encodeSignalEvent:value:`.
///
/// # Safety
/// Both objects are alive and of the right kind.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_signal_event(
    command_buffer: Id,
    event: Id,
    value: u64,
) {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe {
        send!(command_buffer, "encodeSignalEvent:value:", event => Id, value => u64; ());
    });
}

/// Sends `encodeWaitForEvent:value:`.
///
/// # Safety
/// Both objects are alive and of the right kind.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_wait_event(
    command_buffer: Id,
    event: Id,
    value: u64,
) {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe {
        send!(command_buffer, "encodeWaitForEvent:value:", event => Id, value => u64; ());
    });
}

/// Sends `addCompletedHandler:` with a block that calls `function(command_buffer, context)`.
///
/// # Safety
/// The command buffer is alive; `function` may be called from another thread, once, with `context`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_add_completed_handler(
    command_buffer: Id,
    function: unsafe extern "C" fn(Id, *mut c_void),
    context: *mut c_void,
) {
    let block = FunctionBlock::new(function, context);
    // SAFETY: the caller's promise; the receiver copies the block.
    with_pool(|| unsafe {
        send!(command_buffer, "addCompletedHandler:", block.as_ptr() => *const Block; ());
    });
}

/// Sends `addScheduledHandler:` with a block that calls `function(command_buffer, context)`.
///
/// # Safety
/// As for `agx_rehearsal_add_completed_handler`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_add_scheduled_handler(
    command_buffer: Id,
    function: unsafe extern "C" fn(Id, *mut c_void),
    context: *mut c_void,
) {
    let block = FunctionBlock::new(function, context);
    // SAFETY: as above.
    with_pool(|| unsafe {
        send!(command_buffer, "addScheduledHandler:", block.as_ptr() => *const Block; ());
    });
}

/// Adds a reference.
///
/// # Safety
/// The object is alive, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_retain(object: Id) -> Id {
    // SAFETY: the caller's promise.
    unsafe { retain(object) }
}

/// Drops a reference.
///
/// # Safety
/// The object is alive, or NULL, and the caller owns the reference.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn agx_rehearsal_release(object: Id) {
    // SAFETY: the caller's promise.
    with_pool(|| unsafe { release(object) });
}

/// Dispatches executed so far, by every queue.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn agx_rehearsal_executed() -> u64 {
    queue_thread::executed().0.dispatches
}

/// Checksum of what was executed so far, modulo 2^64.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn agx_rehearsal_checksum() -> u64 {
    queue_thread::executed().0.checksum
}

/// Command buffers completed so far.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn agx_rehearsal_completed() -> u64 {
    queue_thread::executed().1
}

/// Objects of the driver that are alive; -1 where they are not counted (Apple's runtime).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn agx_rehearsal_live_objects() -> i64 {
    runtime::live_objects()
}
