//! The command buffer's other factories: every dumped method that returns an encoder returns one.

use super::coalescing::ComputeConfig;
use super::{
    acceleration, coalescing, command_buffer, parallel_render, render, resource_state, sampled,
};
use crate::failure::{Assertion, fail};
use crate::runtime::class::{Ivar, Method};
use crate::runtime::{Id, NIL, allocate, method, release, retain, send};
use std::ffi::c_void;

/// The acceleration structure encoder whose compute encoder is open.
pub static ACCELERATION: Ivar = Ivar::word(c"_accelerationStructureEncoder", c"@");

/// `AGXG16XFamilyCommandBuffer`'s.
#[rustfmt::skip] // a table
pub fn agx_methods() -> Vec<Method> {
    vec![
        Method::new(c"renderCommandEncoderWithDescriptor:", c"@@:@", render_encoder::<true> as *const ()),
        Method::new(c"subRenderCommandEncoderWithDescriptor:subEncoderIndex:framebuffer:", c"@@:@Q^v", sub_render_encoder::<true> as *const ()),
        Method::new(
            c"sampledRenderCommandEncoderWithDescriptor:programInfoBuffer:capacity:",
            c"@@:@^(?={?=b8b24IQQ}{?=b8b24IQQ})Q",
            sampled_render_encoder::<true> as *const (),
        ),
        Method::new(
            c"sampledSubRenderCommandEncoderWithDescriptor:subEncoderIndex:framebuffer:programInfoBuffer:capacity:",
            c"@@:@Q^v^(?={?=b8b24IQQ}{?=b8b24IQQ})Q",
            sampled_sub_render_encoder::<true> as *const (),
        ),
        Method::new(c"parallelRenderCommandEncoderWithDescriptor:", c"@@:@", parallel_encoder::<true> as *const ()),
        Method::new(c"resourceStateCommandEncoder", c"@@:", resource_state_encoder::<true> as *const ()),
        Method::new(c"resourceStateCommandEncoderWithDescriptor:", c"@@:@", resource_state_encoder_descriptor::<true> as *const ()),
        Method::new(c"accelerationStructureCommandEncoder", c"@@:", acceleration_encoder::<true> as *const ()),
        Method::new(c"accelerationStructureCommandEncoderWithDescriptor:", c"@@:@", acceleration_encoder_descriptor::<true> as *const ()),
        Method::new(c"_accelerationStructureCommandEncoderWithDescriptor:", c"@@:@", make_acceleration_encoder::<true> as *const ()),
        Method::new(
            c"sampledComputeCommandEncoderWithConfig:programInfoBuffer:capacity:",
            c"@@:{EncoderComputeServiceConfig=@@@i@iIBB}^(?={?=b8b24IQQ}{?=b8b24IQQ})Q",
            sampled_compute_config::<true> as *const (),
        ),
        Method::new(
            c"sampledComputeCommandEncoderWithDescriptor:programInfoBuffer:capacity:",
            c"@@:@^(?={?=b8b24IQQ}{?=b8b24IQQ})Q",
            sampled_compute_descriptor::<true> as *const (),
        ),
        Method::new(
            c"sampledComputeCommandEncoderWithDispatchType:programInfoBuffer:capacity:",
            c"@@:Q^(?={?=b8b24IQQ}{?=b8b24IQQ})Q",
            sampled_compute_dispatch_type::<true> as *const (),
        ),
        Method::new(
            c"sampledComputeCommandEncoderWithProgramInfoBuffer:capacity:",
            c"@@:^(?={?=b8b24IQQ}{?=b8b24IQQ})Q",
            sampled_compute::<true> as *const (),
        ),
    ]
}

/// `_MTLCommandBuffer`'s, by the driver's own.
#[rustfmt::skip] // a table
pub fn metal_methods() -> [Method; 3] {
    [
        Method::new(c"progressTrackingBlitCommandEncoder", c"@@:", progress_blit::<true> as *const ()),
        Method::new(c"progressTrackingComputeCommandEncoder", c"@@:", progress_compute::<true> as *const ()),
        Method::new(c"progressTrackingRenderCommandEncoder", c"@@:", progress_render::<true> as *const ()),
    ]
}

