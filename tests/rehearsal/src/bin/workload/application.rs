//! The correct application: each thread has its own queue, command buffers and encoders, as Metal asks.

use crate::arguments::Arguments;
use crate::driver::{Driver, Object};
use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// Multiplies a dispatch's threads in the driver's checksum.
pub const PIPELINE_TAG: u64 = 7;
/// Dispatches of a command buffer's first compute encoder.
pub const DISPATCHES: u32 = 16;
/// Dispatches of its second, which the driver coalesces with the first: the same object again.
const COALESCED_DISPATCHES: u32 = 4;
/// Bytes that its blit encoder fills, each with this value.
const FILL: (usize, u8) = (256, 3);
/// Threads of a dispatch of `agx_rehearsal_encode`.
const THREADS_OF_A_DISPATCH: u64 = 64;

/// What was asked for and what the driver says it did.
#[derive(Clone, Copy, Default, Debug)]
pub struct Done {
    /// Command buffers committed.
    pub iterations: u64,
    /// Completion handlers called; as many as command buffers, where nothing is lost.
    pub handled: u64,
    /// Dispatches encoded.
    pub asked: u64,
    /// Checksum of what was encoded.
    pub asked_checksum: u64,
    /// Dispatches executed.
    pub executed: u64,
    /// Checksum of what was executed.
    pub executed_checksum: u64,
}

impl Done {
    /// Whether something that was asked for was not executed, or was executed otherwise.
    pub fn lost_work(&self) -> bool {
        (self.asked, self.asked_checksum, self.iterations)
            != (self.executed, self.executed_checksum, self.handled)
    }

    /// Adds another share: all but what the driver says.
    pub fn add(&mut self, share: &Done) {
        self.iterations += share.iterations;
        self.handled += share.handled;
        self.asked += share.asked;
        self.asked_checksum = self.asked_checksum.wrapping_add(share.asked_checksum);
    }

    /// Reads the executing side from the driver.
    pub fn read_executed(&mut self, driver: &Driver) {
        // SAFETY: functions without arguments.
        unsafe {
            self.executed = (driver.executed)();
            self.executed_checksum = (driver.checksum)();
        }
    }
}

struct Resources {
    device: Object,
    pipeline: Object,
    buffer: Object,
}

/// Runs the threads to their end.
pub fn run(driver: &Driver, arguments: &Arguments, fault: &str) -> Result<Done, String> {
    let device = driver.device(fault, arguments.seed)?;
    // SAFETY: the device is alive.
    let resources = unsafe {
        Resources {
            device,
            pipeline: (driver.pipeline_create)(device, PIPELINE_TAG),
            buffer: (driver.buffer_create)(device, 4096),
        }
    };
    let app_lock = arguments.app_lock.then(|| Mutex::new(()));
    let deadline = arguments.duration.map(|duration| Instant::now() + duration);
    let shares: Vec<Done> = thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.threads)
            .map(|_| {
                let (resources, app_lock) = (&resources, app_lock.as_ref());
                scope.spawn(move || work(driver, resources, arguments, app_lock, deadline))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    let mut done = Done::default();
    for share in &shares {
        done.add(share);
    }
    done.read_executed(driver);
    // SAFETY: the threads have ended; nothing uses these any more.
    unsafe {
        (driver.release)(resources.buffer);
        (driver.release)(resources.pipeline);
        (driver.release)(resources.device);
    }
    Ok(done)
}

fn work(
    driver: &Driver,
    resources: &Resources,
    arguments: &Arguments,
    app_lock: Option<&Mutex<()>>,
    deadline: Option<Instant>,
) -> Done {
    let mut share = Done::default();
    let handled = AtomicU64::new(0);
    // SAFETY: the device is alive until the threads have ended.
    let queue = unsafe { (driver.queue_create)(resources.device) };
    let goes_on = |share: &Done| match deadline {
        Some(deadline) => Instant::now() < deadline,
        None => share.iterations < arguments.iterations,
    };
    while goes_on(&share) {
        // SAFETY: every object is this thread's own and alive, and the calls come in the order that Metal asks for.
        let command_buffer = unsafe {
            let guard = app_lock.map(|lock| lock.lock().unwrap_or_else(PoisonError::into_inner));
            let make = if arguments.mps {
                driver.mps_command_buffer
            } else {
                driver.command_buffer
            };
            let command_buffer = make(queue);
            // Truncation only makes the numbers start again.
            #[expect(clippy::cast_possible_truncation)]
            let first = share.iterations as u32;
            let encoder = (driver.compute_encoder)(command_buffer);
            (driver.encode)(
                encoder,
                resources.pipeline,
                resources.buffer,
                first,
                DISPATCHES,
            );
            (driver.end_encoding)(encoder);
            let again = (driver.compute_encoder)(command_buffer);
            (driver.encode)(
                again,
                resources.pipeline,
                resources.buffer,
                first,
                COALESCED_DISPATCHES,
            );
            (driver.end_encoding)(again);
            let blit = (driver.blit_encoder)(command_buffer);
            (driver.fill_buffer)(blit, resources.buffer, 0, FILL.0, FILL.1);
            (driver.end_encoding)(blit);
            (driver.add_completed_handler)(
                command_buffer,
                count_completion,
                (&raw const handled).cast_mut().cast(),
            );
            (driver.commit)(command_buffer);
            drop(guard);
            share.add(&asked_of_a_buffer(first));
            command_buffer
        };
        // SAFETY: committed, and owned by this thread. Outside the application's lock: waiting is not encoding.
        unsafe {
            (driver.wait)(command_buffer);
            (driver.release)(command_buffer);
        }
    }
    // SAFETY: every command buffer of the queue has completed.
    unsafe { (driver.release)(queue) };
    share.handled = handled.load(Ordering::SeqCst);
    share
}

unsafe extern "C" fn count_completion(_command_buffer: Object, handled: *mut c_void) {
    // SAFETY: the counter outlives the command buffer, for whose completion its thread waits.
    unsafe { &*handled.cast::<AtomicU64>() }.fetch_add(1, Ordering::SeqCst);
}

/// What `count` dispatches of `agx_rehearsal_encode` ask for, starting with number `first`.
pub fn encoded(first: u32, count: u32) -> Done {
    let numbers = (0..count).map(|step| u64::from(first.wrapping_add(step)));
    let each = PIPELINE_TAG * THREADS_OF_A_DISPATCH;
    let checksum = numbers.fold(0_u64, |sum, number| sum.wrapping_add(each + 2 * number));
    Done {
        asked: u64::from(count),
        asked_checksum: checksum,
        ..Done::default()
    }
}

/// What one command buffer of the application asks for.
fn asked_of_a_buffer(first: u32) -> Done {
    let blit = Done {
        asked: 1,
        asked_checksum: FILL.0 as u64 * u64::from(FILL.1),
        ..Done::default()
    };
    let mut done = Done {
        iterations: 1,
        ..Done::default()
    };
    for part in [
        encoded(first, DISPATCHES),
        encoded(first, COALESCED_DISPATCHES),
        blit,
    ] {
        done.add(&part);
    }
    done
}
