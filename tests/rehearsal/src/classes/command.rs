//! What commands of all encoders do: they use what the device has once, and add to what their encoder has recorded.

use super::{command_buffer, device, encoder};
use crate::faults::{self, Flaw, Window};
use crate::impl_pool::{Impl, offset};
use crate::runtime::Id;

/// Writes the size of the spill buffer, as the published function does.
#[unsafe(export_name = "AGX::SpillInfoGen3<AGX::G16X::Encoders, AGX::G16X::Classes>::allocateUSCSpillBuffer(AGX::DataBufferAllocator<44ul>&, unsigned int)")]
#[inline(never)]
unsafe extern "C-unwind" fn allocate_spill_buffer_at<const LOCAL: bool>(
    context: Impl,
    bytes: u32,
) -> u32 {
    // SAFETY: the caller passes what it found; that it is alive is what the published race breaks.
    unsafe { context.write(offset::SPILL_SIZE, bytes) }
    bytes
}

/// [`allocate_spill_buffer_at`], under its published name.
///
/// # Safety
/// `context` is a live block. NULL faults at [`offset::SPILL_SIZE`].
pub unsafe fn allocate_spill_buffer(context: Impl, bytes: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { allocate_spill_buffer_at::<true>(context, bytes) }
}

/// Takes what the device has once out of its place, uses it and puts it back, where the driver has that flaw: a second thread that
/// comes meanwhile finds NULL.
///
/// # Safety
/// `device` is a live device.
pub unsafe fn use_what_the_device_has_once(device: Id, flaw: Flaw) {
    if !faults::has(flaw) {
        return;
    }
    // SAFETY: the caller's promise; that nobody else has taken it is what the fault under rehearsal breaks.
    unsafe {
        let place = device::the_only(flaw);
        let taken: Impl = place.load(device);
        place.store(device, Impl::NULL);
        faults::wait_in(Window::TakenOut, || false);
        std::hint::black_box(allocate_spill_buffer(taken, 256));
        place.store(device, taken);
    }
}

/// Records one command with its share of the checksum.
///
/// # Safety
/// `encoder` is a live encoder, `context` its own live block.
pub unsafe fn record(encoder: Id, context: Impl, checksum: u64) {
    // SAFETY: the caller's promise.
    unsafe {
        use_what_the_device_has_once(encoder::device_of(encoder), Flaw::Allocator);
        let count: u64 = context.read(offset::DISPATCHES);
        let sum: u64 = context.read(offset::CHECKSUM);
        context.write(offset::DISPATCHES, count + 1);
        context.write(offset::CHECKSUM, sum.wrapping_add(checksum));
    }
}

/// Gives an encoder's block back to the pool, and what was recorded in it to the command buffer. NULL is nothing.
///
/// # Safety
/// `encoder` is a live encoder of a live command buffer, `own` was its block and is not used again.
pub unsafe fn hand_in(encoder: Id, own: Impl) {
    // SAFETY: the caller's promise.
    unsafe {
        if !own.0.is_null() {
            let work = own.take_work();
            device::pool(encoder::device_of(encoder))
                .lock()
                .give_block(own);
            command_buffer::append_work(encoder::command_buffer_of(encoder), work);
        }
    }
}

/// Gives an encoder's block back, and what was recorded in it to nobody. NULL is nothing.
///
/// # Safety
/// As for [`hand_in`], but for the command buffer.
pub unsafe fn give_up(encoder: Id, own: Impl) {
    // SAFETY: the caller's promise.
    unsafe {
        if !own.0.is_null() {
            device::pool(encoder::device_of(encoder))
                .lock()
                .give_block(own);
        }
    }
}

/// Keeps the first four bytes of what was set, little-endian.
///
/// # Safety
/// `context` is a live block; `bytes` has `length` bytes.
pub unsafe fn keep_bytes(context: Impl, bytes: *const u8, length: usize) {
    let mut first = [0; 4];
    let count = length.min(first.len());
    // SAFETY: the caller's promise.
    unsafe {
        std::ptr::copy_nonoverlapping(bytes, first.as_mut_ptr(), count);
        context.write(offset::BYTES, u32::from_le_bytes(first));
    }
}

/// What a dispatch or a draw of `elements` adds to the checksum, by what is bound.
///
/// # Safety
/// `context` is a live block.
pub unsafe fn checksum_of(context: Impl, elements: u64) -> u64 {
    // SAFETY: the caller's promise.
    unsafe {
        let tag: u64 = context.read(offset::PIPELINE);
        let bound: u64 = context.read(offset::BUFFER);
        let bytes: u32 = context.read(offset::BYTES);
        let state: u64 = context.read(offset::STATE);
        tag.wrapping_mul(elements)
            .wrapping_add(bound)
            .wrapping_add(u64::from(bytes))
            .wrapping_add(state)
    }
}
