//! The GPU's side of a command queue: a thread that takes command buffers in the order of their commits and completes them.

use crate::classes::resources;
use crate::gpu_fault;
use crate::impl_pool::Work;
use crate::runtime::{Id, NIL, release, send, with_pool};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Work executed by every queue of the process.
static DISPATCHES: AtomicU64 = AtomicU64::new(0);
static CHECKSUM: AtomicU64 = AtomicU64::new(0);
static COMPLETED: AtomicU64 = AtomicU64::new(0);

/// Dispatches and checksum executed so far, and command buffers completed.
pub fn executed() -> (Work, u64) {
    let work = Work {
        dispatches: DISPATCHES.load(Ordering::SeqCst),
        checksum: CHECKSUM.load(Ordering::SeqCst),
    };
    (work, COMPLETED.load(Ordering::SeqCst))
}

/// Command buffers that the queues' threads have not let go of.
static HELD: Mutex<u64> = Mutex::new(0);
static LET_GO: Condvar = Condvar::new();

/// Waits until the queues' threads hold nothing: a command buffer that has completed is theirs for a moment longer.
pub fn wait_idle() {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    while *held > 0 {
        held = LET_GO.wait(held).unwrap_or_else(PoisonError::into_inner);
    }
}

/// The value of a shared event.
#[derive(Default)]
pub struct EventState {
    value: Mutex<u64>,
    raised: Condvar,
}

impl EventState {
    /// The value last signalled.
    pub fn value(&self) -> u64 {
        *self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signals a value and wakes who waits for it.
    pub fn signal(&self, value: u64) {
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = value;
        self.raised.notify_all();
    }

    /// Waits until the event has at least this value.
    pub fn wait(&self, value: u64) {
        let mut now = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        while *now < value {
            now = self
                .raised
                .wait(now)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// One step of a command buffer.
pub enum Step {
    /// What an encoder recorded.
    Work(Work),
    /// Raise an event.
    Signal(Arc<EventState>, u64),
    /// Wait for an event.
    Wait(Arc<EventState>, u64),
}

struct Submission {
    /// A command buffer, with a reference that the thread drops.
    command_buffer: usize,
    steps: Vec<Step>,
    /// Command buffers of the process in flight when this one was committed, itself included.
    in_flight: u64,
}

#[derive(Default)]
struct Pending {
    submissions: VecDeque<Submission>,
    started: bool,
    closed: bool,
}

/// A queue's submissions; the thread lives from the first one until the queue is deallocated.
#[derive(Default)]
pub struct QueueThread {
    pending: Mutex<Pending>,
    changed: Condvar,
}

impl QueueThread {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a command buffer over, with one reference to it.
    pub fn submit(self: &Arc<Self>, command_buffer: Id, steps: Vec<Step>) {
        *HELD.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        let mut pending = self.lock();
        pending.submissions.push_back(Submission {
            command_buffer: command_buffer.expose_provenance(),
            steps,
            in_flight: gpu_fault::committed(),
        });
        if !pending.started {
            pending.started = true;
            let this = Arc::clone(self);
            let spawned = thread::Builder::new()
                .name("com.Metal.CompletionQueueDispatch".into())
                .spawn(move || this.serve());
            if let Err(error) = spawned {
                eprintln!("agx-rehearsal: no thread for a command queue: {error}");
                std::process::abort();
            }
        }
        self.changed.notify_one();
    }

    /// Lets the thread end once it has nothing left to do.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    fn next(&self) -> Option<Submission> {
        let mut pending = self.lock();
        loop {
            if let Some(submission) = pending.submissions.pop_front() {
                return Some(submission);
            }
            if pending.closed {
                return None;
            }
            pending = self
                .changed
                .wait(pending)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn serve(&self) {
        while let Some(submission) = self.next() {
            let command_buffer: Id =
                std::ptr::with_exposed_provenance_mut(submission.command_buffer);
            // SAFETY: the submission owns a reference, so the command buffer is alive until it is released here.
            with_pool(|| unsafe {
                send!(command_buffer, "didScheduleWithStartTime:endTime:error:", 0 => u64, 0 => u64, std::ptr::null_mut() => Id; ());
                let faulted = gpu_fault::strikes(submission.in_flight);
                execute(submission.steps, faulted);
                gpu_fault::done();
                COMPLETED.fetch_add(1, Ordering::SeqCst);
                let error = if faulted {
                    resources::new_error(gpu_fault::ERROR_CODE)
                } else {
                    NIL
                };
                send!(command_buffer, "didCompleteWithStartTime:endTime:error:", 0 => u64, 0 => u64, error => Id; ());
                release(error);
                release(command_buffer);
            });
            *HELD.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
            LET_GO.notify_all();
        }
    }
}

/// Runs the steps. After a fault no work is done, but events go on: who waits for them is told by the error.
fn execute(steps: Vec<Step>, faulted: bool) {
    for step in steps {
        match step {
            Step::Work(_) if faulted => {}
            Step::Work(work) => {
                DISPATCHES.fetch_add(work.dispatches, Ordering::SeqCst);
                CHECKSUM.fetch_add(work.checksum, Ordering::SeqCst);
            }
            Step::Signal(event, value) => event.signal(value),
            Step::Wait(event, value) => event.wait(value),
        }
    }
}
