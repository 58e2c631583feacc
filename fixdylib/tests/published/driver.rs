//! A driver of a class of each kind, under names of no real chip and with the bases of the real ones.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicI64, AtomicPtr, AtomicU64, Ordering};

use crate::objc::{Builder, Id, Sel, class, instance, ivar};

pub const COMPUTE: &str = "AGXTestComputeContext";
pub const SAMPLED: &str = "AGXTestSampledComputeContext";
pub const BLIT: &str = "AGXTestBlitContext";
pub const PARALLEL: &str = "AGXTestThreadedRenderPass";
pub const RENDER: &str = "AGXTestRenderContext";
pub const BUFFER: &str = "AGXTestCommandBuffer";
pub const MPS: &str = "MPSCommandBuffer";
/// The class that has what compute encoders inherit.
pub const COMPUTE_BASE: &str = "IOGPUMetalComputeCommandEncoder";

pub static WORK: AtomicU64 = AtomicU64::new(0);
pub static INHERITED_WORK: AtomicU64 = AtomicU64::new(0);
pub static ENDS: AtomicU64 = AtomicU64::new(0);
pub static DESTROYS: AtomicU64 = AtomicU64::new(0);
pub static COMMITS: AtomicU64 = AtomicU64::new(0);
pub static EVENTS: AtomicU64 = AtomicU64::new(0);
/// Ends before the last event.
pub static ENDS_AT_EVENT: AtomicU64 = AtomicU64::new(0);
pub static COMPUTE_FENCES: AtomicU64 = AtomicU64::new(0);
pub static BLIT_FENCES: AtomicU64 = AtomicU64::new(0);
/// Retains that were not given back, of all objects.
pub static RETAINS: AtomicI64 = AtomicI64::new(0);
/// Runs inside each of the driver's methods that [`probe`] is called in; null for nothing.
static PROBE: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Runs `what` inside the next method that is called, once.
pub fn inside_the_next(what: extern "C-unwind" fn(Id)) {
    PROBE.store(what as *mut c_void, Ordering::SeqCst);
}

fn probe(this: Id) {
    let what = PROBE.swap(ptr::null_mut(), Ordering::SeqCst);
    if !what.is_null() {
        // SAFETY: only `inside_the_next` stores here, and it stores a function of this type.
        let what: extern "C-unwind" fn(Id) = unsafe { std::mem::transmute(what) };
        what(this);
    }
}

macro_rules! counting {
    ($($name:ident => $counter:ident;)*) => {$(
        extern "C-unwind" fn $name(this: Id, _: Sel) {
            $counter.fetch_add(1, Ordering::SeqCst);
            probe(this);
        }
    )*};
}

counting! {
    work => WORK;
    inherited_work => INHERITED_WORK;
    end => ENDS;
    destroy => DESTROYS;
    commit => COMMITS;
    compute_fence => COMPUTE_FENCES;
    blit_fence => BLIT_FENCES;
}

extern "C-unwind" fn event(this: Id, _: Sel) {
    ENDS_AT_EVENT.store(ENDS.load(Ordering::SeqCst), Ordering::SeqCst);
    EVENTS.fetch_add(1, Ordering::SeqCst);
    probe(this);
}

extern "C-unwind" fn retain(this: Id, _: Sel) -> Id {
    RETAINS.fetch_add(1, Ordering::SeqCst);
    this
}

extern "C-unwind" fn release(_: Id, _: Sel) {
    RETAINS.fetch_sub(1, Ordering::SeqCst);
}

extern "C-unwind" fn compute_of(this: Id, _: Sel) -> Id {
    let made = encoder(COMPUTE);
    probe(this);
    made
}

extern "C-unwind" fn blit_of(_: Id, _: Sel) -> Id {
    encoder(BLIT)
}

extern "C-unwind" fn parallel_of(_: Id, _: Sel) -> Id {
    instance(class(PARALLEL))
}

extern "C-unwind" fn render_of(_: Id, _: Sel) -> Id {
    encoder(RENDER)
}

