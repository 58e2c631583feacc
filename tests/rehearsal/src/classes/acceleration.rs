//! `_MTLSWRaytracingAccelerationStructureCommandEncoder`: no `_MTLCommandEncoder` either. It builds with a compute encoder, which is its
//! command buffer's open one for as long.

use super::{Size, command_buffer, encoder, resources};
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Id, NIL, allocate, method, release, retain, send, send_super};
use std::ffi::c_void;

/// `_MTLSWRaytracingAccelerationStructureCommandEncoder`.
pub static METAL: ClassRef = ClassRef::new();
static COMPUTE: Ivar = Ivar::word(c"_computeEncoder", c"@");
static COMMAND_BUFFER: Ivar = Ivar::word(c"_commandBuffer", c"@");
static DEVICE: Ivar = Ivar::word(c"_device", c"@");
static PIPELINE: Ivar = Ivar::word(c"_buildPipeline", c"@");
/// What multiplies a build's threads in the checksum.
const PIPELINE_TAG: u64 = 11;
/// Threadgroups of a build, and threads of each.
const GROUPS: usize = 2;
const THREADS: usize = 32;

/// The class.
#[rustfmt::skip] // a table
pub fn metal() -> ClassSpec {
    ClassSpec {
        name: c"_MTLSWRaytracingAccelerationStructureCommandEncoder",
        superclass: Some(c"_MTLObjectWithLabel"),
        ivars: vec![&COMPUTE, &COMMAND_BUFFER, &DEVICE, &PIPELINE],
        methods: vec![
            Method::new(c"initWithCommandBuffer:", c"@@:@", init::<true> as *const ()),
            Method::new(c"initWithCommandBuffer:descriptor:", c"@@:@@", init_descriptor::<true> as *const ()),
            Method::new(c"commandBuffer", c"@@:", command_buffer_of::<true> as *const ()),
            Method::new(c"device", c"@@:", device_of::<true> as *const ()),
            Method::new(c"buildAccelerationStructure:descriptor:scratchBuffer:scratchBufferOffset:", c"v@:@@@Q", build::<true> as *const ()),
            Method::new(c"refitAccelerationStructure:descriptor:destination:scratchBuffer:scratchBufferOffset:", c"v@:@@@@Q", refit::<true> as *const ()),
            Method::new(c"copyAccelerationStructure:toAccelerationStructure:", c"v@:@@", copy::<true> as *const ()),
            Method::new(c"writeCompactedAccelerationStructureSize:toBuffer:offset:", c"v@:@@Q", write_size::<true> as *const ()),
            Method::new(c"updateFence:", c"v@:@", update_fence::<true> as *const ()),
            Method::new(c"useResource:usage:", c"v@:@Q", use_resource::<true> as *const ()),
            Method::new(c"endEncoding", c"v@:", end_encoding::<true> as *const ()),
            Method::new(c"endEncodingAndRetrieveProgramAddressTable", c"@@:", end_and_retrieve::<true> as *const ()),
            Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &METAL,
    }
}

/// One dispatch of the compute encoder, with a buffer bound at an offset.
unsafe fn dispatch(this: Id, buffer: Id, byte_offset: usize) {
    let size = |width| Size {
        width,
        height: 1,
        depth: 1,
    };
    let none = 0_u32;
    // SAFETY: the callers run methods of a live, open encoder, which keeps its compute encoder.
    unsafe {
        let compute: Id = COMPUTE.load(this);
        send!(compute, "setComputePipelineState:", PIPELINE.load(this) => Id; ());
        send!(compute, "setBuffer:offset:atIndex:", buffer => Id, byte_offset => usize, 0 => usize; ());
        send!(compute, "setBytes:length:atIndex:", (&raw const none).cast() => *const c_void, 4 => usize, 1 => usize; ());
        send!(compute, "dispatchThreadgroups:threadsPerThreadgroup:", size(GROUPS) => Size, size(THREADS) => Size; ());
    }
}

method!("-[_MTLSWRaytracingAccelerationStructureCommandEncoder initWithCommandBuffer:]",
fn init(this, command_buffer: Id) -> Id {
    encoder::born();
    COMMAND_BUFFER.store(this, command_buffer);
    DEVICE.store(this, command_buffer::device_of(command_buffer));
    let pipeline = allocate(resources::PIPELINE.get());
    resources::PIPELINE_TAG.store(pipeline, PIPELINE_TAG);
    PIPELINE.store(this, pipeline);
    let compute = send!(command_buffer, "computeCommandEncoderWithDispatchType:", 0 => usize; Id);
    COMPUTE.store(this, retain(compute));
    this
});
method!("-[_MTLSWRaytracingAccelerationStructureCommandEncoder initWithCommandBuffer:descriptor:]",
fn init_descriptor(this, command_buffer: Id, _descriptor: Id) -> Id {
    send!(this, "initWithCommandBuffer:", command_buffer => Id; Id)
});
method!("-[_MTLSWRaytracingAccelerationStructureCommandEncoder commandBuffer]",
    fn command_buffer_of(this) -> Id { COMMAND_BUFFER.load(this) });
method!("-[_MTLSWRaytracingAccelerationStructureCommandEncoder device]",
    fn device_of(this) -> Id { DEVICE.load(this) });
method!("-[_MTLSWRaytracingAccelerationStructureCommandEncoder buildAccelerationStructure:descriptor:scratchBuffer:scratchBufferOffset:]",
fn build(this, _structure: Id, _descriptor: Id, scratch: Id, byte_offset: usize) {
    dispatch(this, scratch, byte_offset);
});
method!("-[_MTLSWRaytracingAccelerationStructureCommandEncoder refitAccelerationStructure:descriptor:destination:scratchBuffer:scratchBufferOffset:]",
fn refit(this, _source: Id, _descriptor: Id, _destination: Id, scratch: Id, byte_offset: usize) {
    dispatch(this, scratch, byte_offset);
});
method!("-[_MTLSWRaytracingAccelerationStructureCommandEncoder copyAccelerationStructure:toAccelerationStructure:]",
    fn copy(this, _source: Id, _destination: Id) { dispatch(this, NIL, 0) });
method!("-[_MTLSWRaytracingAccelerationStructureCommandEncoder writeCompactedAccelerationStructureSize:toBuffer:offset:]",
    fn write_size(this, _structure: Id, buffer: Id, byte_offset: usize) { dispatch(this, buffer, byte_offset) });
method!("-[_MTLSWRaytracingAccelerationStructureCommandEncoder updateFence:]",
    fn update_fence(this, fence: Id) { send!(COMPUTE.load(this), "updateFence:", fence => Id; ()) });
method!("-[_MTLSWRaytracingAccelerationStructureCommandEncoder useResource:usage:]",
fn use_resource(this, resource: Id, usage: usize) {
    send!(COMPUTE.load(this), "useResource:usage:", resource => Id, usage => usize; ());
});
method!("-[_MTLSWRaytracingAccelerationStructureCommandEncoder endEncoding]",
fn end_encoding(this) {
    let compute = COMPUTE.take(this);
    if compute != NIL {
        send!(compute, "endEncoding"; ());
        release(compute);
        // The command buffer's reference may be the last one: nothing touches the encoder after this.
        super::factories::keep_acceleration(COMMAND_BUFFER.load(this), NIL);
    }
});
method!("-[_MTLSWRaytracingAccelerationStructureCommandEncoder endEncodingAndRetrieveProgramAddressTable]",
fn end_and_retrieve(this) -> Id {
    send!(this, "endEncoding"; ());
    NIL
});
method!("-[_MTLSWRaytracingAccelerationStructureCommandEncoder dealloc]",
fn dealloc(this) {
    if DEVICE.load::<Id>(this) != NIL {
        encoder::died();
    }
    release(COMPUTE.take(this));
    release(PIPELINE.take(this));
    send_super!(this, &METAL, "dealloc"; ());
});
