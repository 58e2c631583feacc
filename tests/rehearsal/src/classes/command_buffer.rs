//! `_MTLCommandBuffer` and `IOGPUMetalCommandBuffer`: status, encoders, validation, commit.

use super::completion::State;
use super::{command, completion, events, factories, queue};
use crate::failure::{Assertion, fail, fail_condition};
use crate::faults::{self, Flaw};
use crate::impl_pool::Work;
use crate::observers::{self, Point};
use crate::queue_thread::Step;
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Id, NIL, Sel, autorelease, release, retain, send, send_super};
use std::sync::atomic::{AtomicUsize, Ordering};

/// `MTLCommandBufferStatus`.
pub mod status {
    /// Enqueued.
    pub const ENQUEUED: usize = 1;
    /// Committed.
    pub const COMMITTED: usize = 2;
    /// Scheduled.
    pub const SCHEDULED: usize = 3;
    /// Completed.
    pub const COMPLETED: usize = 4;
    /// Completed with an error.
    pub const ERROR: usize = 5;
}

static METAL: ClassRef = ClassRef::new();
/// `IOGPUMetalCommandBuffer`.
pub static IOGPU: ClassRef = ClassRef::new();
static QUEUE: Ivar = Ivar::word(c"_queue", c"@");
static STATUS: Ivar = Ivar::word(c"_status", c"Q");
static CURRENT_ENCODER: Ivar = Ivar::word(c"_currentCommandEncoder", c"@");
static RETAINED_REFERENCES: Ivar = Ivar::word(c"_retainedReferences", c"Q");
static STATE: Ivar = Ivar::word(c"_state", c"^v");
static ERROR: Ivar = Ivar::word(c"_error", c"@");

/// `_MTLCommandBuffer`.
pub fn metal() -> ClassSpec {
    let mut methods = vec![
        Method::new(
            c"initWithQueue:retainedReferences:",
            c"@@:@B",
            init::<true> as *const (),
        ),
        Method::new(c"commandQueue", c"@@:", command_queue::<true> as *const ()),
        Method::new(c"device", c"@@:", device::<true> as *const ()),
        Method::new(c"status", c"Q@:", status_of::<true> as *const ()),
        Method::new(c"error", c"@@:", error::<true> as *const ()),
        Method::new(c"isCommitted", c"B@:", is_committed::<true> as *const ()),
        Method::new(
            c"retainedReferences",
            c"B@:",
            retained_references::<true> as *const (),
        ),
        Method::new(c"enqueue", c"v@:", enqueue::<true> as *const ()),
        Method::new(
            c"setCurrentCommandEncoder:",
            c"v@:@",
            set_current_encoder::<true> as *const (),
        ),
        Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
    ];
    methods.extend(completion::metal_methods());
    methods.extend(factories::metal_methods());
    ClassSpec {
        name: c"_MTLCommandBuffer",
        superclass: Some(c"_MTLObjectWithLabel"),
        ivars: vec![
            &QUEUE,
            &STATUS,
            &CURRENT_ENCODER,
            &RETAINED_REFERENCES,
            &STATE,
            &ERROR,
        ],
        methods,
        class_methods: vec![],
        registered: &METAL,
    }
}

/// `IOGPUMetalCommandBuffer`.
pub fn iogpu() -> ClassSpec {
    let mut methods = vec![
        Method::new(c"validate", c"v@:", validate::<true> as *const ()),
        Method::new(c"commit", c"v@:", commit::<true> as *const ()),
        Method::new(
            c"commitEncoder",
            c"v@:",
            commit_encoder::<true> as *const (),
        ),
        Method::new(
            c"setCurrentCommandEncoder:",
            c"v@:@",
            iogpu_set_current_encoder::<true> as *const (),
        ),
    ];
    methods.extend(events::iogpu_methods());
    ClassSpec {
        name: c"IOGPUMetalCommandBuffer",
        superclass: Some(c"_MTLCommandBuffer"),
        ivars: vec![],
        methods,
        class_methods: vec![],
        registered: &IOGPU,
    }
}

/// What the committing thread and the queue's thread share.
///
/// # Safety
/// `this` is a live command buffer.
pub unsafe fn state<'a>(this: Id) -> &'a State {
    // SAFETY: set by the initialiser, freed by `dealloc`.
    unsafe { &*STATE.load::<*const State>(this) }
}

