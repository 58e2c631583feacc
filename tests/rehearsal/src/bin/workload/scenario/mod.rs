//! The published failures, each as a run that shows it: a fault of the driver, an application, and what to look at in the end.

mod list;
mod meetings;

pub use list::{json, text};

use crate::application::{self, Done, Style};
use crate::arguments::{Arguments, Fault};
use crate::driver::Driver;
use crate::misuse::{self, Misuse};
use list::SCENARIOS;
use std::time::Duration;

/// How long a scenario may take where `--watchdog` does not say. The slowest takes some seconds under an emulator or a sanitizer.
const PATIENCE: Duration = Duration::from_secs(20);
/// The same for one that takes some milliseconds or hangs: a run of many is not to wait for each that long.
const SHORT_PATIENCE: Duration = Duration::from_secs(4);
/// The fewest command buffers of a thread.
const FEWEST: u64 = 5;

/// What runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Program {
    /// The application of several threads, with this many command buffers of all of them together.
    Threads(u64),
    /// The same on one thread, with this many command buffers.
    OneThread(u64),
    /// An event is signalled while another thread's encoder is open, which ends it after this time.
    ForeignEncoder(Duration),
    /// Two threads end the same encoder.
    EndTwice,
    /// An encoder is made while another thread commits and goes on.
    EncodePastACommit,
    /// Command buffers wait for an event that a later one signals.
    SignalLast,
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
    /// Whether it hangs where it fails, and is otherwise over in no time.
    hangs: bool,
    fault: &'static str,
    style: Style,
    program: Program,
}

impl Scenario {
    /// By the name on the command line.
    pub fn from_name(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|it| it.name == name)
    }

    /// Makes the arguments those of this scenario. The number of threads and the seed stay the user's.
    pub fn apply(&self, arguments: &mut Arguments) {
        arguments.fault = Fault::Driver(self.fault);
        arguments.style = self.style;
        arguments
            .watchdog
            .get_or_insert(if self.hangs { SHORT_PATIENCE } else { PATIENCE });
        match self.program {
            Program::Threads(buffers) => {
                let each = (buffers / arguments.threads as u64).max(FEWEST);
                arguments.iterations.get_or_insert(each);
            }
            Program::OneThread(buffers) => {
                arguments.threads = 1;
                arguments.iterations = Some(buffers);
            }
            _ => {}
        }
    }

    /// Runs it.
    pub fn run(&self, driver: &Driver, arguments: &Arguments) -> Result<Done, String> {
        match self.program {
            Program::Threads(_) | Program::OneThread(_) => {
                application::run(driver, arguments, self.fault)
            }
            Program::ForeignEncoder(held) => {
                meetings::signal_past_an_encoder(driver, arguments, held)
            }
            Program::EndTwice => meetings::end_twice(driver, arguments),
            Program::EncodePastACommit => meetings::encode_past_a_commit(driver, arguments),
            Program::SignalLast => meetings::signal_last(driver, arguments),
            Program::Misuse(misuse) => misuse::run(driver, arguments, misuse),
        }
    }
}
