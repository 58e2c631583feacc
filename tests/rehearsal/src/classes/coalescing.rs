//! `AGXG16XFamilyCommandBuffer`: makes encoders, coalesces them, and ends the kept ones at commit.

use super::{blit, command_buffer, compute, device, factories};
use crate::failure::{Assertion, fail};
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Class, Id, NIL, Sel, allocate, class_of, release, retain, send, send_super};

/// `AGXG16XFamilyCommandBuffer`.
pub static AGX: ClassRef = ClassRef::new();
static PREVIOUS_COMPUTE: Ivar = Ivar::word(c"_previousComputeCommandEncoder", c"@");
static PREVIOUS_BLIT: Ivar = Ivar::word(c"_previousBlitCommandEncoder", c"@");

/// `EncoderComputeServiceConfig`, passed by value; fields by their encoding, their meaning is not published.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ComputeConfig {
    objects: [Id; 3],
    number: i32,
    object: Id,
    numbers: [i32; 2],
    flags: [bool; 2],
}

impl ComputeConfig {
    /// What the factories without one pass on.
    pub const DEFAULT: Self = Self {
        objects: [NIL; 3],
        number: 0,
        object: NIL,
        numbers: [0; 2],
        flags: [false; 2],
    };
}

/// `AGXG16XFamilyCommandBuffer`.
pub fn agx_command_buffer() -> ClassSpec {
    let mut spec = own_methods();
    spec.methods.extend(factories::agx_methods());
    spec
}

fn own_methods() -> ClassSpec {
    ClassSpec {
        name: c"AGXG16XFamilyCommandBuffer",
        superclass: Some(c"IOGPUMetalCommandBuffer"),
        ivars: vec![&PREVIOUS_COMPUTE, &PREVIOUS_BLIT, &factories::ACCELERATION],
        methods: vec![
            Method::new(
                c"computeCommandEncoder",
                c"@@:",
                compute_encoder::<true> as *const (),
            ),
            Method::new(
                c"computeCommandEncoderWithDispatchType:",
                c"@@:Q",
                compute_encoder_dispatch_type::<true> as *const (),
            ),
            Method::new(
                c"computeCommandEncoderWithDispatchType:substreamCount:",
                c"@@:QI",
                compute_encoder_substreams::<true> as *const (),
            ),
            Method::new(
                c"computeCommandEncoderWithDescriptor:",
                c"@@:@",
                compute_encoder_descriptor::<true> as *const (),
            ),
            Method::new(
                c"computeCommandEncoderWithConfig:",
                c"@@:{EncoderComputeServiceConfig=@@@i@iIBB}",
                compute_encoder_config::<true> as *const (),
            ),
            Method::new(
                c"tryCoalescingPreviousComputeCommandEncoderWithConfig:nextEncoderClass:",
                c"B@:{EncoderComputeServiceConfig=@@@i@iIBB}#",
                try_coalescing::<true> as *const (),
            ),
            Method::new(
                c"blitCommandEncoder",
                c"@@:",
                blit_encoder::<true> as *const (),
            ),
            Method::new(
                c"blitCommandEncoderWithDescriptor:",
                c"@@:@",
                blit_encoder_descriptor::<true> as *const (),
            ),
            Method::new(
                c"blitCommandEncoderCommon:",
                c"@@:@",
                blit_encoder_common::<true> as *const (),
            ),
            Method::new(
                c"setPreviousComputeCommandEncoder:",
                c"v@:@",
                set_previous_compute::<true> as *const (),
            ),
            Method::new(
                c"setPreviousBlitCommandEncoder:",
                c"v@:@",
                set_previous_blit::<true> as *const (),
            ),
            Method::new(c"commit", c"v@:", commit::<true> as *const ()),
            Method::new(
                c"commitEncoder",
                c"v@:",
                commit_encoder::<true> as *const (),
            ),
            Method::new(
                c"encodeSignalEvent:value:",
                c"v@:@Q",
                encode_signal::<true> as *const (),
            ),
            Method::new(
                c"encodeWaitForEvent:value:",
                c"v@:@Q",
                encode_wait::<true> as *const (),
            ),
            Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &AGX,
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer computeCommandEncoder]")]
unsafe extern "C-unwind" fn compute_encoder<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe {
        send!(this, "computeCommandEncoderWithConfig:", ComputeConfig::DEFAULT => ComputeConfig; Id)
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer computeCommandEncoderWithDispatchType:]")]
unsafe extern "C-unwind" fn compute_encoder_dispatch_type<const LOCAL: bool>(
    this: Id,
    _: Sel,
    _dispatch_type: usize,
) -> Id {
    // SAFETY: as above.
    unsafe {
        send!(this, "computeCommandEncoderWithConfig:", ComputeConfig::DEFAULT => ComputeConfig; Id)
    }
}

/// A factory that no published fix library knows.
#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer computeCommandEncoderWithDispatchType:substreamCount:]")]
unsafe extern "C-unwind" fn compute_encoder_substreams<const LOCAL: bool>(
    this: Id,
    _: Sel,
    _dispatch_type: usize,
    _substreams: u32,
) -> Id {
    // SAFETY: as above. To the function itself and not by a message: a factory that is hooked would hide that this one is not.
    unsafe { make_compute_encoder(this, ComputeConfig::DEFAULT) }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer computeCommandEncoderWithDescriptor:]")]
unsafe extern "C-unwind" fn compute_encoder_descriptor<const LOCAL: bool>(
    this: Id,
    _: Sel,
    _descriptor: Id,
) -> Id {
    // SAFETY: as above.
    unsafe {
        send!(this, "computeCommandEncoderWithConfig:", ComputeConfig::DEFAULT => ComputeConfig; Id)
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer computeCommandEncoderWithConfig:]")]
#[inline(never)]
unsafe extern "C-unwind" fn compute_encoder_config<const LOCAL: bool>(
    this: Id,
    _: Sel,
    config: ComputeConfig,
) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { make_compute_encoder(this, config) }
}

/// Whether the encoder that was kept is open again, because the next one is to be of its class.
///
/// # Safety
/// `this` is a live command buffer.
pub unsafe fn coalesce(this: Id, config: ComputeConfig, class: Class) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        send!(
            this, "tryCoalescingPreviousComputeCommandEncoderWithConfig:nextEncoderClass:",
            config => ComputeConfig, class => Class; bool
        )
    }
}

