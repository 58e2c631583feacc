//! `_MTLCommandBuffer` and `IOGPUMetalCommandBuffer`: status, handlers, validation, commit, completion.

use super::{events, queue};
use crate::block::Block;
use crate::failure::{Assertion, fail, fail_condition};
use crate::impl_pool::Work;
use crate::queue_thread::Step;
use crate::runtime::class::{ClassRef, ClassSpec, Ivar, Method};
use crate::runtime::{Id, NIL, Sel, copy_block, release, release_block, retain, send, send_super};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// `MTLCommandBufferStatus`.
mod status {
    pub const ENQUEUED: usize = 1;
    pub const COMMITTED: usize = 2;
    pub const SCHEDULED: usize = 3;
    pub const COMPLETED: usize = 4;
}

static METAL: ClassRef = ClassRef::new();
/// `IOGPUMetalCommandBuffer`.
pub static IOGPU: ClassRef = ClassRef::new();
static QUEUE: Ivar = Ivar::word(c"_queue", c"@");
static STATUS: Ivar = Ivar::word(c"_status", c"Q");
static CURRENT_ENCODER: Ivar = Ivar::word(c"_currentCommandEncoder", c"@");
static RETAINED_REFERENCES: Ivar = Ivar::word(c"_retainedReferences", c"Q");
static STATE: Ivar = Ivar::word(c"_state", c"^v");

#[derive(Default)]
struct Inner {
    steps: Vec<Step>,
    scheduled: Vec<usize>,
    completed: Vec<usize>,
}

