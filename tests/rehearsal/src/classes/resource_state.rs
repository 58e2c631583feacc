//! `AGXG16XFamilyResourceStateContext`: each update of a mapping counts as one command.

use super::{Size, command, device, encoder};
use crate::impl_pool::Impl;
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Id, NIL, method, send_super};

static IOGPU: ClassRef = ClassRef::new();
/// `AGXG16XFamilyResourceStateContext`.
pub static AGX: ClassRef = ClassRef::new();
static IMPL: Ivar = Ivar::word(c"_impl", c"^v");
/// What a command adds to the checksum, by its kind.
const UPDATE: u64 = 0x3_0005;
const MOVE: u64 = 0x3_0015;
const FENCE: u64 = 0x3_0025;

/// `MTLRegion`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Region {
    /// Where it begins.
    pub origin: Size,
    /// Its extent.
    pub size: Size,
}

/// `IOGPUMetalResourceStateCommandEncoder`.
pub fn iogpu() -> ClassSpec {
    ClassSpec {
        name: c"IOGPUMetalResourceStateCommandEncoder",
        superclass: Some(c"IOGPUMetalCommandEncoder"),
        ivars: vec![],
        methods: vec![],
        class_methods: vec![],
        registered: &IOGPU,
    }
}

/// `AGXG16XFamilyResourceStateContext`.
#[rustfmt::skip] // a table
pub fn agx() -> ClassSpec {
    ClassSpec {
        name: c"AGXG16XFamilyResourceStateContext",
        superclass: Some(c"IOGPUMetalResourceStateCommandEncoder"),
        ivars: vec![&IMPL],
        methods: vec![
            Method::new(c"initWithCommandBuffer:", c"@@:@", init::<true> as *const ()),
            Method::new(c"initWithCommandBuffer:descriptor:", c"@@:@@", init_descriptor::<true> as *const ()),
            Method::new(c"updateTextureMapping:mode:region:mipLevel:slice:", c"v@:@Q{?={?=QQQ}{?=QQQ}}QQ", update::<true> as *const ()),
            Method::new(c"updateTextureMapping:mode:indirectBuffer:indirectBufferOffset:", c"v@:@Q@Q", update_indirect::<true> as *const ()),
            Method::new(c"updateTextureMappings:mode:regions:mipLevels:slices:numRegions:", c"v@:@Qr^{?={?=QQQ}{?=QQQ}}r^Qr^QQ", update_many::<true> as *const ()),
            Method::new(
                c"moveTextureMappingsFromTexture:sourceSlice:sourceLevel:sourceOrigin:sourceSize:toTexture:destinationSlice:destinationLevel:destinationOrigin:",
                c"v@:@QQ{?=QQQ}{?=QQQ}@QQ{?=QQQ}",
                move_mappings::<true> as *const (),
            ),
            Method::new(c"updateFence:", c"v@:@", update_fence::<true> as *const ()),
            Method::new(c"endEncoding", c"v@:", end_encoding::<true> as *const ()),
            Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &AGX,
    }
}

unsafe fn start(this: Id, command_buffer: Id) -> Id {
    // SAFETY: the callers run initialisers of a fresh instance; the command buffer is alive.
    unsafe {
        send_super!(this, &AGX, "initWithCommandBuffer:", command_buffer => Id; Id);
        IMPL.store(this, device::pool(encoder::device_of(this)).take_block());
    }
    this
}

unsafe fn record(this: Id, checksum: u64, more: usize) {
    // SAFETY: the callers run methods of a live, open encoder.
    unsafe { command::record(this, IMPL.load(this), checksum.wrapping_add(more as u64)) }
}

method!("-[AGXG16XFamilyResourceStateContext initWithCommandBuffer:]",
    fn init(this, command_buffer: Id) -> Id { start(this, command_buffer) });
method!("-[AGXG16XFamilyResourceStateContext initWithCommandBuffer:descriptor:]",
    fn init_descriptor(this, command_buffer: Id, _descriptor: Id) -> Id { start(this, command_buffer) });
method!("-[AGXG16XFamilyResourceStateContext updateTextureMapping:mode:region:mipLevel:slice:]",
fn update(this, _texture: Id, _mode: usize, region: Region, level: usize, slice: usize) {
    record(this, UPDATE + region.size.volume(), region.origin.width + level + slice);
});
method!("-[AGXG16XFamilyResourceStateContext updateTextureMapping:mode:indirectBuffer:indirectBufferOffset:]",
fn update_indirect(this, _texture: Id, _mode: usize, _buffer: Id, byte_offset: usize) {
    record(this, UPDATE, byte_offset);
});
method!("-[AGXG16XFamilyResourceStateContext updateTextureMappings:mode:regions:mipLevels:slices:numRegions:]",
fn update_many(this, _texture: Id, _mode: usize, regions: *const Region, levels: *const usize, slices: *const usize, count: usize) {
    for index in 0..count {
        let region = regions.add(index).read();
        let more = region.origin.width + levels.add(index).read() + slices.add(index).read();
        record(this, UPDATE + region.size.volume(), more);
    }
});
method!("-[AGXG16XFamilyResourceStateContext moveTextureMappingsFromTexture:sourceSlice:sourceLevel:sourceOrigin:sourceSize:toTexture:destinationSlice:destinationLevel:destinationOrigin:]",
fn move_mappings(
    this, _source: Id, slice: usize, level: usize, origin: Size, size: Size,
    _destination: Id, to_slice: usize, to_level: usize, to_origin: Size
) {
    record(this, MOVE + size.volume(), slice + level + origin.width + to_slice + to_level + to_origin.width);
});
method!("-[AGXG16XFamilyResourceStateContext updateFence:]",
    fn update_fence(this, _fence: Id) { record(this, FENCE, 0) });
method!("-[AGXG16XFamilyResourceStateContext endEncoding]",
fn end_encoding(this) {
    command::hand_in(this, Impl(IMPL.take(this).cast()));
    // Nothing touches the encoder after this message.
    send_super!(this, &AGX, "endEncoding"; ());
});
method!("-[AGXG16XFamilyResourceStateContext dealloc]",
fn dealloc(this) {
    // An encoder that never ended still has its block.
    if encoder::device_of(this) != NIL {
        command::give_up(this, Impl(IMPL.take(this).cast()));
    }
    send_super!(this, &AGX, "dealloc"; ());
});
