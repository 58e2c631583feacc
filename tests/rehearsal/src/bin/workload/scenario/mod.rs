//! The published failures, each as a run that shows it: a fault of the driver, an application, and what to look at in the end.

mod list;

pub use list::{json, text};

use crate::application::{self, DISPATCHES, Done, PIPELINE_TAG, Style, encoded};
use crate::arguments::{Arguments, Fault};
use crate::driver::Driver;
use crate::misuse::{self, Misuse};
use list::SCENARIOS;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a scenario may take where `--watchdog` does not say. The slowest takes some seconds under an emulator or a sanitizer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Program {
    /// The application of several threads.
    Threads,
    /// The same on one thread, with this many command buffers.
    OneThread(u64),
    /// An event is signalled while another thread's encoder is open, which ends it after this time.
    ForeignEncoder(Duration),
    /// A rule is broken.
    Misuse(Misuse),
}

/// A published failure.
#[derive(PartialEq, Eq, Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it models, in one line.
    pub models: &'static str,
    /// The published versions of the fix of which their author says that this breaks them.
    pub breaks: &'static [&'static str],
    /// Whether no lock helps, but a limit to the command buffers in flight.
    pub needs_throttle: bool,
    fault: &'static str,
    style: Style,
    program: Program,
}

/// Command buffers of each thread, where each takes the GPU two milliseconds.
const SLOW_BUFFERS: u64 = 40;

impl Scenario {
    /// By the name on the command line.
    pub fn from_name(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|it| it.name == name)
    }

    /// Makes the arguments those of this scenario. The number of threads and the seed stay the user's.
    pub fn apply(&self, arguments: &mut Arguments) {
        arguments.fault = Fault::Driver(self.fault);
        arguments.style = self.style;
        arguments.watchdog.get_or_insert(PATIENCE);
        match self.program {
            Program::OneThread(buffers) => {
                (arguments.threads, arguments.iterations) = (1, buffers);
            }
            Program::Threads if self.style.in_flight > 1 => {
                arguments.iterations = arguments.iterations.min(SLOW_BUFFERS);
            }
            _ => {}
        }
    }

    /// Runs it.
    pub fn run(&self, driver: &Driver, arguments: &Arguments) -> Result<Done, String> {
        match self.program {
            Program::Threads | Program::OneThread(_) => {
                application::run(driver, arguments, self.fault)
            }
            Program::Misuse(misuse) => misuse::run(driver, arguments, misuse),
            Program::ForeignEncoder(held) => signal_past_an_encoder(driver, arguments, held),
        }
    }
}

/// One command buffer, two threads that take turns: the other has its encoder open while this one signals an event. The other cannot
/// know when this one is inside the driver, so that it holds its encoder for a time: that time is what the versions differ in.
fn signal_past_an_encoder(
    driver: &Driver,
    arguments: &Arguments,
    held: Duration,
) -> Result<Done, String> {
    let device = driver.device("none", arguments.seed)?;
    let mut done = encoded(0, DISPATCHES);
    // SAFETY: every object is alive until the end of this block, and the two threads are never in the same encoder.
    unsafe {
        let queue = (driver.queue_create)(device);
        let event = (driver.event_create)(device);
        let pipeline = (driver.pipeline_create)(device, PIPELINE_TAG);
        let buffer = (driver.buffer_create)(device, 4096);
        let command_buffer = (driver.command_buffer)(queue);
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
                (driver.signal_event)(command_buffer, event, 1);
            }
        });
        (driver.commit)(command_buffer);
        (driver.wait)(command_buffer);
        done.read_executed(driver);
        // The signal is work, too.
        done.asked += 1;
        done.executed += u64::from((driver.event_value)(event) == 1);
        for object in [command_buffer, queue, event, pipeline, buffer, device] {
            (driver.release)(object);
        }
        done.live_encoders = (driver.live_encoders)();
    }
    Ok(done)
}
