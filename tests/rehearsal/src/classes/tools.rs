//! Metal's wrappers (`MTLToolsCommandBuffer`, `MTLToolsComputeCommandEncoder`): what validation and capture put around the driver's
//! objects. They are under none of the driver's base classes, and pass everything on to the object they wrap.

use super::Size;
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Id, NIL, Sel, allocate, autorelease, release, retain, send, send_super};

static OBJECT: ClassRef = ClassRef::new();
static ENCODER: ClassRef = ClassRef::new();
static COMPUTE: ClassRef = ClassRef::new();
/// `MTLToolsCommandBuffer`.
pub static COMMAND_BUFFER: ClassRef = ClassRef::new();
static BASE: Ivar = Ivar::word(c"_baseObject", c"@");

/// `MTLToolsObject`.
pub fn object() -> ClassSpec {
    ClassSpec {
        name: c"MTLToolsObject",
        superclass: Some(c"NSObject"),
        ivars: vec![&BASE],
        methods: vec![
            Method::new(
                c"initWithBaseObject:parent:",
                c"@@:@@",
                init::<true> as *const (),
            ),
            Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &OBJECT,
    }
}

/// `MTLToolsCommandEncoder`.
pub fn encoder() -> ClassSpec {
    ClassSpec {
        name: c"MTLToolsCommandEncoder",
        superclass: Some(c"MTLToolsObject"),
        ivars: vec![],
        methods: vec![Method::new(
            c"endEncoding",
            c"v@:",
            end_encoding::<true> as *const (),
        )],
        class_methods: vec![],
        registered: &ENCODER,
    }
}

/// `MTLToolsComputeCommandEncoder`.
pub fn compute() -> ClassSpec {
    ClassSpec {
        name: c"MTLToolsComputeCommandEncoder",
        superclass: Some(c"MTLToolsCommandEncoder"),
        ivars: vec![],
        methods: vec![
            Method::new(
                c"setBuffer:offset:atIndex:",
                c"v@:@QQ",
                set_buffer::<true> as *const (),
            ),
            Method::new(
                c"dispatchThreadgroups:threadsPerThreadgroup:",
                c"v@:{?=QQQ}{?=QQQ}",
                dispatch::<true> as *const (),
            ),
            Method::new(c"updateFence:", c"v@:@", update_fence::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &COMPUTE,
    }
}

/// `MTLToolsCommandBuffer`.
pub fn command_buffer() -> ClassSpec {
    ClassSpec {
        name: c"MTLToolsCommandBuffer",
        superclass: Some(c"MTLToolsObject"),
        ivars: vec![],
        methods: vec![
            Method::new(
                c"computeCommandEncoder",
                c"@@:",
                compute_encoder::<true> as *const (),
            ),
            Method::new(
                c"computeCommandEncoderWithDescriptor:",
                c"@@:@",
                compute_encoder_descriptor::<true> as *const (),
            ),
            Method::new(c"commit", c"v@:", commit::<true> as *const ()),
            Method::new(
                c"waitUntilCompleted",
                c"v@:",
                wait_until_completed::<true> as *const (),
            ),
        ],
        class_methods: vec![],
        registered: &COMMAND_BUFFER,
    }
}

#[unsafe(export_name = "-[MTLToolsObject initWithBaseObject:parent:]")]
unsafe extern "C-unwind" fn init<const LOCAL: bool>(this: Id, _: Sel, base: Id, _parent: Id) -> Id {
    // SAFETY: a fresh instance; the wrapped object is alive.
    unsafe { BASE.store(this, retain(base)) }
    this
}

#[unsafe(export_name = "-[MTLToolsObject dealloc]")]
unsafe extern "C-unwind" fn dealloc<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: the last reference is gone; the reference taken out is the wrapper's.
    unsafe {
        release(BASE.take(this));
        send_super!(this, &OBJECT, "dealloc"; ());
    }
}

#[unsafe(export_name = "-[MTLToolsCommandEncoder endEncoding]")]
unsafe extern "C-unwind" fn end_encoding<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { send!(BASE.load(this), "endEncoding"; ()) }
}

#[unsafe(export_name = "-[MTLToolsComputeCommandEncoder setBuffer:offset:atIndex:]")]
unsafe extern "C-unwind" fn set_buffer<const LOCAL: bool>(
    this: Id,
    _: Sel,
    buffer: Id,
    offset: usize,
    index: usize,
) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe {
        send!(BASE.load(this), "setBuffer:offset:atIndex:", buffer => Id, offset => usize, index => usize; ());
    }
}

#[unsafe(export_name = "-[MTLToolsComputeCommandEncoder dispatchThreadgroups:threadsPerThreadgroup:]")]
unsafe extern "C-unwind" fn dispatch<const LOCAL: bool>(
    this: Id,
    _: Sel,
    groups: Size,
    per_group: Size,
) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe {
        send!(BASE.load(this), "dispatchThreadgroups:threadsPerThreadgroup:", groups => Size, per_group => Size; ());
    }
}

#[unsafe(export_name = "-[MTLToolsComputeCommandEncoder updateFence:]")]
unsafe extern "C-unwind" fn update_fence<const LOCAL: bool>(this: Id, _: Sel, fence: Id) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { send!(BASE.load(this), "updateFence:", fence => Id; ()) }
}

unsafe fn wrapped_encoder(this: Id, descriptor: Id) -> Id {
    // SAFETY: the callers run methods of a live wrapper; the initialiser has this signature.
    unsafe {
        let base =
            send!(BASE.load(this), "computeCommandEncoderWithDescriptor:", descriptor => Id; Id);
        if base == NIL {
            return NIL;
        }
        let wrapper = allocate(COMPUTE.get());
        autorelease(send!(wrapper, "initWithBaseObject:parent:", base => Id, this => Id; Id))
    }
}

#[unsafe(export_name = "-[MTLToolsCommandBuffer computeCommandEncoder]")]
unsafe extern "C-unwind" fn compute_encoder<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { wrapped_encoder(this, NIL) }
}

#[unsafe(export_name = "-[MTLToolsCommandBuffer computeCommandEncoderWithDescriptor:]")]
unsafe extern "C-unwind" fn compute_encoder_descriptor<const LOCAL: bool>(
    this: Id,
    _: Sel,
    descriptor: Id,
) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { wrapped_encoder(this, descriptor) }
}

#[unsafe(export_name = "-[MTLToolsCommandBuffer commit]")]
unsafe extern "C-unwind" fn commit<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { send!(BASE.load(this), "commit"; ()) }
}

#[unsafe(export_name = "-[MTLToolsCommandBuffer waitUntilCompleted]")]
unsafe extern "C-unwind" fn wait_until_completed<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { send!(BASE.load(this), "waitUntilCompleted"; ()) }
}
