//! What the subjects do.

use std::ffi::{CStr, CString, c_char, c_void};
use std::panic::catch_unwind;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::driver::{self, BUFFER, ENCODER, ENDS, RETAINS};
use crate::objc::{Builder, Class, Id, Sel, class, instance, lookup, selector, send};

/// Roots of families, as Metal names them.
pub const FAMILIES: [&str; 7] = [
    "_MTLCommandEncoder",
    "_MTLParallelRenderCommandEncoder",
    "_MTLSWRaytracingAccelerationStructureCommandEncoder",
    "_MTL4CommandEncoder",
    "_MTLCommandBuffer",
    "_MTL4CommandBuffer",
    "MPSCommandBuffer",
];

unsafe extern "C" {
    fn class_getInstanceMethod(class: Class, selector: Sel) -> *mut c_void;
    fn method_setImplementation(method: *mut c_void, code: *const c_void) -> *const c_void;
    fn class_addMethod(
        class: Class,
        selector: Sel,
        code: *const c_void,
        types: *const c_char,
    ) -> i8;
}

pub fn run(name: &str) {
    match name {
        "families" => families(),
        "throw" => throw(),
        "skip" => skip(),
        "odd" => odd(),
        "subclasses" => subclasses(),
        "replaced" => replaced(),
        "replaced-last" => replace("endEncoding"),
        "added" => added(),
        "parallel" => parallel(),
        other => panic!("no subject {other}"),
    }
}

/// The receiver of the last call.
static RECEIVER: AtomicU64 = AtomicU64::new(0);

extern "C-unwind" fn thing(this: Id, _: Sel, _: Id) {
    RECEIVER.store(this as u64, Ordering::SeqCst);
}

fn families() {
    let method = |builder: Builder| builder.method("setThing:", "v@:@", thing as *const c_void);
    Builder::new("TestRoot", "").register();
    for root in FAMILIES {
        Builder::new(root, "TestRoot").register();
        method(Builder::new(&format!("Test{root}"), root)).register();
    }
    Builder::new("MTLToolsObject", "TestRoot").register();
    let wrapper = "MTLTestDebugComputeCommandEncoder";
    method(Builder::new(wrapper, "MTLToolsObject")).register();
    method(Builder::new("TestUnrelated", "TestRoot")).register();
}

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Region([u64; 6]);

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Range(u64, u64);

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Viewport([f64; 6]);

extern "C-unwind" fn throw_viewport(_: Id, _: Sel, viewport: Viewport, scale: f32) {
    assert_eq!((viewport.0[5], scale), (5.5, 0.25), "the values arrived");
    std::panic::panic_any("thrown");
}

/// The full forwarder: floats, and a structure on the stack. Twice, and then from a thread that needs the lock.
fn throw() {
    driver::register(|it| {
        it.method(
            "setViewport:scale:",
            "v@:{?=dddddd}f",
            throw_viewport as *const c_void,
        )
    });
    let encoder = driver::encoder();
    let name = selector(c"setViewport:scale:");
    for _ in 0..2 {
        let thrown = catch_unwind(|| {
            // SAFETY: the method was registered with code of this type.
            unsafe {
                let code: unsafe extern "C-unwind" fn(Id, Sel, Viewport, f32) =
                    lookup(encoder, name);
                code(
                    encoder,
                    name,
                    Viewport([0.5, 1.5, 2.5, 3.5, 4.5, 5.5]),
                    0.25,
                );
            }
        });
        let what = thrown.expect_err("an exception");
        assert_eq!(what.downcast_ref(), Some(&"thrown"));
    }
    let address = encoder as usize;
    thread::spawn(move || work(address as Id))
        .join()
        .expect("the lock is free");
    send(encoder, c"endEncoding");
}

fn work(encoder: Id) {
    let name = selector(c"setComputePipelineState:");
    // SAFETY: the driver's method takes a pointer and returns nothing.
    unsafe {
        let code: unsafe extern "C-unwind" fn(Id, Sel, Id) = lookup(encoder, name);
        code(encoder, name, ptr::null_mut());
    }
}

extern "C-unwind" fn region(_: Id, _: Sel) -> Region {
    panic!("was called");
}

extern "C-unwind" fn double(_: Id, _: Sel, _: f64) -> f64 {
    panic!("was called");
}

extern "C-unwind" fn pair(_: Id, _: Sel, _: u64) -> Range {
    panic!("was called");
}

/// Calls that are not made because `_impl` is NULL.
fn skip() {
    driver::register(|it| {
        it.method(
            "encodeRegion",
            "{?={?=QQQ}{?=QQQ}}@:",
            region as *const c_void,
        )
        .method("double:", "d@:d", double as *const c_void)
        .method("pair:", "{_NSRange=QQ}@:Q", pair as *const c_void)
    });
    let encoder = instance(class(ENCODER));
    // SAFETY: the methods were registered with code of these types. A result in memory is returned through a pointer
    // that comes before the receiver, as the convention says; the room is filled to show what is written.
    unsafe {
        let name = selector(c"encodeRegion");
        let code: unsafe extern "C-unwind" fn(*mut Region, Id, Sel) -> *mut Region =
            lookup(encoder, name);
        let mut room = [Region([u64::MAX; 6]); 2];
        let at = room.as_mut_ptr();
        assert_eq!(code(at, encoder, name), at);
        assert_eq!(room, [Region([0; 6]), Region([u64::MAX; 6])]);

        let name = selector(c"double:");
        let code: unsafe extern "C-unwind" fn(Id, Sel, f64) -> f64 = lookup(encoder, name);
        assert_eq!(code(encoder, name, 1.5).to_bits(), 0);

        let name = selector(c"pair:");
        let code: unsafe extern "C-unwind" fn(Id, Sel, u64) -> Range = lookup(encoder, name);
        assert_eq!(code(encoder, name, 7), Range(0, 0));
    }
}

