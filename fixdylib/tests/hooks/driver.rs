//! A driver of four classes, under names of no real chip.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use crate::objc::{Builder, Class, Id, Sel, class, instance, ivar};

pub const ENCODER: &str = "AGXTestComputeContext";
pub const BUFFER: &str = "AGXTestCommandBuffer";

pub static WORK: AtomicU64 = AtomicU64::new(0);
pub static ENDS: AtomicU64 = AtomicU64::new(0);
/// Encoders that had ended when an event was encoded last.
pub static ENDS_AT_SIGNAL: AtomicU64 = AtomicU64::new(0);
/// What every object answers to `retainCount`.
pub static RETAIN_COUNT: AtomicU64 = AtomicU64::new(2);
pub static RELEASE_THROWS: AtomicBool = AtomicBool::new(false);
pub static RETAINS: AtomicI64 = AtomicI64::new(0);
/// The fewest of them that a call on an encoder found.
pub static RETAINS_INSIDE: AtomicI64 = AtomicI64::new(i64::MAX);

extern "C-unwind" fn retain(this: Id, _: Sel) -> Id {
    RETAINS.fetch_add(1, Ordering::SeqCst);
    this
}

extern "C-unwind" fn release(_: Id, _: Sel) {
    RETAINS.fetch_sub(1, Ordering::SeqCst);
    if RELEASE_THROWS.load(Ordering::SeqCst) {
        std::panic::panic_any("thrown");
    }
}

extern "C-unwind" fn retain_count(_: Id, _: Sel) -> u64 {
    RETAIN_COUNT.load(Ordering::SeqCst)
}

fn inside() {
    RETAINS_INSIDE.fetch_min(RETAINS.load(Ordering::SeqCst), Ordering::SeqCst);
}

extern "C-unwind" fn work(_: Id, _: Sel, _pipeline: Id) {
    inside();
    WORK.fetch_add(1, Ordering::SeqCst);
}

extern "C-unwind" fn end(_: Id, _: Sel) {
    inside();
    ENDS.fetch_add(1, Ordering::SeqCst);
}

extern "C-unwind" fn throw(_: Id, _: Sel) {
    inside();
    std::panic::panic_any("thrown");
}

extern "C-unwind" fn encoder_of(_: Id, _: Sel) -> Id {
    encoder()
}

extern "C-unwind" fn commit(_: Id, _: Sel) {}

extern "C-unwind" fn signal(_: Id, _: Sel, _event: Id, _value: u64) {
    ENDS_AT_SIGNAL.store(ENDS.load(Ordering::SeqCst), Ordering::SeqCst);
}

extern "C-unwind" fn complete(_: Id, _: Sel, _start: u64, _end: u64, _error: Id) {}

/// Calls back into the test while inside a hooked method.
extern "C-unwind" fn run(_: Id, _: Sel, what: extern "C-unwind" fn()) {
    what();
}

/// Registers the classes. `more` adds methods to the encoder.
pub fn register(more: impl FnOnce(Builder) -> Builder) {
    Builder::new("TestRoot", "")
        .method("retain", "@16@0:8", retain as *const c_void)
        .method("release", "v16@0:8", release as *const c_void)
        .method("retainCount", "Q16@0:8", retain_count as *const c_void)
        .register();
    Builder::new("_MTLCommandEncoder", "TestRoot").register();
    Builder::new("_MTLCommandBuffer", "TestRoot").register();
    more(
        Builder::new(ENCODER, "_MTLCommandEncoder")
            .ivar("_impl")
            .method(
                "setComputePipelineState:",
                "v24@0:8@16",
                work as *const c_void,
            )
            .method("run:", "v24@0:8^?16", run as *const c_void)
            .method("throwIt", "v16@0:8", throw as *const c_void)
            .method("endEncoding", "v16@0:8", end as *const c_void)
            .method("dealloc", "v16@0:8", end as *const c_void)
            .method("setVector:", "v32@0:8![16,16f]16", end as *const c_void),
    )
    .register();
    Builder::new(BUFFER, "_MTLCommandBuffer")
        .method(
            "computeCommandEncoder",
            "@16@0:8",
            encoder_of as *const c_void,
        )
        .method("commit", "v16@0:8", commit as *const c_void)
        .method(
            "encodeSignalEvent:value:",
            "v32@0:8@16Q24",
            signal as *const c_void,
        )
        .method(
            "didCompleteWithStartTime:endTime:error:",
            "v40@0:8Q16Q24@32",
            complete as *const c_void,
        )
        .register();
}

/// An encoder that works.
pub fn encoder() -> Id {
    let class: Class = class(ENCODER);
    let object = instance(class);
    // SAFETY: the variable is the object's.
    unsafe { ivar(class, object, c"_impl").write(ptr::dangling_mut()) };
    object
}
