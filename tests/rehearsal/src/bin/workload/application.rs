//! The correct application: each thread has its own queue, command buffers and encoders, as Metal asks.

use crate::arguments::Arguments;
use crate::driver::{Driver, Object};
use crate::mix;
use std::collections::VecDeque;
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
/// Command buffers of each thread, where nothing says otherwise.
const ITERATIONS: u64 = 1500;
/// Bytes that its blit encoder fills, each with this value.
const FILL: (usize, u8) = (256, 3);
/// Threads of a dispatch of `agx_rehearsal_encode`.
const THREADS_OF_A_DISPATCH: u64 = 64;

/// What a fence adds to the checksum, by the kind of its encoder. See `agx_rehearsal.h`.
const FENCES: [u64; 2] = [0x1_0001, 0x2_0003];

/// In what the application differs from the usual one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent difference"
)]
pub struct Style {
    /// Compute encoders come from a factory that no published fix library hooks.
    pub private_factory: bool,
    /// Each encoder updates a fence.
    pub fences: bool,
    /// Command buffers that a thread commits before it waits for the oldest.
    pub in_flight: usize,
    /// Buffers are bound by a method that sends the encoder another message for each.
    pub nested: bool,
    /// A command buffer has a blit encoder, besides two of compute.
    pub blits: bool,
    /// Encoders of every kind come besides.
    pub mix: bool,
    /// Devices, which the threads take in turn.
    pub devices: usize,
    /// All devices but the first are of a second driver, which is loaded when the first has been used.
    pub second_driver: bool,
}

impl Style {
    /// The usual application.
    pub const USUAL: Self = Self {
        private_factory: false,
        fences: false,
        in_flight: 1,
        nested: false,
        blits: true,
        mix: false,
        devices: 1,
        second_driver: false,
    };
    /// Without blit encoders, which the first versions of the fix leave alone.
    pub const COMPUTE: Self = Self {
        blits: false,
        ..Self::USUAL
    };
}

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
    /// Command buffers that the GPU gave up.
    pub gpu_errors: u64,
    /// Encoders alive after everything was released.
    pub live_encoders: i64,
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
            self.gpu_errors = (driver.gpu_faults)();
        }
    }
}

struct Resources<'a> {
    driver: &'a Driver,
    device: Object,
    pipeline: Object,
    buffer: Object,
}

impl<'a> Resources<'a> {
    /// With a device of their own.
    fn of(driver: &'a Driver, arguments: &Arguments, fault: &str) -> Result<Self, String> {
        let device = driver.device(fault, arguments.seed)?;
        // SAFETY: the device is alive.
        unsafe {
            Ok(Self {
                driver,
                device,
                pipeline: (driver.pipeline_create)(device, PIPELINE_TAG),
                buffer: (driver.buffer_create)(device, 4096),
            })
        }
    }

    fn release(self) {
        // SAFETY: nothing uses these any more.
        unsafe {
            for object in [self.buffer, self.pipeline, self.device] {
                (self.driver.release)(object);
            }
        }
    }
}

