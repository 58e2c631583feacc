//! The end of a `_MTLCommandBuffer`'s life as its user sees it: handlers, waiting, scheduled, completed.

use super::command_buffer::{is_committed, set_error, state, status, status_word};
use crate::block::Block;
use crate::failure::{Assertion, fail};
use crate::queue_thread::Step;
use crate::runtime::class::Method;
use crate::runtime::{Id, NIL, Sel, copy_block, release_block};
use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The methods, to be added to the class.
pub fn metal_methods() -> [Method; 6] {
    [
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
            c"didScheduleWithStartTime:endTime:error:",
            c"v@:QQ@",
            did_schedule::<true> as *const (),
        ),
        Method::new(
            c"didCompleteWithStartTime:endTime:error:",
            c"v@:QQ@",
            did_complete::<true> as *const (),
        ),
    ]
}

#[derive(Default)]
pub struct Inner {
    /// What is encoded so far.
    pub steps: Vec<Step>,
    scheduled: Vec<usize>,
    completed: Vec<usize>,
}

/// What the committing thread and the queue's thread share.
#[derive(Default)]
pub struct State {
    inner: Mutex<Inner>,
    progressed: Condvar,
}

impl State {
    /// Locks what is shared.
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the handlers that were never called.
    pub fn release_handlers(self) {
        let inner = self
            .inner
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        for address in inner.scheduled.into_iter().chain(inner.completed) {
            // SAFETY: each entry is a block that the command buffer copied.
            unsafe { release_block(std::ptr::with_exposed_provenance_mut(address)) }
        }
    }
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
                // No report with this sentence was sighted; the line is made up.
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
    error: Id,
) {
    // SAFETY: the queue's thread holds a reference.
    unsafe {
        set_error(this, error);
        run_handlers(this, |inner| std::mem::take(&mut inner.completed));
        advance(
            this,
            if error == NIL {
                status::COMPLETED
            } else {
                status::ERROR
            },
        );
    }
}