/// Makes an encoder the one that a command buffer owns for acceleration structures; nil drops it.
///
/// # Safety
/// Both objects are alive; `encoder` may be nil.
pub unsafe fn keep_acceleration(command_buffer: Id, encoder: Id) {
    // SAFETY: the caller's promise.
    unsafe {
        retain(encoder);
        let old = ACCELERATION.take(command_buffer);
        ACCELERATION.store(command_buffer, encoder);
        release(old);
    }
}

/// Nothing is open, and nothing is kept for coalescing.
unsafe fn begin(this: Id) {
    // SAFETY: the callers run methods of a live command buffer.
    unsafe {
        if command_buffer::current_encoder(this) != NIL {
            fail(&Assertion {
                method: c"-[AGXG16XFamilyCommandBuffer renderCommandEncoderWithDescriptor:]",
                line: 967,
                sentence: c"A command encoder is already encoding to this command buffer",
            });
        }
        send!(this, "commitEncoder"; ());
    }
}

unsafe fn make_sampled_compute(
    this: Id,
    config: ComputeConfig,
    info: *mut c_void,
    capacity: usize,
) -> Id {
    // SAFETY: the callers run methods of a live command buffer; the initialiser has this signature.
    unsafe {
        let class = sampled::COMPUTE.get();
        if coalescing::coalesce(this, config, class) {
            return command_buffer::current_encoder(this);
        }
        let encoder = send!(
            allocate(class), "initWithCommandBuffer:config:programInfoBuffer:capacity:",
            this => Id, config => ComputeConfig, info => *mut c_void, capacity => usize; Id
        );
        command_buffer::hand_out(this, encoder)
    }
}