/// Runs the threads to their end.
pub fn run(driver: &Driver, arguments: &Arguments, fault: &str) -> Result<Done, String> {
    let mut resources = vec![Resources::of(driver, arguments, fault)?];
    let mut done = Done::default();
    let second = if arguments.style.second_driver {
        let once = Arguments {
            iterations: Some(1),
            ..arguments.clone()
        };
        done.add(&work(&resources[0], &once, None, None));
        Some(Driver::load_other_family(&arguments.driver_path())?)
    } else {
        None
    };
    for _ in 1..arguments.style.devices {
        let driver = second.as_ref().unwrap_or(driver);
        resources.push(Resources::of(driver, arguments, fault)?);
    }
    let app_lock = arguments.app_lock.then(|| Mutex::new(()));
    let deadline = arguments.duration.map(|duration| Instant::now() + duration);
    let shares: Vec<Done> = thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.threads)
            .map(|number| {
                let resources = &resources[number % resources.len()];
                let app_lock = app_lock.as_ref();
                scope.spawn(move || work(resources, arguments, app_lock, deadline))
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
    for share in &shares {
        done.add(share);
    }
    done.read_executed(driver);
    for resources in resources {
        resources.release();
    }
    // SAFETY: a function without arguments.
    done.live_encoders = unsafe { (driver.live_encoders)() };
    Ok(done)
}

fn work(
    resources: &Resources,
    arguments: &Arguments,
    app_lock: Option<&Mutex<()>>,
    deadline: Option<Instant>,
) -> Done {
    let driver = resources.driver;
    let mut share = Done::default();
    let handled = AtomicU64::new(0);
    // SAFETY: the device is alive until the threads have ended.
    let queue = unsafe { (driver.queue_create)(resources.device) };
    let goes_on = |share: &Done| match deadline {
        Some(deadline) => Instant::now() < deadline,
        None => share.iterations < arguments.iterations.unwrap_or(ITERATIONS),
    };
    let mut pending = VecDeque::new();
    while goes_on(&share) {
        // Truncation only makes the numbers start again.
        #[expect(clippy::cast_possible_truncation)]
        let first = share.iterations as u32;
        {
            let _guard = app_lock.map(|lock| lock.lock().unwrap_or_else(PoisonError::into_inner));
            // SAFETY: the queue and the resources are alive, and the counter outlives the queue.
            pending.push_back(unsafe {
                encode_and_commit(resources, arguments, queue, first, &handled)
            });
        }
        share.add(&asked_of_a_buffer(first, arguments.style));
        if pending.len() >= arguments.style.in_flight {
            complete(driver, pending.pop_front());
        }
    }
    while !pending.is_empty() {
        complete(driver, pending.pop_front());
    }
    // SAFETY: every command buffer of the queue has completed.
    unsafe { (driver.release)(queue) };
    share.handled = handled.load(Ordering::SeqCst);
    share
}

/// One command buffer, from its making to its commit; owned by the caller.
///
/// # Safety
/// The queue and the resources are alive, `handled` until the command buffer has completed.
unsafe fn encode_and_commit(
    resources: &Resources,
    arguments: &Arguments,
    queue: Object,
    first: u32,
    handled: &AtomicU64,
) -> Object {
    let driver = resources.driver;
    let style = arguments.style;
    let make = if arguments.mps {
        driver.mps_command_buffer
    } else {
        driver.command_buffer
    };
    let compute = if style.private_factory {
        driver.private_compute_encoder
    } else {
        driver.compute_encoder
    };
    // SAFETY: every object is this thread's own and alive, and the calls come in the order that Metal asks for.
    unsafe {
        let command_buffer = make(queue);
        let end = |encoder| {
            if style.fences {
                (driver.update_fence)(encoder, resources.buffer);
            }
            (driver.end_encoding)(encoder);
        };
        for count in [DISPATCHES, COALESCED_DISPATCHES] {
            let encoder = compute(command_buffer);
            if style.nested {
                let buffers = [resources.buffer; 2];
                (driver.set_buffers)(encoder, buffers.as_ptr(), [0_usize; 2].as_ptr(), 2);
            }
            (driver.encode)(encoder, resources.pipeline, resources.buffer, first, count);
            end(encoder);
        }
        if style.blits {
            let blit = (driver.blit_encoder)(command_buffer);
            (driver.fill_buffer)(blit, resources.buffer, 0, FILL.0, FILL.1);
            end(blit);
        }
        if style.mix {
            mix::encode(
                driver,
                command_buffer,
                resources.pipeline,
                resources.buffer,
                first,
            );
        }
        let context = std::ptr::from_ref(handled).cast_mut().cast();
        (driver.add_completed_handler)(command_buffer, count_completion, context);
        (driver.commit)(command_buffer);
        command_buffer
    }
}

/// Waits for a command buffer and drops it. Outside of the application's lock: waiting is not encoding.
fn complete(driver: &Driver, command_buffer: Option<Object>) {
    let Some(command_buffer) = command_buffer else {
        return;
    };
    // SAFETY: committed, and owned by this thread.
    unsafe {
        (driver.wait)(command_buffer);
        (driver.release)(command_buffer);
    }
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
fn asked_of_a_buffer(first: u32, style: Style) -> Done {
    let mut done = Done {
        iterations: 1,
        ..Done::default()
    };
    done.add(&encoded(first, DISPATCHES));
    done.add(&encoded(first, COALESCED_DISPATCHES));
    if style.blits {
        done.asked += 1;
        done.asked_checksum += FILL.0 as u64 * u64::from(FILL.1);
    }
    if style.mix {
        done.add(&mix::asked(first));
    }
    if style.fences {
        let [compute, blit] = FENCES;
        done.asked += 3;
        done.asked_checksum += 2 * compute + blit;
    }
    done
}