extern "C-unwind" fn nothing(_: Id, _: Sel) {}

/// An encoder that works, made by no factory.
pub fn encoder(name: &str) -> Id {
    let class = class(name);
    let object = instance(class);
    // SAFETY: the variable is the object's.
    unsafe { ivar(class, object, c"_impl").write(ptr::dangling_mut()) };
    object
}

const VOID: &str = "v16@0:8";
const OF_OBJECT: &str = "v24@0:8@16";
const OF_TWO: &str = "v32@0:8@16Q24";
const MAKES: &str = "@16@0:8";
const MAKES_OF_OBJECT: &str = "@24@0:8@16";
const MAKES_OF_NUMBER: &str = "@24@0:8Q16";

/// Registers the classes.
pub fn register() {
    Builder::new("TestRoot", "")
        .method("retain", MAKES, retain as *const c_void)
        .method("release", VOID, release as *const c_void)
        .register();
    Builder::new("_MTLCommandEncoder", "TestRoot").register();
    Builder::new(COMPUTE_BASE, "_MTLCommandEncoder")
        .method("useHeap:", OF_OBJECT, inherited_work as *const c_void)
        .register();
    for name in [
        "IOGPUMetalBlitCommandEncoder",
        "IOGPUMetalRenderCommandEncoder",
    ] {
        Builder::new(name, "_MTLCommandEncoder").register();
    }
    Builder::new("_MTLParallelRenderCommandEncoder", "TestRoot").register();
    Builder::new("_MTLCommandBuffer", "TestRoot").register();
    Builder::new(COMPUTE, COMPUTE_BASE)
        .ivar("_impl")
        .method("setComputePipelineState:", OF_OBJECT, work as *const c_void)
        .method("updateFence:", OF_OBJECT, compute_fence as *const c_void)
        .method("endEncoding", VOID, end as *const c_void)
        .method("deferredEndEncoding", VOID, nothing as *const c_void)
        .method("destroyImpl", VOID, destroy as *const c_void)
        .method("unpublished", VOID, work as *const c_void)
        .register();
    Builder::new(SAMPLED, COMPUTE)
        .method("dispatchWaitFlush", VOID, work as *const c_void)
        .register();
    Builder::new(BLIT, "IOGPUMetalBlitCommandEncoder")
        .ivar("_impl")
        .method("updateFence:", OF_OBJECT, blit_fence as *const c_void)
        .method("synchronizeResource:", OF_OBJECT, work as *const c_void)
        .method("endEncoding", VOID, end as *const c_void)
        .method("dealloc", VOID, nothing as *const c_void)
        .register();
    Builder::new(RENDER, "IOGPUMetalRenderCommandEncoder")
        .ivar("_impl")
        .method("setRenderPipelineState:", OF_OBJECT, work as *const c_void)
        .method("endEncoding", VOID, end as *const c_void)
        .register();
    Builder::new(PARALLEL, "_MTLParallelRenderCommandEncoder")
        .method("renderCommandEncoder", MAKES, render_of as *const c_void)
        .method("endEncoding", VOID, end as *const c_void)
        .register();
    Builder::new(BUFFER, "_MTLCommandBuffer")
        .method("computeCommandEncoder", MAKES, compute_of as *const c_void)
        .method("blitCommandEncoder", MAKES, blit_of as *const c_void)
        .method(
            "parallelRenderCommandEncoderWithDescriptor:",
            MAKES_OF_OBJECT,
            parallel_of as *const c_void,
        )
        .method("commit", VOID, commit as *const c_void)
        .method("encodeSignalEvent:value:", OF_TWO, event as *const c_void)
        .method("encodeWaitForEvent:value:", OF_TWO, event as *const c_void)
        .register();
    Builder::new(MPS, "TestRoot")
        .method(
            "computeCommandEncoderWithDispatchType:",
            MAKES_OF_NUMBER,
            compute_of as *const c_void,
        )
        .register();
}
