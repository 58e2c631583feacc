//! The sampled encoders: subclasses of the compute and the render encoder that override some of their work. What they sample is not
//! modelled; the overrides do what the superclasses do (`crate::recording::classes`).

use super::coalescing::ComputeConfig;
use crate::runtime::class::{ClassRef, ClassSpec, Method};
use crate::runtime::{Id, NIL, method, send, send_super};
use std::ffi::c_void;

/// `AGXG16XFamilySampledComputeContext`.
pub static COMPUTE: ClassRef = ClassRef::new();
/// `AGXG16XFamilySampledRenderContext`.
pub static RENDER: ClassRef = ClassRef::new();

/// `AGXG16XFamilySampledComputeContext`.
#[rustfmt::skip] // a table
pub fn compute() -> ClassSpec {
    ClassSpec {
        name: c"AGXG16XFamilySampledComputeContext",
        superclass: Some(c"AGXG16XFamilyComputeContext"),
        ivars: vec![],
        methods: vec![
            Method::new(
                c"initWithCommandBuffer:config:programInfoBuffer:capacity:",
                c"@@:@{EncoderComputeServiceConfig=@@@i@iIBB}^(?={?=b8b24IQQ}{?=b8b24IQQ})Q",
                compute_init::<true> as *const (),
            ),
            Method::new(
                c"reInitWithCommandBuffer:programInfoBuffer:capacity:",
                c"@@:@^(?={?=b8b24IQQ}{?=b8b24IQQ})Q",
                compute_re_init::<true> as *const (),
            ),
            Method::new(c"endEncodingAndRetrieveProgramAddressTable", c"@@:", compute_end::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &COMPUTE,
    }
}

/// `AGXG16XFamilySampledRenderContext`.
#[rustfmt::skip] // a table
pub fn render() -> ClassSpec {
    ClassSpec {
        name: c"AGXG16XFamilySampledRenderContext",
        superclass: Some(c"AGXG16XFamilyRenderContext"),
        ivars: vec![],
        methods: vec![
            Method::new(
                c"initWithCommandBuffer:descriptor:subEncoderIndex:framebuffer:programInfoBuffer:capacity:",
                c"@@:@@Q^v^(?={?=b8b24IQQ}{?=b8b24IQQ})Q",
                render_init::<true> as *const (),
            ),
            Method::new(c"endEncodingAndRetrieveProgramAddressTable", c"@@:", render_end::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &RENDER,
    }
}

method!("-[AGXG16XFamilySampledComputeContext initWithCommandBuffer:config:programInfoBuffer:capacity:]",
fn compute_init(this, command_buffer: Id, config: ComputeConfig, _info: *mut c_void, _capacity: usize) -> Id {
    send_super!(this, &COMPUTE, "initWithCommandBuffer:config:", command_buffer => Id, config => ComputeConfig; Id)
});
method!("-[AGXG16XFamilySampledComputeContext reInitWithCommandBuffer:programInfoBuffer:capacity:]",
fn compute_re_init(this, command_buffer: Id, _info: *mut c_void, _capacity: usize) -> Id {
    send_super!(this, &COMPUTE, "reInitWithCommandBuffer:", command_buffer => Id; Id)
});
method!("-[AGXG16XFamilySampledComputeContext endEncodingAndRetrieveProgramAddressTable]",
fn compute_end(this) -> Id {
    send!(this, "endEncoding"; ());
    NIL
});
method!("-[AGXG16XFamilySampledRenderContext initWithCommandBuffer:descriptor:subEncoderIndex:framebuffer:programInfoBuffer:capacity:]",
fn render_init(
    this, command_buffer: Id, descriptor: Id, index: usize, framebuffer: *mut c_void, _info: *mut c_void, _capacity: usize
) -> Id {
    send_super!(
        this, &RENDER, "initWithCommandBuffer:descriptor:subEncoderIndex:framebuffer:",
        command_buffer => Id, descriptor => Id, index => usize, framebuffer => *mut c_void; Id
    )
});
method!("-[AGXG16XFamilySampledRenderContext endEncodingAndRetrieveProgramAddressTable]",
fn render_end(this) -> Id {
    send!(this, "endEncoding"; ());
    NIL
});
