//! Programs of two threads that meet in one command buffer, at a point of the driver that is chosen and not left to chance.

use crate::application::{DISPATCHES, Done, PIPELINE_TAG, encoded};
use crate::arguments::Arguments;
use crate::asleep::{self, ThreadId, wait_until_asleep};
use crate::driver::{Driver, Object};
use std::ffi::c_void;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Points of the driver: see `agx_rehearsal_observe`.
const ENDING: i32 = 0;
const COMMITTING: i32 = 1;

/// What both threads use.
struct Things {
    device: Object,
    queue: Object,
    event: Object,
    pipeline: Object,
    buffer: Object,
}

impl Things {
    fn make(driver: &Driver, arguments: &Arguments) -> Result<Self, String> {
        let device = driver.device("none", arguments.seed)?;
        // SAFETY: the device is alive.
        unsafe {
            Ok(Self {
                device,
                queue: (driver.queue_create)(device),
                event: (driver.event_create)(device),
                pipeline: (driver.pipeline_create)(device, PIPELINE_TAG),
                buffer: (driver.buffer_create)(device, 4096),
            })
        }
    }

    /// Releases everything, and says what was executed.
    fn finish(self, driver: &Driver, mut done: Done) -> Done {
        done.read_executed(driver);
        // SAFETY: nothing uses these any more.
        unsafe {
            for object in [
                self.queue,
                self.event,
                self.pipeline,
                self.buffer,
                self.device,
            ] {
                (driver.release)(object);
            }
            done.live_encoders = (driver.live_encoders)();
        }
        done
    }
}

/// One command buffer, two threads that take turns: the other has its encoder open while this one signals an event. The other cannot
/// know when this one is inside the driver, so that it holds its encoder for a time: that time is what the versions differ in.
pub fn signal_past_an_encoder(
    driver: &Driver,
    arguments: &Arguments,
    held: Duration,
) -> Result<Done, String> {
    let things = Things::make(driver, arguments)?;
    let mut done = encoded(0, DISPATCHES);
    // SAFETY: every object is alive until the end of this block, and the two threads are never in the same encoder.
    unsafe {
        let (pipeline, buffer) = (things.pipeline, things.buffer);
        let command_buffer = (driver.command_buffer)(things.queue);
        let (opened, is_open) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                let encoder = (driver.compute_encoder)(command_buffer);
                (driver.encode)(encoder, pipeline, buffer, 0, DISPATCHES);
                drop(opened);
                thread::sleep(held);
                (driver.end_encoding)(encoder);
            });
            // Closed when the encoder is open.
            if is_open.recv().is_err() {
                (driver.signal_event)(command_buffer, things.event, 1);
            }
        });
        (driver.commit)(command_buffer);
        (driver.wait)(command_buffer);
        // The signal is work, too.
        done.asked += 1;
        let signalled = (driver.event_value)(things.event) == 1;
        (driver.release)(command_buffer);
        let mut done = things.finish(driver, done);
        done.executed += u64::from(signalled);
        Ok(done)
    }
}

/// Lets the other thread go when this one comes to a point of the driver, and this one on when the other has gone as far as it can.
struct Meeting {
    go: Mutex<Option<Sender<()>>>,
    thread: Receiver<ThreadId>,
    returned: Receiver<()>,
}

/// The other thread's side.
struct Visitor {
    go: Receiver<()>,
    thread: Sender<ThreadId>,
    returned: Sender<()>,
}

impl Meeting {
    fn new() -> (Self, Visitor) {
        let (go, may_go) = mpsc::channel();
        let (tell_thread, thread) = mpsc::channel();
        let (returned, has_returned) = mpsc::channel();
        let meeting = Self {
            go: Mutex::new(Some(go)),
            thread,
            returned: has_returned,
        };
        let visitor = Visitor {
            go: may_go,
            thread: tell_thread,
            returned,
        };
        (meeting, visitor)
    }

    /// The observer: only the first time that the point is met counts.
    unsafe extern "C" fn meet(_object: Object, this: *mut c_void) {
        // SAFETY: the meeting outlives the time for which it observes.
        let this = unsafe { &*this.cast::<Self>() };
        let go = this
            .go
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(go) = go else { return };
        drop(go);
        if let Ok(thread) = this.thread.recv() {
            wait_until_asleep(thread, &this.returned);
        }
    }

    /// Runs `host` with this meeting at a point of the driver.
    fn at(&self, driver: &Driver, point: i32, host: impl FnOnce()) {
        let context = std::ptr::from_ref(self).cast_mut().cast();
        // SAFETY: the meeting is alive until the observer is taken away.
        unsafe { (driver.observe)(point, Some(Self::meet), context) };
        host();
        // SAFETY: as above.
        unsafe { (driver.observe)(point, None, std::ptr::null_mut()) };
    }
}