method!("-[AGXG16XFamilyCommandBuffer renderCommandEncoderWithDescriptor:]",
fn render_encoder(this, descriptor: Id) -> Id {
    begin(this);
    let encoder = send!(
        allocate(render::AGX.get()), "initWithCommandBuffer:descriptor:", this => Id, descriptor => Id; Id
    );
    command_buffer::hand_out(this, encoder)
});
method!("-[AGXG16XFamilyCommandBuffer subRenderCommandEncoderWithDescriptor:subEncoderIndex:framebuffer:]",
fn sub_render_encoder(this, descriptor: Id, index: usize, framebuffer: *mut c_void) -> Id {
    begin(this);
    let encoder = send!(
        allocate(render::AGX.get()), "initWithCommandBuffer:descriptor:subEncoderIndex:framebuffer:",
        this => Id, descriptor => Id, index => usize, framebuffer => *mut c_void; Id
    );
    command_buffer::hand_out(this, encoder)
});
method!("-[AGXG16XFamilyCommandBuffer sampledRenderCommandEncoderWithDescriptor:programInfoBuffer:capacity:]",
fn sampled_render_encoder(this, descriptor: Id, info: *mut c_void, capacity: usize) -> Id {
    send!(
        this, "sampledSubRenderCommandEncoderWithDescriptor:subEncoderIndex:framebuffer:programInfoBuffer:capacity:",
        descriptor => Id, 0 => usize, std::ptr::null_mut() => *mut c_void, info => *mut c_void, capacity => usize; Id
    )
});
method!("-[AGXG16XFamilyCommandBuffer sampledSubRenderCommandEncoderWithDescriptor:subEncoderIndex:framebuffer:programInfoBuffer:capacity:]",
fn sampled_sub_render_encoder(
    this, descriptor: Id, index: usize, framebuffer: *mut c_void, info: *mut c_void, capacity: usize
) -> Id {
    begin(this);
    let encoder = send!(
        allocate(sampled::RENDER.get()),
        "initWithCommandBuffer:descriptor:subEncoderIndex:framebuffer:programInfoBuffer:capacity:",
        this => Id, descriptor => Id, index => usize, framebuffer => *mut c_void, info => *mut c_void, capacity => usize; Id
    );
    command_buffer::hand_out(this, encoder)
});
method!("-[AGXG16XFamilyCommandBuffer parallelRenderCommandEncoderWithDescriptor:]",
fn parallel_encoder(this, descriptor: Id) -> Id {
    begin(this);
    let encoder = send!(
        allocate(parallel_render::AGX.get()), "initWithCommandBuffer:renderPassDescriptor:",
        this => Id, descriptor => Id; Id
    );
    command_buffer::hand_out(this, encoder)
});
method!("-[AGXG16XFamilyCommandBuffer resourceStateCommandEncoder]",
fn resource_state_encoder(this) -> Id {
    begin(this);
    let encoder = send!(allocate(resource_state::AGX.get()), "initWithCommandBuffer:", this => Id; Id);
    command_buffer::hand_out(this, encoder)
});
method!("-[AGXG16XFamilyCommandBuffer resourceStateCommandEncoderWithDescriptor:]",
fn resource_state_encoder_descriptor(this, descriptor: Id) -> Id {
    begin(this);
    let encoder = send!(
        allocate(resource_state::AGX.get()), "initWithCommandBuffer:descriptor:", this => Id, descriptor => Id; Id
    );
    command_buffer::hand_out(this, encoder)
});
method!("-[AGXG16XFamilyCommandBuffer accelerationStructureCommandEncoder]",
fn acceleration_encoder(this) -> Id {
    send!(this, "_accelerationStructureCommandEncoderWithDescriptor:", NIL => Id; Id)
});
method!("-[AGXG16XFamilyCommandBuffer accelerationStructureCommandEncoderWithDescriptor:]",
fn acceleration_encoder_descriptor(this, descriptor: Id) -> Id {
    send!(this, "_accelerationStructureCommandEncoderWithDescriptor:", descriptor => Id; Id)
});
method!("-[AGXG16XFamilyCommandBuffer _accelerationStructureCommandEncoderWithDescriptor:]",
fn make_acceleration_encoder(this, descriptor: Id) -> Id {
    let encoder = send!(
        allocate(acceleration::METAL.get()), "initWithCommandBuffer:descriptor:", this => Id, descriptor => Id; Id
    );
    keep_acceleration(this, encoder);
    release(encoder);
    encoder
});
method!("-[AGXG16XFamilyCommandBuffer sampledComputeCommandEncoderWithConfig:programInfoBuffer:capacity:]",
fn sampled_compute_config(this, config: ComputeConfig, info: *mut c_void, capacity: usize) -> Id {
    make_sampled_compute(this, config, info, capacity)
});
method!("-[AGXG16XFamilyCommandBuffer sampledComputeCommandEncoderWithDescriptor:programInfoBuffer:capacity:]",
fn sampled_compute_descriptor(this, _descriptor: Id, info: *mut c_void, capacity: usize) -> Id {
    make_sampled_compute(this, ComputeConfig::DEFAULT, info, capacity)
});
method!("-[AGXG16XFamilyCommandBuffer sampledComputeCommandEncoderWithDispatchType:programInfoBuffer:capacity:]",
fn sampled_compute_dispatch_type(this, _dispatch_type: usize, info: *mut c_void, capacity: usize) -> Id {
    make_sampled_compute(this, ComputeConfig::DEFAULT, info, capacity)
});
method!("-[AGXG16XFamilyCommandBuffer sampledComputeCommandEncoderWithProgramInfoBuffer:capacity:]",
fn sampled_compute(this, info: *mut c_void, capacity: usize) -> Id {
    make_sampled_compute(this, ComputeConfig::DEFAULT, info, capacity)
});
method!("-[_MTLCommandBuffer progressTrackingBlitCommandEncoder]",
    fn progress_blit(this) -> Id { send!(this, "blitCommandEncoder"; Id) });
method!("-[_MTLCommandBuffer progressTrackingComputeCommandEncoder]",
    fn progress_compute(this) -> Id { send!(this, "computeCommandEncoderWithDispatchType:", 0 => usize; Id) });
method!("-[_MTLCommandBuffer progressTrackingRenderCommandEncoder]",
    fn progress_render(this) -> Id { send!(this, "renderCommandEncoderWithDescriptor:", NIL => Id; Id) });
