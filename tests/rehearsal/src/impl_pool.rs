//! The device's pool: `_impl` blocks that keep an encoder's state, and encoders that wait to be used again.

use crate::failure::{Assertion, fail};
use crate::faults::{self, Window};
use crate::runtime::{Id, NIL, release, retain};
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The pool keeps at most this many blocks, and encoders; what is given back beyond is freed.
pub const KEPT: usize = 8;

/// Blocks that a device has room for, those in use included: **our assumption**, as the driver's limit is not published. Far above
/// what an application that gives them back ever needs, and low enough for one that does not to meet it within a second.
pub const LIMIT: usize = 1024;

/// Size of a block: room for every published offset, the largest being 0x3b90.
const BLOCK_BYTES: usize = 0x4000;
const BLOCK: Layout = match Layout::from_size_align(BLOCK_BYTES, 64) {
    Ok(layout) => layout,
    Err(_) => panic!("a power of two"),
};

/// The work that an encoder recorded and has not yet handed to its command buffer.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Work {
    /// Dispatches.
    pub dispatches: u64,
    /// Sum, modulo 2^64, over the dispatches of `tag * threads + offset + bytes`.
    pub checksum: u64,
}

/// Where the words of a block lie.
///
/// The six published offsets are touched first by the method they are published for; the rest is this driver's own.
pub mod offset {
    /// Read by `prepareForEnqueue`.
    pub const ENQUEUE_FLAGS: usize = 0x98;
    /// Written by `allocateUSCSpillBuffer`.
    pub const SPILL_SIZE: usize = 0x184;
    /// Read by `bindResource`.
    pub const RESOURCE_GROUP: usize = 0x1e0;
    /// Read by `setComputePipelineState:`.
    pub const PIPELINE: usize = 0x5c8;
    /// Read by `dispatchThreads:threadsPerThreadgroup:`.
    pub const DISPATCH_STATE: usize = 0x5f4;
    /// Dispatches recorded.
    pub const DISPATCHES: usize = 0x600;
    /// Checksum of what was recorded.
    pub const CHECKSUM: usize = 0x608;
    /// First four bytes of the last `setBytes:`.
    pub const BYTES: usize = 0x610;
    /// Numbers of the last state set of a render encoder, added up.
    pub const STATE: usize = 0x618;
    /// Read by `setBuffer:offset:atIndex:`: offset of the last buffer bound.
    pub const BUFFER: usize = 0x3b90;
}

/// One `_impl`, or NULL. Every access is a real load or store at the block's address plus the offset.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Impl(pub *mut u8);

impl Impl {
    /// No block.
    pub const NULL: Self = Self(std::ptr::null_mut());

    /// A block of zeros.
    pub fn allocate() -> Self {
        // SAFETY: the layout's size is not zero.
        let block = unsafe { alloc_zeroed(BLOCK) };
        if block.is_null() {
            handle_alloc_error(BLOCK)
        }
        Self(block)
    }

    /// Frees a block.
    ///
    /// # Safety
    /// The block came from [`Impl::allocate`] and is not used again; NULL is nothing.
    pub unsafe fn free(self) {
        if !self.0.is_null() {
            // SAFETY: allocated with this layout.
            unsafe { dealloc(self.0, BLOCK) }
        }
    }

    /// Reads the word at `offset`.
    ///
    /// # Safety
    /// The block is alive. NULL faults at exactly `offset`: that is the published crash.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the fault has to show in the method itself"
    )]
    pub unsafe fn read<T: Copy>(self, offset: usize) -> T {
        // SAFETY: the offset lies in a block and is aligned for `T`.
        unsafe { self.0.wrapping_add(offset).cast::<T>().read_volatile() }
    }

    /// Writes the word at `offset`.
    ///
    /// # Safety
    /// As for [`Impl::read`].
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the fault has to show in the method itself"
    )]
    pub unsafe fn write<T: Copy>(self, offset: usize, value: T) {
        // SAFETY: as for `read`.
        unsafe {
            self.0
                .wrapping_add(offset)
                .cast::<T>()
                .write_volatile(value);
        }
    }

    /// Takes the recorded work out.
    ///
    /// # Safety
    /// The block is alive and nobody records into it.
    pub unsafe fn take_work(self) -> Work {
        // SAFETY: the caller's promise.
        unsafe {
            let work = Work {
                dispatches: self.read(offset::DISPATCHES),
                checksum: self.read(offset::CHECKSUM),
            };
            self.write(offset::DISPATCHES, 0_u64);
            self.write(offset::CHECKSUM, 0_u64);
            work
        }
    }

    /// Makes a used block look new.
    unsafe fn reset(self) {
        // SAFETY: the pool owns the block.
        unsafe {
            self.take_work();
            self.write(offset::PIPELINE, 0_u64);
            self.write(offset::BUFFER, 0_u64);
            self.write(offset::BYTES, 0_u32);
            self.write(offset::STATE, 0_u64);
        }
    }
}

