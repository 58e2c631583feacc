//! `AGXG16XFamilyComputeContext`: the encoder with the published races.

use super::coalescing::ComputeConfig;
use super::{Range, Size, command, command_buffer, device, encoder, resources};
use crate::faults::{self, Site, Window};
use crate::impl_pool::{Impl, offset};
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Id, NIL, Sel, class_of, send, send_super};

/// `AGXG16XFamilyComputeContext`.
pub static AGX: ClassRef = ClassRef::new();
/// The variable that `destroyImpl` stores NULL to too late, and that methods load with neither lock nor test.
static IMPL: Ivar = Ivar::word(c"_impl", c"^v");
/// The encoder's own copy of `_impl`, not raced for: what sites read that are not selected, and what is given back.
static OWN_IMPL: Ivar = Ivar::word(c"_ownImpl", c"^v");
/// Whether `deferredEndEncoding` has run: from then on only `destroyImpl` gives `_impl` back.
static ENDED: Ivar = Ivar::word(c"_ended", c"Q");
/// What a fence adds to the checksum, as one command. A blit encoder's adds something else.
pub const FENCE: u64 = 0x1_0001;

/// `AGXG16XFamilyComputeContext`.
pub fn agx() -> ClassSpec {
    ClassSpec {
        name: c"AGXG16XFamilyComputeContext",
        superclass: Some(c"IOGPUMetalComputeCommandEncoder"),
        ivars: vec![&IMPL, &OWN_IMPL, &ENDED],
        methods: vec![
            Method::new(
                c"initWithCommandBuffer:config:",
                c"@@:@{EncoderComputeServiceConfig=@@@i@iIBB}",
                init::<true> as *const (),
            ),
            Method::new(
                c"reInitWithCommandBuffer:",
                c"@@:@",
                re_init::<true> as *const (),
            ),
            Method::new(
                c"setComputePipelineState:",
                c"v@:@",
                set_compute_pipeline_state::<true> as *const (),
            ),
            Method::new(
                c"setBuffer:offset:atIndex:",
                c"v@:@QQ",
                set_buffer::<true> as *const (),
            ),
            Method::new(
                c"setBuffers:offsets:withRange:",
                c"v@:r^@r^Q{_NSRange=QQ}",
                set_buffers::<true> as *const (),
            ),
            Method::new(
                c"setBufferOffset:atIndex:",
                c"v@:QQ",
                set_buffer_offset::<true> as *const (),
            ),
            Method::new(
                c"setBytes:length:atIndex:",
                c"v@:r^vQQ",
                set_bytes::<true> as *const (),
            ),
            Method::new(
                c"useResource:usage:",
                c"v@:@Q",
                use_resource::<true> as *const (),
            ),
            Method::new(
                c"useResources:count:usage:",
                c"v@:r^@QQ",
                use_resources::<true> as *const (),
            ),
            Method::new(
                c"dispatchThreads:threadsPerThreadgroup:",
                c"v@:{?=QQQ}{?=QQQ}",
                dispatch_threads::<true> as *const (),
            ),
            Method::new(
                c"dispatchThreadgroups:threadsPerThreadgroup:",
                c"v@:{?=QQQ}{?=QQQ}",
                dispatch_threadgroups::<true> as *const (),
            ),
            Method::new(c"updateFence:", c"v@:@", update_fence::<true> as *const ()),
            Method::new(c"endEncoding", c"v@:", end_encoding::<true> as *const ()),
            Method::new(
                c"deferredEndEncoding",
                c"v@:",
                deferred_end_encoding::<true> as *const (),
            ),
            Method::new(c"destroyImpl", c"v@:", destroy_impl::<true> as *const ()),
            Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &AGX,
    }
}

/// What the method at `site` finds in `_impl`. In the caller's own frame, so that the fault is the method's.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "the fault has to show in the method itself"
)]
unsafe fn load_impl(this: Id, site: Site) -> Impl {
    // SAFETY: the callers run methods of a live object.
    unsafe {
        if faults::races_at(site) {
            IMPL.load(this)
        } else {
            OWN_IMPL.load(this)
        }
    }
}