/// The code of a hooked method, called with what it was not made for.
fn odd() {
    driver::register(|it| it.method("setThing:", "v@:@", thing as *const c_void));
    let other = Builder::new("TestUnrelated", "TestRoot").register();
    let encoder = driver::encoder();
    let name = selector(c"setThing:");
    // SAFETY: the method was registered with code of this type, which looks at none of its arguments.
    unsafe {
        let code: unsafe extern "C-unwind" fn(Id, Sel, Id) = lookup(encoder, name);
        for receiver in [
            instance(other),
            ptr::without_provenance_mut(0x8001),
            ptr::null_mut(),
        ] {
            code(receiver, name, ptr::null_mut());
            assert_eq!(RECEIVER.load(Ordering::SeqCst), receiver as u64);
        }
    }
    assert_eq!(RETAINS.load(Ordering::SeqCst), 0, "nothing was retained");
}

/// A method of a base class, reached through two subclasses in turn.
fn subclasses() {
    driver::register(|it| it.method("setThing:", "v@:@", thing as *const c_void));
    Builder::new("AGXTestSampledContext", ENCODER).register();
    let sampled = instance(class("AGXTestSampledContext"));
    // SAFETY: the variable is the object's.
    unsafe { crate::objc::ivar(class(ENCODER), sampled, c"_impl").write(ptr::dangling_mut()) };
    let plain = driver::encoder();
    let name = selector(c"setThing:");
    for _ in 0..100 {
        for encoder in [plain, sampled] {
            // SAFETY: the method was registered with code of this type.
            unsafe {
                let code: unsafe extern "C-unwind" fn(Id, Sel, Id) = lookup(encoder, name);
                code(encoder, name, ptr::null_mut());
            }
            assert_eq!(RECEIVER.load(Ordering::SeqCst), encoder as u64);
        }
    }
}

extern "C-unwind" fn nothing(_: Id, _: Sel) {}

/// Registers the driver and replaces the code of one of its methods.
fn replace(name: &str) {
    driver::register(|it| it);
    replace_in(name);
}

fn replace_in(name: &str) {
    let name = CString::new(name).expect("no NUL");
    // SAFETY: the class has the method, and the code takes what it takes or less.
    unsafe {
        let method = class_getInstanceMethod(class(ENCODER), selector(&name));
        assert!(!method.is_null());
        method_setImplementation(method, nothing as *const c_void);
    }
}

fn replaced() {
    replace("endEncoding");
    replace_in("throwIt");
    for name in ["AGXTestBlitContext", "AGXTestRenderContext"] {
        Builder::new(name, "_MTLCommandEncoder").register();
    }
}

fn added() {
    driver::register(|it| it);
    let types: &CStr = c"v@:@";
    // SAFETY: the class is registered; the code has the type.
    let added = unsafe {
        class_addMethod(
            class(ENCODER),
            selector(c"addedLater:"),
            thing as *const c_void,
            types.as_ptr(),
        )
    };
    assert_eq!(added, 1);
    Builder::new("AGXTestBlitContext", "_MTLCommandEncoder").register();
    let encoder = driver::encoder();
    let name = selector(c"addedLater:");
    // SAFETY: as above.
    unsafe {
        let code: unsafe extern "C-unwind" fn(Id, Sel, Id) = lookup(encoder, name);
        assert_ne!(
            code as *const c_void, thing as *const c_void,
            "the hook stands"
        );
        code(encoder, name, ptr::null_mut());
    }
    assert_eq!(RECEIVER.load(Ordering::SeqCst), encoder as u64);
}

extern "C-unwind" fn parallel_encoder(_: Id, _: Sel, _: Id) -> Id {
    instance(class("AGXTestThreadedRenderPass"))
}

extern "C-unwind" fn sub_encoder(_: Id, _: Sel) -> Id {
    driver::encoder()
}

extern "C-unwind" fn end(_: Id, _: Sel) {
    ENDS.fetch_add(1, Ordering::SeqCst);
}

/// A parallel render encoder and one of its encoders, both left open.
fn parallel() {
    driver::register(|it| it);
    Builder::new("_MTLParallelRenderCommandEncoder", "TestRoot").register();
    Builder::new(
        "AGXTestThreadedRenderPass",
        "_MTLParallelRenderCommandEncoder",
    )
    .method("renderCommandEncoder", "@@:", sub_encoder as *const c_void)
    .method("endEncoding", "v@:", end as *const c_void)
    .register();
    Builder::new("AGXTestBuffer2", BUFFER)
        .method(
            "parallelRenderCommandEncoderWithDescriptor:",
            "@@:@",
            parallel_encoder as *const c_void,
        )
        .register();
    let buffer = instance(class("AGXTestBuffer2"));
    let name = selector(c"parallelRenderCommandEncoderWithDescriptor:");
    // SAFETY: the method was registered with code of this type.
    let pass = unsafe {
        let code: unsafe extern "C-unwind" fn(Id, Sel, Id) -> Id = lookup(buffer, name);
        code(buffer, name, ptr::null_mut())
    };
    let sub = send(pass, c"renderCommandEncoder");
    assert!(!sub.is_null());
    assert_eq!(RETAINS.load(Ordering::SeqCst), 2);
    send(buffer, c"commit");
    assert_eq!(ENDS.load(Ordering::SeqCst), 2);
    assert_eq!(RETAINS.load(Ordering::SeqCst), 0);
}