impl Visitor {
    /// Waits until the other thread is at its point, runs `visit`, and tells.
    fn visit<R>(self, visit: impl FnOnce() -> R) -> R {
        // Closed, not sent to.
        let closed = self.go.recv();
        debug_assert!(closed.is_err());
        // The other side may have gone, and then nobody asks.
        let told = self.thread.send(asleep::current());
        debug_assert!(told.is_ok());
        let result = visit();
        drop(self.returned);
        result
    }
}

/// Times that two threads end the same encoder.
const ROUNDS: u64 = 4;

/// Two threads end the same encoder, the second while the first is inside.
pub fn end_twice(driver: &Driver, arguments: &Arguments) -> Result<Done, String> {
    let things = Things::make(driver, arguments)?;
    for _ in 0..ROUNDS {
        let (meeting, visitor) = Meeting::new();
        // SAFETY: the command buffer is alive until its end; that the encoder is, in the second thread, is what is tried.
        unsafe {
            let command_buffer = (driver.command_buffer)(things.queue);
            let encoder = (driver.render_encoder)(command_buffer);
            thread::scope(|scope| {
                scope.spawn(move || visitor.visit(|| (driver.end_encoding)(encoder)));
                meeting.at(driver, ENDING, || (driver.end_encoding)(encoder));
            });
            (driver.commit)(command_buffer);
            (driver.wait)(command_buffer);
            (driver.release)(command_buffer);
        }
    }
    Ok(things.finish(driver, Done::default()))
}

/// One thread commits and goes on, with its encoder open; another asks for an encoder of its own meanwhile, and gets one of the
/// command buffer with which it goes on.
pub fn encode_past_a_commit(driver: &Driver, arguments: &Arguments) -> Result<Done, String> {
    let things = Things::make(driver, arguments)?;
    let mut done = encoded(0, DISPATCHES);
    done.add(&encoded(1, DISPATCHES));
    let (meeting, visitor) = Meeting::new();
    let (committing, is_committed) = mpsc::channel::<()>();
    // SAFETY: every object is alive until the end of this block.
    unsafe {
        let (pipeline, buffer) = (things.pipeline, things.buffer);
        let command_buffer = (driver.mps_command_buffer)(things.queue);
        let open = || (driver.compute_encoder_with_dispatch_type)(command_buffer, 0);
        let first = open();
        (driver.encode)(first, pipeline, buffer, 0, DISPATCHES);
        thread::scope(|scope| {
            scope.spawn(move || {
                let second = visitor
                    .visit(|| (driver.compute_encoder_with_dispatch_type)(command_buffer, 0));
                // Open until the commit is over, of whichever command buffer it is. Closed, not sent to.
                let closed = is_committed.recv();
                debug_assert!(closed.is_err());
                (driver.encode)(second, pipeline, buffer, 1, DISPATCHES);
                (driver.end_encoding)(second);
            });
            meeting.at(driver, COMMITTING, || {
                (driver.commit_and_continue)(command_buffer);
            });
            drop(committing);
        });
        (driver.commit)(command_buffer);
        // The queue takes its command buffers in order: the first is done, too.
        (driver.wait)(command_buffer);
        (driver.release)(command_buffer);
    }
    Ok(things.finish(driver, done))
}

/// Command buffers that wait for an event which only a later one signals.
const WAITING: usize = 4;

/// Command buffers of queues of their own wait for an event; the last one to be committed signals it.
pub fn signal_last(driver: &Driver, arguments: &Arguments) -> Result<Done, String> {
    let things = Things::make(driver, arguments)?;
    let mut done = Done::default();
    let mut committed = Vec::new();
    for number in 0..=WAITING {
        // SAFETY: every object is alive; queues and command buffers are released below.
        unsafe {
            let queue = (driver.queue_create)(things.device);
            let command_buffer = (driver.command_buffer)(queue);
            if number == WAITING {
                (driver.signal_event)(command_buffer, things.event, 1);
            } else {
                (driver.wait_event)(command_buffer, things.event, 1);
            }
            let encoder = (driver.compute_encoder)(command_buffer);
            (driver.encode)(encoder, things.pipeline, things.buffer, 0, DISPATCHES);
            (driver.end_encoding)(encoder);
            (driver.commit)(command_buffer);
            committed.push((command_buffer, queue));
        }
        done.add(&encoded(0, DISPATCHES));
    }
    for (command_buffer, queue) in committed {
        // SAFETY: committed, and owned by this thread.
        unsafe {
            (driver.wait)(command_buffer);
            (driver.release)(command_buffer);
            (driver.release)(queue);
        }
    }
    Ok(things.finish(driver, done))
}
