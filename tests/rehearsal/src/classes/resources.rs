//! What encoders are given: labels, pipelines, buffers, events.

use crate::queue_thread::EventState;
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Id, Sel, allocate, release, retain, send_super};
use std::sync::Arc;

static OBJECT_WITH_LABEL: ClassRef = ClassRef::new();
static LABEL: Ivar = Ivar::word(c"_label", c"@");

/// `_MTLObjectWithLabel`.
pub fn object_with_label() -> ClassSpec {
    ClassSpec {
        name: c"_MTLObjectWithLabel",
        superclass: Some(c"NSObject"),
        ivars: vec![&LABEL],
        methods: vec![
            Method::new(c"label", c"@@:", label::<true> as *const ()),
            Method::new(c"setLabel:", c"v@:@", set_label::<true> as *const ()),
            Method::new(c"dealloc", c"v@:", label_dealloc::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &OBJECT_WITH_LABEL,
    }
}

#[unsafe(export_name = "-[_MTLObjectWithLabel label]")]
unsafe extern "C-unwind" fn label<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { LABEL.load(this) }
}

#[unsafe(export_name = "-[_MTLObjectWithLabel setLabel:]")]
unsafe extern "C-unwind" fn set_label<const LOCAL: bool>(this: Id, _: Sel, label: Id) {
    // SAFETY: a method runs on a live instance of its class; the argument is nil or alive.
    unsafe {
        retain(label);
        let old = LABEL.take(this);
        LABEL.store(this, label);
        release(old);
    }
}

#[unsafe(export_name = "-[_MTLObjectWithLabel dealloc]")]
unsafe extern "C-unwind" fn label_dealloc<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: the last reference is gone; the label's reference is the object's.
    unsafe {
        release(LABEL.take(this));
        send_super!(this, &OBJECT_WITH_LABEL, "dealloc"; ());
    }
}

static PIPELINE_BASE: ClassRef = ClassRef::new();
/// `AGXG16XFamilyComputePipeline`.
pub static PIPELINE: ClassRef = ClassRef::new();
/// What a dispatch with this pipeline multiplies its threads with in the checksum.
pub static PIPELINE_TAG: Ivar = Ivar::word(c"_tag", c"Q");

/// `_MTLComputePipelineState`.
pub fn pipeline_base() -> ClassSpec {
    ClassSpec {
        name: c"_MTLComputePipelineState",
        superclass: Some(c"_MTLObjectWithLabel"),
        ivars: vec![],
        methods: vec![],
        class_methods: vec![],
        registered: &PIPELINE_BASE,
    }
}

/// `AGXG16XFamilyComputePipeline`.
pub fn pipeline() -> ClassSpec {
    ClassSpec {
        name: c"AGXG16XFamilyComputePipeline",
        superclass: Some(c"_MTLComputePipelineState"),
        ivars: vec![&PIPELINE_TAG],
        methods: vec![],
        class_methods: vec![],
        registered: &PIPELINE,
    }
}

static BUFFER_BASE: ClassRef = ClassRef::new();
/// `AGXG16XFamilyBuffer`.
pub static BUFFER: ClassRef = ClassRef::new();
/// A buffer's length, in bytes.
pub static BUFFER_LENGTH: Ivar = Ivar::word(c"_length", c"Q");

/// `IOGPUMetalBuffer`.
pub fn buffer_base() -> ClassSpec {
    ClassSpec {
        name: c"IOGPUMetalBuffer",
        superclass: Some(c"_MTLObjectWithLabel"),
        ivars: vec![&BUFFER_LENGTH],
        methods: vec![Method::new(c"length", c"Q@:", length::<true> as *const ())],
        class_methods: vec![],
        registered: &BUFFER_BASE,
    }
}

