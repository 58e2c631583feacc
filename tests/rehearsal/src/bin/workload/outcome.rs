//! How a run ended, for people and for a program that runs many.

use crate::application::Done;
use crate::arguments::{Arguments, Fault};

/// How a run ended that did not crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// All that was asked for was done, and nothing is left.
    Ok,
    /// Work was lost, or done otherwise.
    Dropped,
    /// Encoders are left when everything was released.
    Leak,
    /// The GPU gave command buffers up.
    GpuError,
    /// It did not end in time.
    Hang,
}

impl Outcome {
    /// Of a run that ended. A lost command buffer is a GPU error first: the work it lacks is no fix library's doing.
    pub fn of(done: &Done, scenario: bool) -> Self {
        if done.gpu_errors > 0 {
            Self::GpuError
        } else if done.lost_work() {
            Self::Dropped
        } else if scenario && done.live_encoders > 0 {
            Self::Leak
        } else {
            Self::Ok
        }
    }

    /// The name in the summary.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Dropped => "dropped",
            Self::Leak => "leak",
            Self::GpuError => "gpu-error",
            Self::Hang => "hang",
        }
    }

    /// The process's exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Dropped => 3,
            Self::Leak => 4,
            Self::GpuError => 5,
            Self::Hang => 6,
        }
    }

    /// What went wrong, in one line.
    pub fn complaint(self, done: &Done) -> Option<String> {
        Some(match self {
            Self::Ok => return None,
            Self::Dropped => format!(
                "work was lost: {} dispatches asked, {} executed",
                done.asked, done.executed
            ),
            Self::Leak => format!("{} encoders are left", done.live_encoders),
            Self::GpuError => format!("the GPU gave up {} command buffers", done.gpu_errors),
            Self::Hang => "the run did not end in time".to_owned(),
        })
    }
}

/// The summary as one line of JSON. All strings in it are names of this program.
pub fn json(arguments: &Arguments, outcome: Outcome, done: &Done) -> String {
    let scenario = arguments
        .scenario
        .map_or_else(|| "null".to_owned(), |it| format!("\"{}\"", it.name));
    let fault = match arguments.fault {
        Fault::Driver(name) => format!("\"{name}\""),
        Fault::Misuse(misuse) => format!("\"{}\"", misuse.name()),
    };
    format!(
        "{{\"scenario\":{scenario},\"fault\":{fault},\"seed\":{},\"threads\":{},\"outcome\":\"{}\",\
         \"iterations\":{},\"handled\":{},\"asked\":{},\"executed\":{},\"checksum_matches\":{},\
         \"live_encoders\":{},\"gpu_errors\":{}}}",
        arguments.seed,
        arguments.threads,
        outcome.name(),
        done.iterations,
        done.handled,
        done.asked,
        done.executed,
        done.asked_checksum == done.executed_checksum,
        done.live_encoders,
        done.gpu_errors,
    )
}