/// What the pool's lock protects.
#[derive(Default)]
pub struct Kept {
    blocks: Vec<usize>,
    /// Blocks that encoders have.
    in_use: usize,
    encoders: Vec<usize>,
}

/// The pool of one device.
#[derive(Default)]
pub struct ImplPool(Mutex<Kept>);

impl ImplPool {
    /// Locks the pool.
    pub fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block for an encoder: a kept one, or a new one. Fails the assertion of an exhausted pool when [`LIMIT`] are in use.
    pub fn take_block(&self) -> Impl {
        let mut pool = self.lock();
        if pool.in_use == LIMIT {
            drop(pool);
            fail(&Assertion {
                method: c"-[AGXG16XFamilyComputeContext initWithCommandBuffer:config:]",
                // No report with this sentence was sighted; sentence and line are made up.
                line: 118,
                sentence: c"No encoder context is left in the device's pool",
            });
        }
        pool.in_use += 1;
        let kept = pool.blocks.pop();
        drop(pool);
        match kept {
            Some(address) => {
                let block = Impl(std::ptr::with_exposed_provenance_mut(address));
                // SAFETY: a kept block is alive and nobody else's.
                unsafe { block.reset() };
                block
            }
            None => Impl::allocate(),
        }
    }

    /// An encoder that waits to be used again, with a reference for the caller; nil where none waits.
    ///
    /// With the late-retain fault the reference is taken only after the unlock.
    pub fn take_encoder(&self) -> Id {
        let waiting = self.lock().encoders.pop();
        let Some(address) = waiting else { return NIL };
        let encoder = std::ptr::with_exposed_provenance_mut(address);
        if faults::retains_late() {
            faults::wait_in(Window::Destroy, || false);
            // SAFETY: not given: the command buffer that used the encoder may have dropped the last reference meanwhile. That
            // is the fault under rehearsal.
            unsafe { retain(encoder) };
        }
        encoder
    }

    /// Forgets an encoder that is being deallocated.
    pub fn forget_encoder(&self, encoder: Id) {
        self.lock()
            .encoders
            .retain(|&waiting| waiting != encoder.addr());
    }
}

impl Kept {
    /// Keeps a block, or frees it where the pool is full.
    ///
    /// # Safety
    /// `block` came from [`ImplPool::take_block`] and is not used again by the caller.
    pub unsafe fn give_block(&mut self, block: Impl) {
        self.in_use = self.in_use.saturating_sub(1);
        if self.blocks.len() < KEPT {
            self.blocks.push(block.0.expose_provenance());
        } else {
            // SAFETY: the caller's promise.
            unsafe { block.free() }
        }
    }

    /// Lets an encoder wait to be used again, with a reference of the list's own, where there is room.
    ///
    /// # Safety
    /// `encoder` is alive.
    pub unsafe fn give_encoder(&mut self, encoder: Id) {
        if self.encoders.len() < KEPT {
            if !faults::retains_late() {
                // SAFETY: the caller's promise.
                unsafe { retain(encoder) };
            }
            self.encoders.push(encoder.expose_provenance());
        }
    }
}

impl Drop for ImplPool {
    fn drop(&mut self) {
        let kept = std::mem::take(&mut *self.lock());
        for block in kept.blocks {
            // SAFETY: kept blocks were allocated with this layout.
            unsafe { dealloc(std::ptr::with_exposed_provenance_mut(block), BLOCK) }
        }
        if faults::retains_late() {
            return;
        }
        for encoder in kept.encoders {
            // SAFETY: the list owns one reference to each.
            unsafe { release(std::ptr::with_exposed_provenance_mut(encoder)) }
        }
    }
}