/// `AGXG16XFamilyBuffer`.
pub fn buffer() -> ClassSpec {
    ClassSpec {
        name: c"AGXG16XFamilyBuffer",
        superclass: Some(c"IOGPUMetalBuffer"),
        ivars: vec![],
        methods: vec![],
        class_methods: vec![],
        registered: &BUFFER,
    }
}

#[unsafe(export_name = "-[IOGPUMetalBuffer length]")]
unsafe extern "C-unwind" fn length<const LOCAL: bool>(this: Id, _: Sel) -> usize {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { BUFFER_LENGTH.load(this) }
}

/// `_MTLSharedEvent`.
pub static SHARED_EVENT: ClassRef = ClassRef::new();
/// The event's state, one count of an `Arc`.
pub static EVENT_STATE: Ivar = Ivar::word(c"_state", c"^v");

/// `_MTLSharedEvent`.
pub fn shared_event() -> ClassSpec {
    ClassSpec {
        name: c"_MTLSharedEvent",
        superclass: Some(c"_MTLObjectWithLabel"),
        ivars: vec![&EVENT_STATE],
        methods: vec![
            Method::new(
                c"signaledValue",
                c"Q@:",
                signaled_value::<true> as *const (),
            ),
            Method::new(
                c"setSignaledValue:",
                c"v@:Q",
                set_signaled_value::<true> as *const (),
            ),
            Method::new(c"dealloc", c"v@:", event_dealloc::<true> as *const ()),
        ],
        class_methods: vec![],
        registered: &SHARED_EVENT,
    }
}

/// The state of an event, shared with whoever keeps it.
///
/// # Safety
/// `event` is a live `_MTLSharedEvent`.
pub unsafe fn event_state(event: Id) -> Arc<EventState> {
    // SAFETY: the variable holds one count, which stays there.
    unsafe {
        let state: *const EventState = EVENT_STATE.load(event);
        Arc::increment_strong_count(state);
        Arc::from_raw(state)
    }
}

#[unsafe(export_name = "-[_MTLSharedEvent signaledValue]")]
unsafe extern "C-unwind" fn signaled_value<const LOCAL: bool>(this: Id, _: Sel) -> u64 {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { event_state(this) }.value()
}

#[unsafe(export_name = "-[_MTLSharedEvent setSignaledValue:]")]
unsafe extern "C-unwind" fn set_signaled_value<const LOCAL: bool>(this: Id, _: Sel, value: u64) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { event_state(this) }.signal(value);
}

#[unsafe(export_name = "-[_MTLSharedEvent dealloc]")]
unsafe extern "C-unwind" fn event_dealloc<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: the last reference is gone; the count that the variable holds goes with it.
    unsafe {
        drop(Arc::from_raw(
            EVENT_STATE.take(this).cast::<EventState>().cast_const(),
        ));
        send_super!(this, &SHARED_EVENT, "dealloc"; ());
    }
}

static ERROR: ClassRef = ClassRef::new();
static ERROR_CODE: Ivar = Ivar::word(c"_code", c"q");

/// `AGXRehearsalError`: stands in for `NSError`, which belongs to Foundation. It knows its code and nothing else.
pub fn error() -> ClassSpec {
    ClassSpec {
        name: c"AGXRehearsalError",
        superclass: Some(c"NSObject"),
        ivars: vec![&ERROR_CODE],
        methods: vec![Method::new(c"code", c"q@:", code::<true> as *const ())],
        class_methods: vec![],
        registered: &ERROR,
    }
}

/// An error with an `MTLCommandBufferError` code, owned by the caller.
pub fn new_error(code: usize) -> Id {
    // SAFETY: the class stands and declares the variable.
    unsafe {
        let error = allocate(ERROR.get());
        ERROR_CODE.store(error, code);
        error
    }
}

#[unsafe(export_name = "-[AGXRehearsalError code]")]
unsafe extern "C-unwind" fn code<const LOCAL: bool>(this: Id, _: Sel) -> usize {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { ERROR_CODE.load(this) }
}