/// What the committing thread and the queue's thread share.
#[derive(Default)]
struct State {
    inner: Mutex<Inner>,
    progressed: Condvar,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `_MTLCommandBuffer`.
pub fn metal() -> ClassSpec {
    ClassSpec {
        name: c"_MTLCommandBuffer",
        superclass: Some(c"_MTLObjectWithLabel"),
        ivars: vec![
            &QUEUE,
            &STATUS,
            &CURRENT_ENCODER,
            &RETAINED_REFERENCES,
            &STATE,
        ],
        methods: vec![
            Method::new(
                c"initWithQueue:retainedReferences:",
                c"@@:@B",
                init::<true> as *const (),
            ),
            Method::new(c"commandQueue", c"@@:", command_queue::<true> as *const ()),
            Method::new(c"device", c"@@:", device::<true> as *const ()),
            Method::new(c"status", c"Q@:", status_of::<true> as *const ()),
            Method::new(c"isCommitted", c"B@:", is_committed::<true> as *const ()),
            Method::new(
                c"retainedReferences",
                c"B@:",
                retained_references::<true> as *const (),
            ),
            Method::new(c"enqueue", c"v@:", enqueue::<true> as *const ()),
            Method::new(
                c"addScheduledHandler:",
                c"v@:@?",
                add_scheduled_handler::<true> as *const (),
            ),
            Method::new(
                c"addCompletedHandler:",
                c"v@:@?",
                add_completed_handler::<true> as *const (),
            ),
            Method::new(
                c"waitUntilScheduled",
                c"v@:",
                wait_until_scheduled::<true> as *const (),
            ),
            Method::new(
                c"waitUntilCompleted",
                c"v@:",
                wait_until_completed::<true> as *const (),
            ),
            Method::new(
                c"setCurrentCommandEncoder:",
                c"v@:@",
                set_current_encoder::<true> as *const (),
            ),
            Method::new(
                c"didScheduleWithStartTime:endTime:error:",
                c"v@:QQ@",
                did_schedule::<true> as *const (),
            ),
            Method::new(
                c"didCompleteWithStartTime:endTime:error:",
                c"v@:QQ@",
                did_complete::<true> as *const (),
            ),
            Method::new(c"dealloc", c"v@:", dealloc::<true> as *const ()),
        ],
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

unsafe fn state<'a>(this: Id) -> &'a State {
    // SAFETY: set by the initialiser, freed by `dealloc`; the callers run methods of a live object.
    unsafe { &*STATE.load::<*const State>(this) }
}

unsafe fn status_word<'a>(this: Id) -> &'a AtomicUsize {
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

#[unsafe(export_name = "-[_MTLCommandBuffer isCommitted]")]
unsafe extern "C-unwind" fn is_committed<const LOCAL: bool>(this: Id, selector: Sel) -> bool {
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

#[unsafe(export_name = "-[_MTLCommandBuffer addScheduledHandler:]")]
unsafe extern "C-unwind" fn add_scheduled_handler<const LOCAL: bool>(
    this: Id,
    selector: Sel,
    handler: *const Block,
) {
    // SAFETY: a method runs on a live instance of its class; the handler is a block.
    unsafe {
        if is_committed::<true>(this, selector) {
            fail(&Assertion {
                method: c"-[_MTLCommandBuffer addScheduledHandler:]",
                line: 955,
                sentence: c"Scheduled handler provided after commit call",
            });
        }
        state(this)
            .lock()
            .scheduled
            .push(copy_block(handler).expose_provenance());
    }
}

#[unsafe(export_name = "-[_MTLCommandBuffer addCompletedHandler:]")]
unsafe extern "C-unwind" fn add_completed_handler<const LOCAL: bool>(
    this: Id,
    selector: Sel,
    handler: *const Block,
) {
    // SAFETY: a method runs on a live instance of its class; the handler is a block.
    unsafe {
        if is_committed::<true>(this, selector) {
            fail(&Assertion {
                method: c"-[_MTLCommandBuffer addCompletedHandler:]",
                line: 1011,
                sentence: c"Completed handler provided after commit call",
            });
        }
        state(this)
            .lock()
            .completed
            .push(copy_block(handler).expose_provenance());
    }
}

unsafe fn wait_until(this: Id, least: usize) {
    // SAFETY: the callers run methods of a live object.
    unsafe {
        let state = state(this);
        let mut inner = state.lock();
        while status_word(this).load(Ordering::SeqCst) < least {
            inner = state
                .progressed
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[unsafe(export_name = "-[_MTLCommandBuffer waitUntilScheduled]")]
unsafe extern "C-unwind" fn wait_until_scheduled<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { wait_until(this, status::SCHEDULED) }
}

#[unsafe(export_name = "-[_MTLCommandBuffer waitUntilCompleted]")]
unsafe extern "C-unwind" fn wait_until_completed<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: a method runs on a live instance of its class.
    unsafe { wait_until(this, status::COMPLETED) }
}

#[unsafe(export_name = "-[_MTLCommandBuffer setCurrentCommandEncoder:]")]
unsafe extern "C-unwind" fn set_current_encoder<const LOCAL: bool>(this: Id, _: Sel, encoder: Id) {
    // SAFETY: a method runs on a live instance of its class; the encoder is nil or alive.
    unsafe {
        retain(encoder);
        let old = CURRENT_ENCODER.take(this);
        CURRENT_ENCODER.store(this, encoder);
        release(old);
    }
}

/// Runs and drops the handlers that `pick` takes out. They run before the status says so, as Metal promises for
/// `waitUntilCompleted`, and without the lock.
unsafe fn run_handlers(this: Id, pick: impl FnOnce(&mut Inner) -> Vec<usize>) {
    // SAFETY: each entry is a block that this command buffer copied.
    unsafe {
        let handlers = pick(&mut state(this).lock());
        for address in handlers {
            let handler: *mut Block = std::ptr::with_exposed_provenance_mut(address);
            ((*handler).invoke)(handler, this);
            release_block(handler);
        }
    }
}

unsafe fn advance(this: Id, to: usize) {
    // SAFETY: the callers run methods of a live object.
    unsafe {
        let state = state(this);
        let inner = state.lock();
        status_word(this).store(to, Ordering::SeqCst);
        drop(inner);
        state.progressed.notify_all();
    }
}

#[unsafe(export_name = "-[_MTLCommandBuffer didScheduleWithStartTime:endTime:error:]")]
unsafe extern "C-unwind" fn did_schedule<const LOCAL: bool>(
    this: Id,
    _: Sel,
    _start: u64,
    _end: u64,
    _error: Id,
) {
    // SAFETY: the queue's thread holds a reference.
    unsafe {
        run_handlers(this, |inner| std::mem::take(&mut inner.scheduled));
        advance(this, status::SCHEDULED);
    }
}

#[unsafe(export_name = "-[_MTLCommandBuffer didCompleteWithStartTime:endTime:error:]")]
unsafe extern "C-unwind" fn did_complete<const LOCAL: bool>(
    this: Id,
    _: Sel,
    _start: u64,
    _end: u64,
    _error: Id,
) {
    // SAFETY: the queue's thread holds a reference.
    unsafe {
        run_handlers(this, |inner| std::mem::take(&mut inner.completed));
        advance(this, status::COMPLETED);
    }
}

#[unsafe(export_name = "-[_MTLCommandBuffer dealloc]")]
unsafe extern "C-unwind" fn dealloc<const LOCAL: bool>(this: Id, _: Sel) {
    // SAFETY: the last reference is gone; what the variables hold is the object's.
    unsafe {
        release(CURRENT_ENCODER.take(this));
        let state = Box::from_raw(STATE.take(this).cast::<State>());
        let inner = state
            .inner
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        for address in inner.scheduled.into_iter().chain(inner.completed) {
            release_block(std::ptr::with_exposed_provenance_mut(address));
        }
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
        send!(this, "validate"; ());
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