/// The status, an `MTLCommandBufferStatus`.
///
/// # Safety
/// `this` is a live command buffer.
pub unsafe fn status_word<'a>(this: Id) -> &'a AtomicUsize {
    // SAFETY: a word of a live object, only ever used atomically.
    unsafe { &*STATUS.at::<AtomicUsize>(this) }
}

/// The open encoder, not retained; nil where none is open.
///
/// # Safety
/// `this` is a live command buffer.
pub unsafe fn current_encoder(this: Id) -> Id {
    // SAFETY: the caller's promise.
    unsafe { CURRENT_ENCODER.load(this) }
}

/// The command buffer's device, not retained.
///
/// # Safety
/// `this` is a live command buffer.
pub unsafe fn device_of(this: Id) -> Id {
    // SAFETY: the queue is retained by the command buffer.
    unsafe { queue::device_of(QUEUE.load(this)) }
}

/// Makes an encoder the open one. The caller's reference goes to the command buffer, or, with that fault, to the autorelease pool.
///
/// # Safety
/// Both objects are alive, and the caller owns a reference to the encoder.
pub unsafe fn hand_out(this: Id, encoder: Id) -> Id {
    // SAFETY: the caller's promise.
    unsafe {
        send!(this, "setCurrentCommandEncoder:", encoder => Id; ());
        if faults::has(Flaw::Unowned) {
            autorelease(encoder);
        } else {
            release(encoder);
        }
    }
    encoder
}

/// Appends a step.
///
/// # Safety
/// `this` is a live command buffer.
pub unsafe fn append(this: Id, step: Step) {
    // SAFETY: the caller's promise.
    unsafe { state(this) }.lock().steps.push(step);
}

/// Appends what an encoder recorded.
///
/// # Safety
/// `this` is a live command buffer.
pub unsafe fn append_work(this: Id, work: Work) {
    if work != Work::default() {
        // SAFETY: the caller's promise.
        unsafe { append(this, Step::Work(work)) }
    }
}

/// Takes the steps out, to be executed.
///
/// # Safety
/// `this` is a live command buffer.
pub unsafe fn take_steps(this: Id) -> Vec<Step> {
    // SAFETY: the caller's promise.
    std::mem::take(&mut unsafe { state(this) }.lock().steps)
}

#[unsafe(export_name = "-[_MTLCommandBuffer initWithQueue:retainedReferences:]")]
unsafe extern "C-unwind" fn init<const LOCAL: bool>(
    this: Id,
    _: Sel,
    queue: Id,
    retained_references: bool,
) -> Id {
    // SAFETY: a fresh instance; the queue is alive.
    unsafe {
        QUEUE.store(this, retain(queue));
        RETAINED_REFERENCES.store(this, usize::from(retained_references));
        STATE.store(this, Box::into_raw(Box::<State>::default()));
    }
    this
}

#[unsafe(export_name = "-[_MTLCommandBuffer commandQueue]")]
unsafe extern "C-unwind" fn command_queue<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { QUEUE.load(this) }
}

#[unsafe(export_name = "-[_MTLCommandBuffer device]")]
unsafe extern "C-unwind" fn device<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { device_of(this) }
}

#[unsafe(export_name = "-[_MTLCommandBuffer status]")]
unsafe extern "C-unwind" fn status_of<const LOCAL: bool>(this: Id, _: Sel) -> usize {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { status_word(this) }.load(Ordering::SeqCst)
}

/// Keeps the error that a command buffer ended with; nil for none.
///
/// # Safety
/// `this` is a live command buffer that has not completed; the error is nil or alive.
pub unsafe fn set_error(this: Id, error: Id) {
    // SAFETY: the caller's promise; nobody reads the variable before the status says that it stands.
    unsafe { ERROR.store(this, retain(error)) }
}

#[unsafe(export_name = "-[_MTLCommandBuffer error]")]
unsafe extern "C-unwind" fn error<const LOCAL: bool>(this: Id, _: Sel) -> Id {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { ERROR.load(this) }
}