/// A compute encoder, owned by the command buffer: the one that just ended here, one that waits in the device's pool, or a
/// new one. The first two are the same object handed out again.
unsafe fn make_compute_encoder(this: Id, config: ComputeConfig) -> Id {
    // SAFETY: a method runs on a live instance of its class; the initialisers have these signatures.
    unsafe {
        let class = compute::AGX.get();
        if coalesce(this, config, class) {
            return command_buffer::current_encoder(this);
        }
        let waiting = device::pool(command_buffer::device_of(this)).take_encoder();
        let encoder = if waiting == NIL {
            send!(allocate(class), "initWithCommandBuffer:config:", this => Id, config => ComputeConfig; Id)
        } else {
            let encoder = send!(waiting, "reInitWithCommandBuffer:", this => Id; Id);
            compute::hand_out(encoder);
            encoder
        };
        command_buffer::hand_out(this, encoder)
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer tryCoalescingPreviousComputeCommandEncoderWithConfig:nextEncoderClass:]")]
#[inline(never)]
unsafe extern "C-unwind" fn try_coalescing<const LOCAL: bool>(
    this: Id,
    _: Sel,
    _config: ComputeConfig,
    next_class: Class,
) -> bool {
    // SAFETY: a method runs on a live instance of its class.
    unsafe {
        if command_buffer::current_encoder(this) != NIL {
            fail(&Assertion {
                method: c"-[AGXG16XFamilyCommandBuffer tryCoalescingPreviousComputeCommandEncoderWithConfig:nextEncoderClass:]",
                line: 1091,
                sentence: c"A command encoder is already encoding to this command buffer",
            });
        }
        let previous: Id = PREVIOUS_COMPUTE.load(this);
        if previous == NIL || class_of(previous) != next_class {
            send!(this, "commitEncoder"; ());
            return false;
        }
        send!(previous, "reInitWithCommandBuffer:", this => Id; Id);
        command_buffer::hand_out(this, retain(previous));
        send!(this, "setPreviousComputeCommandEncoder:", NIL => Id; ());
        true
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer blitCommandEncoder]")]
unsafe extern "C-unwind" fn blit_encoder<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { send!(this, "blitCommandEncoderCommon:", NIL => Id; Id) }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer blitCommandEncoderWithDescriptor:]")]
unsafe extern "C-unwind" fn blit_encoder_descriptor<const LOCAL: bool>(
    this: Id,
    _: Sel,
    descriptor: Id,
) -> Id {
    // SAFETY: as above.
    unsafe { send!(this, "blitCommandEncoderCommon:", descriptor => Id; Id) }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer blitCommandEncoderCommon:]")]
unsafe extern "C-unwind" fn blit_encoder_common<const LOCAL: bool>(
    this: Id,
    _: Sel,
    descriptor: Id,
) -> Id {
    // SAFETY: a method runs on a live instance of its class; the initialiser has this signature.
    unsafe {
        if command_buffer::current_encoder(this) != NIL {
            fail(&Assertion {
                method: c"-[AGXG16XFamilyCommandBuffer blitCommandEncoderCommon:]",
                line: 1091,
                sentence: c"A command encoder is already encoding to this command buffer",
            });
        }
        send!(this, "commitEncoder"; ());
        let encoder = allocate(blit::AGX.get());
        let encoder =
            send!(encoder, "initWithCommandBuffer:descriptor:", this => Id, descriptor => Id; Id);
        command_buffer::hand_out(this, encoder)
    }
}

unsafe fn keep(this: Id, variable: &Ivar, encoder: Id) {
    // SAFETY: the callers run methods of a live object; the encoder is nil or alive.
    unsafe {
        retain(encoder);
        let old = variable.take(this);
        variable.store(this, encoder);
        release(old);
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer setPreviousComputeCommandEncoder:]")]
unsafe extern "C-unwind" fn set_previous_compute<const LOCAL: bool>(this: Id, _: Sel, encoder: Id) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { keep(this, &PREVIOUS_COMPUTE, encoder) }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer setPreviousBlitCommandEncoder:]")]
unsafe extern "C-unwind" fn set_previous_blit<const LOCAL: bool>(this: Id, _: Sel, encoder: Id) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { keep(this, &PREVIOUS_BLIT, encoder) }
}

