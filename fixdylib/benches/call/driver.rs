//! A driver of one command buffer class and one compute encoder class, whose one work method every policy hooks.

use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::objc::{Builder, Class, Id, Sel, class, instance, ivar, lookup, selector, send};

const BUFFER: &str = "AGXBenchCommandBuffer";
const ENCODER: &str = "AGXBenchComputeContext";
/// The work method. It returns one more than its first argument, so that a message that got lost is noticed.
pub const WORK: &CStr = c"setThreadgroupMemoryLength:atIndex:";
/// The function type of [`WORK`].
pub type Work = unsafe extern "C-unwind" fn(Id, Sel, u64, u64) -> u64;

/// Turns of a loop in each call of [`WORK`].
static TURNS: AtomicU64 = AtomicU64::new(0);

extern "C-unwind" fn work(_: Id, _: Sel, value: u64, _: u64) -> u64 {
    value + 1
}

extern "C-unwind" fn long_work(_: Id, _: Sel, value: u64, _: u64) -> u64 {
    for turn in 0..TURNS.load(Ordering::Relaxed) {
        std::hint::black_box(turn);
    }
    value + 1
}

extern "C-unwind" fn same(this: Id, _: Sel) -> Id {
    this
}

extern "C-unwind" fn encoder_of(buffer: Id, _: Sel) -> Id {
    let class = class(ENCODER);
    let made = instance(class);
    // SAFETY: the variables are the object's.
    unsafe {
        ivar(class, made, c"_impl").write(ptr::dangling_mut());
        ivar(class, made, c"_commandBuffer").write(buffer);
    }
    made
}

/// Registers the classes. [`WORK`] takes so many turns of a loop; 0 for the shortest method there is.
pub fn register(turns: u64) {
    TURNS.store(turns, Ordering::Relaxed);
    let code = if turns == 0 { work } else { long_work } as *const c_void;
    let name = WORK.to_str().expect("it is ASCII");
    Builder::new("BenchPlain", "")
        .method(name, "Q32@0:8Q16Q24", code)
        .register();
    Builder::new("BenchRoot", "")
        .method("retain", "@16@0:8", same as *const c_void)
        .method("release", "v16@0:8", same as *const c_void)
        .register();
    Builder::new("_MTLCommandBuffer", "BenchRoot").register();
    Builder::new("_MTLCommandEncoder", "BenchRoot").register();
    Builder::new("IOGPUMetalComputeCommandEncoder", "_MTLCommandEncoder").register();
    Builder::new(ENCODER, "IOGPUMetalComputeCommandEncoder")
        .ivar("_impl")
        .ivar("_commandBuffer")
        .method(
            "setComputePipelineState:",
            "v24@0:8@16",
            same as *const c_void,
        )
        .method("endEncoding", "v16@0:8", same as *const c_void)
        .method(name, "Q32@0:8Q16Q24", code)
        .register();
    Builder::new(BUFFER, "_MTLCommandBuffer")
        .method(
            "computeCommandEncoder",
            "@16@0:8",
            encoder_of as *const c_void,
        )
        .register();
    let hooked = is_hooked(class(ENCODER), code);
    assert!(hooked, "the library was not preloaded, or hooks nothing");
}

fn is_hooked(class: Class, code: *const c_void) -> bool {
    // SAFETY: the method has this type.
    let found: Work = unsafe { lookup(instance(class), selector(WORK)) };
    found as *const c_void != code
}

/// An object whose method [`WORK`] is not hooked.
pub fn unhooked() -> Id {
    instance(class("BenchPlain"))
}

/// An encoder of a command buffer of its own, tracked by the library.
pub fn encoder() -> Id {
    send(instance(class(BUFFER)), c"computeCommandEncoder")
}

/// Sends [`WORK`] so many times.
pub fn messages(object: Id, count: u32) {
    let selector = selector(WORK);
    let mut value = 0;
    for _ in 0..count {
        // SAFETY: the method has this type.
        value = unsafe { lookup::<Work>(object, selector)(object, selector, value, 0) };
    }
    assert_eq!(value, u64::from(count), "every message arrived");
}
