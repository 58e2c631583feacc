//! Applications that break one rule of Metal's contract, on one thread: each meets one assertion.

use crate::application::{DISPATCHES, Done, PIPELINE_TAG, encoded};
use crate::arguments::Arguments;
use crate::driver::{Driver, Object};
use std::ffi::c_void;

/// Which rule is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misuse {
    /// A second encoder while one is open.
    SecondEncoder,
    /// `commit` with an open encoder.
    CommitOpenEncoder,
    /// A second `commit`.
    DoubleCommit,
    /// `encodeSignalEvent:value:` with an open encoder.
    SignalOpenEncoder,
    /// `encodeWaitForEvent:value:` with an open encoder.
    WaitOpenEncoder,
    /// `addCompletedHandler:` after `commit`.
    LateCompletedHandler,
    /// `addScheduledHandler:` after `commit`.
    LateScheduledHandler,
    /// An encoder from a committed command buffer.
    EncodeAfterCommit,
    /// A command buffer dropped with an open encoder.
    Unended,
}

const NAMES: [(&str, Misuse); 9] = [
    ("coalesce", Misuse::SecondEncoder),
    ("commit", Misuse::CommitOpenEncoder),
    ("double-commit", Misuse::DoubleCommit),
    ("event", Misuse::SignalOpenEncoder),
    ("wait-event", Misuse::WaitOpenEncoder),
    ("handler", Misuse::LateCompletedHandler),
    ("scheduled-handler", Misuse::LateScheduledHandler),
    ("encode-after-commit", Misuse::EncodeAfterCommit),
    ("unended", Misuse::Unended),
];

impl Misuse {
    /// By the name on the command line.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES
            .into_iter()
            .find(|entry| entry.0 == name)
            .map(|entry| entry.1)
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        NAMES
            .into_iter()
            .find(|entry| entry.1 == self)
            .map_or("unknown", |entry| entry.0)
    }
}

unsafe extern "C" fn ignore(_: Object, _: *mut c_void) {}

/// Encodes one encoder's work, breaks the rule, and where the process survives that, finishes properly.
pub fn run(driver: &Driver, arguments: &Arguments, misuse: Misuse) -> Result<Done, String> {
    let device = driver.device("none", arguments.seed)?;
    let mut done = encoded(0, DISPATCHES);
    // SAFETY: every object is alive and of the right kind; the order is wrong where `misuse` says so, which the driver answers
    // with an assertion and a fix may repair.
    unsafe {
        let queue = (driver.queue_create)(device);
        let make = if arguments.mps {
            driver.mps_command_buffer
        } else {
            driver.command_buffer
        };
        let command_buffer = make(queue);
        let event = (driver.event_create)(device);
        let pipeline = (driver.pipeline_create)(device, PIPELINE_TAG);
        let buffer = (driver.buffer_create)(device, 4096);
        let encoder = (driver.compute_encoder)(command_buffer);
        (driver.encode)(encoder, pipeline, buffer, 0, DISPATCHES);
        let end_and_commit = || {
            (driver.end_encoding)(encoder);
            (driver.commit)(command_buffer);
        };
        match misuse {
            Misuse::SecondEncoder => {
                let second = (driver.compute_encoder)(command_buffer);
                (driver.end_encoding)(second);
                (driver.commit)(command_buffer);
            }
            Misuse::CommitOpenEncoder => (driver.commit)(command_buffer),
            Misuse::DoubleCommit => {
                end_and_commit();
                (driver.commit)(command_buffer);
            }
            Misuse::SignalOpenEncoder => {
                (driver.signal_event)(command_buffer, event, 1);
                (driver.commit)(command_buffer);
            }
            Misuse::WaitOpenEncoder => {
                (driver.wait_event)(command_buffer, event, 0);
                (driver.commit)(command_buffer);
            }
            Misuse::LateCompletedHandler => {
                end_and_commit();
                (driver.add_completed_handler)(command_buffer, ignore, std::ptr::null_mut());
            }
            Misuse::LateScheduledHandler => {
                end_and_commit();
                (driver.add_scheduled_handler)(command_buffer, ignore, std::ptr::null_mut());
            }
            Misuse::EncodeAfterCommit => {
                end_and_commit();
                let late = (driver.compute_encoder)(command_buffer);
                (driver.end_encoding)(late);
            }
            Misuse::Unended => {
                (driver.release)(command_buffer);
                done.asked = 0;
                done.asked_checksum = 0;
                done.read_executed(driver);
                return Ok(done);
            }
        }
        (driver.wait)(command_buffer);
        done.read_executed(driver);
        for object in [command_buffer, queue, event, pipeline, buffer, device] {
            (driver.release)(object);
        }
        done.live_encoders = (driver.live_encoders)();
    }
    Ok(done)
}