#[unsafe(export_name = "-[_MTLCommandBuffer isCommitted]")]
pub(super) unsafe extern "C-unwind" fn is_committed<const LOCAL: bool>(
    this: Id,
    selector: Sel,
) -> bool {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { status_of::<true>(this, selector) >= status::COMMITTED }
}

#[unsafe(export_name = "-[_MTLCommandBuffer retainedReferences]")]
unsafe extern "C-unwind" fn retained_references<const LOCAL: bool>(this: Id, _: Sel) -> bool {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { RETAINED_REFERENCES.load::<usize>(this) != 0 }
}

#[unsafe(export_name = "-[_MTLCommandBuffer enqueue]")]
unsafe extern "C-unwind" fn enqueue<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class. Enqueuing again, or after commit, changes nothing.
    unsafe { status_word(this) }.fetch_max(status::ENQUEUED, Ordering::SeqCst);
}

#[unsafe(export_name = "-[_MTLCommandBuffer setCurrentCommandEncoder:]")]
unsafe extern "C-unwind" fn set_current_encoder<const LOCAL: bool>(this: Id, _: Sel, encoder: Id) {
    // SAFETY: a method runs on a live instance of its class; the encoder is nil or alive.
    unsafe {
        if faults::has(Flaw::Unowned) {
            CURRENT_ENCODER.store(this, encoder);
            return;
        }
        retain(encoder);
        let old = CURRENT_ENCODER.take(this);
        CURRENT_ENCODER.store(this, encoder);
        release(old);
    }
}

#[unsafe(export_name = "-[_MTLCommandBuffer dealloc]")]
unsafe extern "C-unwind" fn dealloc<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: the last reference is gone; what the variables hold is the object's.
    unsafe {
        let open = CURRENT_ENCODER.take(this);
        if !faults::has(Flaw::Unowned) {
            release(open);
        }
        let state = Box::from_raw(STATE.take(this).cast::<State>());
        state.release_handlers();
        release(ERROR.take(this));
        release(QUEUE.take(this));
        send_super!(this, &METAL, "dealloc"; ());
    }
}

#[unsafe(export_name = "-[IOGPUMetalCommandBuffer validate]")]
#[inline(never)]
unsafe extern "C-unwind" fn validate<const LOCAL: bool>(this: Id, selector: Sel) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe {
        let method = c"-[IOGPUMetalCommandBuffer validate]";
        if is_committed::<true>(this, selector) {
            fail(&Assertion {
                method,
                line: 214,
                sentence: c"commit an already committed command buffer",
            });
        }
        if current_encoder(this) != NIL {
            fail(&Assertion {
                method,
                line: 216,
                sentence: c"commit command buffer with uncommitted encoder",
            });
        }
    }
}

#[unsafe(export_name = "-[IOGPUMetalCommandBuffer commit]")]
#[inline(never)]
unsafe extern "C-unwind" fn commit<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe {
        observers::tell(Point::Committing, this);
        send!(this, "validate"; ());
        command::use_what_the_device_has_once(device_of(this), Flaw::Submission);
        send!(this, "commitEncoder"; ());
        status_word(this).store(status::COMMITTED, Ordering::SeqCst);
        send!(QUEUE.load(this), "commitCommandBuffer:wake:", this => Id, true => bool; ());
    }
}

/// Ends kept encoders; the base class keeps none.
#[unsafe(export_name = "-[IOGPUMetalCommandBuffer commitEncoder]")]
unsafe extern "C-unwind" fn commit_encoder<const LOCAL: bool>(_: Id, _: Sel) {}

#[unsafe(export_name = "-[IOGPUMetalCommandBuffer setCurrentCommandEncoder:]")]
unsafe extern "C-unwind" fn iogpu_set_current_encoder<const LOCAL: bool>(
    this: Id,
    selector: Sel,
    encoder: Id,
) {
    // SAFETY: a method runs on a live instance of its class; the encoder is nil or alive.
    unsafe {
        if is_committed::<true>(this, selector) {
            fail_condition(&Assertion {
                method: c"-[IOGPUMetalCommandBuffer setCurrentCommandEncoder:]",
                line: 323,
                sentence: c"_status < MTLCommandBufferStatusCommitted",
            });
        }
        send_super!(this, &IOGPU, "setCurrentCommandEncoder:", encoder => Id; ());
    }
}
