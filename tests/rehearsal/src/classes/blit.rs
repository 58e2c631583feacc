//! `AGXG16XFamilyBlitContext`. No fault of it is published, so it has none.

use super::{Range, command, command_buffer, device, encoder};
use crate::impl_pool::{Impl, Work};
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Id, Sel, send, send_super};

/// `AGXG16XFamilyBlitContext`.
pub static AGX: ClassRef = ClassRef::new();
static IMPL: Ivar = Ivar::word(c"_impl", c"^v");
/// Where a compute encoder has its own copy of `_impl`: its `updateFence:`, run here by mistake, then does the wrong thing and no
/// more.
static OWN_IMPL: Ivar = Ivar::word(c"_ownImpl", c"^v");
/// What a fence adds to the checksum, as one command.
pub const FENCE: u64 = 0x2_0003;

/// `AGXG16XFamilyBlitContext`.
pub fn agx() -> ClassSpec {
    ClassSpec {
        name: c"AGXG16XFamilyBlitContext",
        superclass: Some(c"IOGPUMetalBlitCommandEncoder"),
        ivars: vec![&IMPL, &OWN_IMPL],
        methods: vec![
            Method::new(
                c"initWithCommandBuffer:descriptor:",
                c"@@:@@",
                init::<true> as *const (),
            ),
            Method::new(
                c"fillBuffer:range:value:",
                c"v@:@{_NSRange=QQ}C",
                fill_buffer::<true> as *const (),
            ),
            Method::new(
                c"copyFromBuffer:sourceOffset:toBuffer:destinationOffset:size:",
                c"v@:@Q@QQ",
                copy_buffer::<true> as *const (),
            ),
            Method::new(c"updateFence:", c"v@:@", update_fence::<true> as *const ()),
            Method::new(c"endEncoding", c"v@:", end_encoding::<true> as *const ()),
            Method::new(
                c"deferredEndEncoding",
                c"v@:",
                deferred_end_encoding::<true> as *const (),
            ),
            Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &AGX,
    }
}

/// Records one command; a blit counts as a dispatch.
unsafe fn record(this: Id, checksum: u64) {
    // SAFETY: the callers run methods of a live, open encoder.
    unsafe { command::record(this, IMPL.load(this), checksum) }
}

/// Takes `_impl` and what was recorded in it; the block goes back to the pool.
unsafe fn give_back(this: Id) -> Work {
    // SAFETY: the callers run methods of a live encoder; the block is its own.
    unsafe {
        let own = Impl(IMPL.take(this).cast());
        if own.0.is_null() {
            return Work::default();
        }
        let work = own.take_work();
        device::pool(encoder::device_of(this))
            .lock()
            .give_block(own);
        work
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyBlitContext initWithCommandBuffer:descriptor:]")]
unsafe extern "C-unwind" fn init<const LOCAL: bool>(
    this: Id,
    _: Sel,
    command_buffer: Id,
    _descriptor: Id,
) -> Id {
    // SAFETY: a fresh instance; the command buffer is alive.
    unsafe {
        send_super!(this, &AGX, "initWithCommandBuffer:", command_buffer => Id; Id);
        let taken = device::pool(encoder::device_of(this)).take_block();
        IMPL.store(this, taken);
        OWN_IMPL.store(this, taken);
    }
    this
}

#[unsafe(export_name = "-[AGXG16XFamilyBlitContext fillBuffer:range:value:]")]
unsafe extern "C-unwind" fn fill_buffer<const LOCAL: bool>(
    this: Id,
    _: Sel,
    _buffer: Id,
    range: Range,
    value: u8,
) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe {
        record(
            this,
            range.location as u64 + range.length as u64 * u64::from(value),
        );
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyBlitContext copyFromBuffer:sourceOffset:toBuffer:destinationOffset:size:]")]
unsafe extern "C-unwind" fn copy_buffer<const LOCAL: bool>(
    this: Id,
    _: Sel,
    _source: Id,
    source_offset: usize,
    _destination: Id,
    destination_offset: usize,
    size: usize,
) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { record(this, (source_offset + destination_offset + size) as u64) }
}

#[unsafe(export_name = "-[AGXG16XFamilyBlitContext updateFence:]")]
#[inline(never)]
unsafe extern "C-unwind" fn update_fence<const LOCAL: bool>(this: Id, _: Sel, _fence: Id) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { record(this, FENCE) }
}

#[unsafe(export_name = "-[AGXG16XFamilyBlitContext endEncoding]")]
unsafe extern "C-unwind" fn end_encoding<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe {
        send!(encoder::command_buffer_of(this), "setPreviousBlitCommandEncoder:", this => Id; ());
        send_super!(this, &AGX, "endEncoding"; ());
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyBlitContext deferredEndEncoding]")]
unsafe extern "C-unwind" fn deferred_end_encoding<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class that has ended.
    unsafe { command_buffer::append_work(encoder::command_buffer_of(this), give_back(this)) }
}

#[unsafe(export_name = "-[AGXG16XFamilyBlitContext dealloc]")]
unsafe extern "C-unwind" fn dealloc<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: the last reference is gone; work that was never committed goes with it.
    unsafe {
        give_back(this);
        send_super!(this, &AGX, "dealloc"; ());
    }
}