unsafe fn take_impl(this: Id) {
    // SAFETY: the encoder is being initialised and is nobody else's by contract.
    unsafe {
        let taken = device::pool(encoder::device_of(this)).take_block();
        IMPL.store(this, taken);
        OWN_IMPL.store(this, taken);
        ENDED.store(this, 0_usize);
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyComputeContext initWithCommandBuffer:config:]")]
unsafe extern "C-unwind" fn init<const LOCAL: bool>(
    this: Id,
    _: Sel,
    command_buffer: Id,
    _config: ComputeConfig,
) -> Id {
    // SAFETY: a fresh instance; the command buffer is alive.
    unsafe {
        send_super!(this, &AGX, "initWithCommandBuffer:", command_buffer => Id; Id);
        take_impl(this);
    }
    this
}

/// The moment between handing out an encoder that waited and its first use.
///
/// # Safety
/// `encoder` is a live compute encoder.
pub unsafe fn hand_out(encoder: Id) {
    if !faults::stores_late() {
        return;
    }
    // SAFETY: the caller's promise.
    let struck = || unsafe { IMPL.load::<Impl>(encoder).0.is_null() };
    faults::wait_in(Window::HandOut, struck);
}

/// Opens the same encoder object again. One that its command buffer kept still has its `_impl`.
#[unsafe(export_name = "-[AGXG16XFamilyComputeContext reInitWithCommandBuffer:]")]
unsafe extern "C-unwind" fn re_init<const LOCAL: bool>(this: Id, _: Sel, command_buffer: Id) -> Id {
    // SAFETY: the encoder has ended; the command buffer is alive.
    unsafe {
        send_super!(this, &AGX, "initWithCommandBuffer:", command_buffer => Id; Id);
        if OWN_IMPL.load::<Impl>(this).0.is_null() {
            take_impl(this);
        }
    }
    this
}

#[unsafe(export_name = "-[AGXG16XFamilyComputeContext setComputePipelineState:]")]
#[inline(never)]
unsafe extern "C-unwind" fn set_compute_pipeline_state<const LOCAL: bool>(
    this: Id,
    _: Sel,
    pipeline: Id,
) {
    // SAFETY: a method runs on a live instance of its class; the pipeline is alive. That the block is alive is what the
    // published race breaks.
    unsafe {
        let context = load_impl(this, Site::Pipeline);
        let tag: u64 = resources::PIPELINE_TAG.load(pipeline);
        if context.read::<u64>(offset::PIPELINE) != tag {
            context.write(offset::PIPELINE, tag);
        }
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyComputeContext setBuffer:offset:atIndex:]")]
#[inline(never)]
unsafe extern "C-unwind" fn set_buffer<const LOCAL: bool>(
    this: Id,
    _: Sel,
    _buffer: Id,
    byte_offset: usize,
    _index: usize,
) {
    // SAFETY: as for `setComputePipelineState:`.
    unsafe {
        let context = load_impl(this, Site::Buffer);
        if context.read::<u64>(offset::BUFFER) != byte_offset as u64 {
            context.write(offset::BUFFER, byte_offset as u64);
        }
    }
}

/// **Our assumption**: one message for each buffer. A method that sends another one to the same encoder is what a lock that is not
/// re-entrant waits for itself in.
#[unsafe(export_name = "-[AGXG16XFamilyComputeContext setBuffers:offsets:withRange:]")]
unsafe extern "C-unwind" fn set_buffers<const LOCAL: bool>(
    this: Id,
    _: Sel,
    buffers: *const Id,
    offsets: *const usize,
    range: Range,
) {
    // SAFETY: a method runs on a live instance of its class; the sender vouches for the arrays.
    unsafe {
        for step in 0..range.length {
            let (buffer, byte_offset) = (buffers.add(step).read(), offsets.add(step).read());
            let index = range.location + step;
            send!(this, "setBuffer:offset:atIndex:", buffer => Id, byte_offset => usize, index => usize; ());
        }
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyComputeContext setBufferOffset:atIndex:]")]
unsafe extern "C-unwind" fn set_buffer_offset<const LOCAL: bool>(
    this: Id,
    _: Sel,
    byte_offset: usize,
    _index: usize,
) {
    // SAFETY: as for `setComputePipelineState:`; no fault is published here, so the private copy is used.
    unsafe {
        OWN_IMPL
            .load::<Impl>(this)
            .write(offset::BUFFER, byte_offset as u64);
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyComputeContext setBytes:length:atIndex:]")]
unsafe extern "C-unwind" fn set_bytes<const LOCAL: bool>(
    this: Id,
    _: Sel,
    bytes: *const u8,
    length: usize,
    _index: usize,
) {
    // SAFETY: as for `setBufferOffset:atIndex:`; the sender vouches for `length` bytes.
    unsafe {
        command::keep_bytes(OWN_IMPL.load(this), bytes, length);
    }
}

#[unsafe(export_name = "AGX::ResourceGroupUsage<AGX::G16X::Encoders, AGX::G16X::Classes>::bindResource(AGX::Resource const*, unsigned int)")]
#[inline(never)]
unsafe extern "C-unwind" fn bind_resource<const LOCAL: bool>(
    context: Impl,
    _resource: Id,
    usage: usize,
) {
    // SAFETY: the callers pass what they found in `_impl`.
    unsafe {
        let bound: u64 = context.read(offset::RESOURCE_GROUP);
        context.write(offset::RESOURCE_GROUP, bound | usage as u64);
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyComputeContext useResource:usage:]")]
#[inline(never)]
unsafe extern "C-unwind" fn use_resource<const LOCAL: bool>(
    this: Id,
    selector: Sel,
    resource: Id,
    usage: usize,
) {
    // SAFETY: as for `setComputePipelineState:`.
    unsafe { use_resources::<true>(this, selector, &raw const resource, 1, usage) }
}

#[unsafe(export_name = "-[AGXG16XFamilyComputeContext useResources:count:usage:]")]
#[inline(never)]
unsafe extern "C-unwind" fn use_resources<const LOCAL: bool>(
    this: Id,
    _: Sel,
    resources: *const Id,
    count: usize,
    usage: usize,
) {
    // SAFETY: as for `setComputePipelineState:`; the sender vouches for `count` objects.
    unsafe {
        for index in 0..count {
            bind_resource::<true>(
                load_impl(this, Site::Bind),
                resources.add(index).read(),
                usage,
            );
        }
    }
}

/// Returns the spill size, so that the call below cannot be turned into a jump and both frames stand in a report.
#[unsafe(export_name = "AGX::ComputeContext<AGX::G16X::Encoders, AGX::G16X::Classes, AGX::G16X::ObjClasses, AGX::G16X::CommandEncoderStateObserver>::prepareForEnqueue(bool)")]
#[inline(never)]
unsafe extern "C-unwind" fn prepare_for_enqueue<const LOCAL: bool>(
    context: Impl,
    encoder: Id,
    _indirect: bool,
) -> u64 {
    // SAFETY: the caller passes what it found in `_impl` and the encoder itself.
    unsafe {
        let flags: u64 = context.read(offset::ENQUEUE_FLAGS);
        let spilled = command::allocate_spill_buffer(load_impl(encoder, Site::Spill), 256);
        flags | u64::from(spilled)
    }
}

/// Records a dispatch of `threads` threads. Part of its callers, which stand in a report as the callers of `prepareForEnqueue`.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "a frame between the two would be in no Mac's report"
)]
unsafe fn enqueue(this: Id, threads: u64) {
    // SAFETY: the callers run methods of a live object; the private copy is the encoder's until it is destroyed.
    unsafe {
        std::hint::black_box(prepare_for_enqueue::<true>(
            load_impl(this, Site::Prepare),
            this,
            false,
        ));
        let context: Impl = OWN_IMPL.load(this);
        command::record(this, context, command::checksum_of(context, threads));
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyComputeContext dispatchThreads:threadsPerThreadgroup:]")]
#[inline(never)]
unsafe extern "C-unwind" fn dispatch_threads<const LOCAL: bool>(
    this: Id,
    _: Sel,
    threads: Size,
    _per_group: Size,
) {
    // SAFETY: as for `setComputePipelineState:`.
    unsafe {
        let context = load_impl(this, Site::Dispatch);
        std::hint::black_box(context.read::<u32>(offset::DISPATCH_STATE));
        enqueue(this, threads.volume());
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyComputeContext dispatchThreadgroups:threadsPerThreadgroup:]")]
#[inline(never)]
unsafe extern "C-unwind" fn dispatch_threadgroups<const LOCAL: bool>(
    this: Id,
    _: Sel,
    groups: Size,
    per_group: Size,
) {
    // SAFETY: as for `setComputePipelineState:`.
    unsafe { enqueue(this, groups.volume() * per_group.volume()) }
}

/// Counts as one command of its own kind: code of another class that runs here shows in the checksum.
#[unsafe(export_name = "-[AGXG16XFamilyComputeContext updateFence:]")]
#[inline(never)]
unsafe extern "C-unwind" fn update_fence<const LOCAL: bool>(this: Id, _: Sel, _fence: Id) {
    // SAFETY: as for `setBufferOffset:atIndex:`. A blit encoder has its own copy of `_impl` in the same place.
    unsafe {
        command::record(this, OWN_IMPL.load(this), FENCE);
    }
}

/// Ends the encoder for its user. The command buffer keeps it, `_impl` and all, until it is coalesced or committed.
#[unsafe(export_name = "-[AGXG16XFamilyComputeContext endEncoding]")]
unsafe extern "C-unwind" fn end_encoding<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe {
        send!(encoder::command_buffer_of(this), "setPreviousComputeCommandEncoder:", this => Id; ());
        send_super!(this, &AGX, "endEncoding"; ());
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyComputeContext deferredEndEncoding]")]
unsafe extern "C-unwind" fn deferred_end_encoding<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class that has ended.
    unsafe {
        let own: Impl = OWN_IMPL.load(this);
        if !own.0.is_null() {
            command_buffer::append_work(encoder::command_buffer_of(this), own.take_work());
        }
        ENDED.store(this, 1_usize);
        send!(this, "destroyImpl"; ());
    }
}

/// Gives `_impl` back, and lets the encoder wait to be used again.
///
/// The fault: from the unlock on, another thread's command buffer can be handed this very encoder and give it a new `_impl`;
/// the store that follows takes that one away.
#[unsafe(export_name = "-[AGXG16XFamilyComputeContext destroyImpl]")]
#[inline(never)]
unsafe extern "C-unwind" fn destroy_impl<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class; the block is the encoder's own.
    unsafe {
        let pool = device::pool(encoder::device_of(this));
        let own = Impl(OWN_IMPL.take(this).cast());
        if own.0.is_null() {
            return;
        }
        let mut kept = pool.lock();
        kept.give_block(own);
        if class_of(this) == AGX.get() {
            kept.give_encoder(this);
        }
        if faults::stores_late() {
            drop(kept);
            faults::wait_in(Window::Destroy, || !OWN_IMPL.load::<Impl>(this).0.is_null());
            IMPL.store(this, Impl::NULL);
        } else {
            IMPL.store(this, Impl::NULL);
            drop(kept);
            if faults::retains_late() {
                faults::wait_in(Window::Destroy, || false);
            }
        }
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyComputeContext dealloc]")]
unsafe extern "C-unwind" fn dealloc<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: the last reference is gone. An encoder whose work was never committed still has its block. One that has ended lost it
    // to `destroyImpl`; where that was kept from running, the block is lost.
    unsafe {
        if encoder::device_of(this) != NIL {
            if faults::retains_late() {
                device::pool(encoder::device_of(this)).forget_encoder(this);
            }
            let own = Impl(OWN_IMPL.take(this).cast());
            if !own.0.is_null() && ENDED.load::<usize>(this) == 0 {
                device::pool(encoder::device_of(this))
                    .lock()
                    .give_block(own);
            }
        }
        send_super!(this, &AGX, "dealloc"; ());
    }
}