/// Ends the encoder that was kept for coalescing, and drops it.
#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer commitEncoder]")]
#[inline(never)]
unsafe extern "C-unwind" fn commit_encoder<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class; the kept reference is the command buffer's.
    unsafe {
        for variable in [&PREVIOUS_COMPUTE, &PREVIOUS_BLIT] {
            let kept = variable.take(this);
            if kept != NIL {
                send!(kept, "deferredEndEncoding"; ());
                release(kept);
            }
        }
    }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer commit]")]
unsafe extern "C-unwind" fn commit<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { send_super!(this, &AGX, "commit"; ()) }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer encodeSignalEvent:value:]")]
unsafe extern "C-unwind" fn encode_signal<const LOCAL: bool>(
    this: Id,
    _: Sel,
    event: Id,
    value: u64,
) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { send_super!(this, &AGX, "encodeSignalEvent:value:", event => Id, value => u64; ()) }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer encodeWaitForEvent:value:]")]
unsafe extern "C-unwind" fn encode_wait<const LOCAL: bool>(
    this: Id,
    _: Sel,
    event: Id,
    value: u64,
) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { send_super!(this, &AGX, "encodeWaitForEvent:value:", event => Id, value => u64; ()) }
}

#[unsafe(export_name = "-[AGXG16XFamilyCommandBuffer dealloc]")]
unsafe extern "C-unwind" fn dealloc<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: the last reference is gone.
    unsafe {
        factories::keep_acceleration(this, NIL);
        send!(this, "commitEncoder"; ());
        send_super!(this, &AGX, "dealloc"; ());
    }
}
