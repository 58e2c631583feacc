//! The scenarios, as data.

use super::{Program, Scenario};
use crate::application::Style;
use crate::misuse::Misuse;
use std::time::Duration;

/// What most scenarios are: the usual application, on a driver without its races.
const USUAL: Scenario = Scenario {
    name: "",
    models: "",
    breaks: &[],
    needs_throttle: false,
    hangs: false,
    fault: "none",
    style: Style::USUAL,
    program: Program::Threads(1200),
};

/// All of them, in the order of the versions whose failures they show.
pub static SCENARIOS: [Scenario; 25] = [
    Scenario {
        name: "deadlock",
        models: "a method of an encoder sends the encoder another message: a nested call",
        breaks: &["v1"],
        hangs: true,
        style: Style {
            nested: true,
            ..Style::COMPUTE
        },
        program: Program::OneThread(20),
        ..USUAL
    },
    Scenario {
        name: "freed",
        models: "encoders are freed while other threads are handed them",
        breaks: &["v1"],
        fault: "uaf",
        style: Style::COMPUTE,
        program: Program::Threads(600),
        ..USUAL
    },
    Scenario {
        name: "first-call",
        models: "nobody but the autorelease pool owns an encoder, which so dies before its first call",
        breaks: &["v2"],
        fault: "unowned",
        program: Program::OneThread(50),
        style: Style::COMPUTE,
        ..USUAL
    },
    Scenario {
        name: "unlocked",
        models: "commands of encoders of different threads meet in what the device has once",
        breaks: &["v2.2"],
        fault: "allocator",
        style: Style::COMPUTE,
        program: Program::Threads(600),
        ..USUAL
    },
    Scenario {
        name: "end-twice",
        models: "an encoder is ended, and freed, by one thread while another waits to end it",
        breaks: &["v2.3"],
        program: Program::EndTwice,
        ..USUAL
    },
    Scenario {
        name: "untracked",
        models: "encoders come from a factory that no published version hooks, and are freed while in use",
        breaks: &["v2.4"],
        fault: "uaf",
        style: Style {
            private_factory: true,
            ..Style::COMPUTE
        },
        program: Program::Threads(600),
        ..USUAL
    },
    Scenario {
        name: "leak",
        models: "encoders are counted when everything is released",
        breaks: &["v2.4nr"],
        ..USUAL
    },
    Scenario {
        name: "open-commit",
        models: "a command buffer is committed with an open encoder, which the driver asserts against",
        breaks: &["v2.5"],
        program: Program::Misuse(Misuse::CommitOpenEncoder),
        ..USUAL
    },
    Scenario {
        name: "heavy",
        models: "commits of different threads meet in what the device has once",
        breaks: &["v2.5"],
        fault: "submission",
        program: Program::Threads(2400),
        ..USUAL
    },
    Scenario {
        name: "pool",
        models: "twice as many encoders, one after the other, as the driver's pool has room for",
        breaks: &["v2.6"],
        // Twice the driver's `LIMIT`: each command buffer takes a block.
        program: Program::OneThread(2048),
        ..USUAL
    },
    Scenario {
        name: "commit-race",
        models: "an encoder is made while another thread commits and goes on in a new command buffer",
        breaks: &["v2.7"],
        program: Program::EncodePastACommit,
        ..USUAL
    },
    Scenario {
        name: "event",
        models: "an event is signalled while another thread has an encoder open for 30 ms",
        breaks: &["v2.7"],
        program: Program::ForeignEncoder(Duration::from_millis(30)),
        ..USUAL
    },
    Scenario {
        name: "event-late",
        models: "an event is signalled while another thread has an encoder open for 300 ms, longer than a wait of 100 ms lasts",
        breaks: &["v2.8"],
        program: Program::ForeignEncoder(Duration::from_millis(300)),
        ..USUAL
    },
    Scenario {
        name: "event-own",
        models: "an event is signalled while the caller's own encoder is open",
        breaks: &["v2.9"],
        hangs: true,
        program: Program::Misuse(Misuse::SignalOpenEncoder),
        ..USUAL
    },
    Scenario {
        name: "unseen",
        models: "encoders come from a factory that no published version hooks, on a driver without its races: nothing may be lost",
        breaks: &["v2.9"],
        style: Style {
            private_factory: true,
            ..Style::COMPUTE
        },
        ..USUAL
    },
    Scenario {
        name: "fence",
        models: "compute and blit encoders update fences: one selector, two classes",
        breaks: &["v2.9"],
        style: Style {
            fences: true,
            ..Style::USUAL
        },
        ..USUAL
    },
    Scenario {
        name: "uncovered",
        models: "encoders of every kind, with methods that no published version hooks, meet in what the device has once",
        breaks: &["v2.9"],
        fault: "allocator",
        style: Style {
            mix: true,
            ..Style::USUAL
        },
        program: Program::Threads(600),
        ..USUAL
    },
    Scenario {
        name: "mixed",
        models: "encoders of every kind, on a driver without its races: nothing may be lost",
        style: Style {
            mix: true,
            ..Style::USUAL
        },
        ..USUAL
    },
    Scenario {
        name: "parallel",
        models: "threads encode the parts of one render pass, and their commands meet in what the device has once",
        fault: "allocator",
        program: Program::Parallel(10),
        ..USUAL
    },
    Scenario {
        name: "continued",
        models: "an MPSCommandBuffer commits and goes on, and commits of different threads meet in what the device has once",
        breaks: &["v2.5"],
        fault: "submission",
        style: Style {
            continues: true,
            ..Style::COMPUTE
        },
        ..USUAL
    },
    Scenario {
        name: "two-devices",
        models: "each thread uses one of two devices, whose commands race as with one",
        breaks: &["v2.2"],
        fault: "allocator",
        style: Style {
            devices: 2,
            ..Style::COMPUTE
        },
        program: Program::Threads(600),
        ..USUAL
    },
    Scenario {
        name: "wrapped",
        models: "command buffers and encoders are wrapped, as for validation, and their commands race as without",
        breaks: &["v2.2"],
        fault: "allocator",
        style: Style {
            wrapped: true,
            ..Style::COMPUTE
        },
        program: Program::Threads(600),
        ..USUAL
    },
    Scenario {
        name: "second-driver",
        models: "a driver of another family is loaded when the first one has been used, and its commands race as the first one's do",
        fault: "allocator",
        style: Style {
            devices: 2,
            second_driver: true,
            ..Style::COMPUTE
        },
        program: Program::Threads(600),
        ..USUAL
    },
    Scenario {
        name: "page-fault",
        models: "each thread keeps four command buffers in flight, and the GPU faults from three on",
        needs_throttle: true,
        fault: "page-fault",
        style: Style {
            in_flight: 4,
            ..Style::USUAL
        },
        // Each takes the GPU two milliseconds.
        program: Program::Threads(160),
        ..USUAL
    },
    Scenario {
        name: "needs-inflight",
        models: "two command buffers wait for an event that a third one, committed later, signals",
        program: Program::SignalLast,
        ..USUAL
    },
];

/// The list as a JSON array. All strings in it are of this file, without a character that JSON would escape.
pub fn json() -> String {
    let entry = |it: &Scenario| {
        let breaks: Vec<_> = it.breaks.iter().map(|name| format!("\"{name}\"")).collect();
        format!(
            "{{\"name\":\"{}\",\"models\":\"{}\",\"breaks\":[{}],\"needs_throttle\":{}}}",
            it.name,
            it.models,
            breaks.join(","),
            it.needs_throttle
        )
    };
    let entries: Vec<_> = SCENARIOS.iter().map(entry).collect();
    format!("[{}]", entries.join(","))
}

/// The list for people: a line a scenario.
pub fn text() -> String {
    let line = |it: &Scenario| format!("{:<16} {}\n", it.name, it.models);
    SCENARIOS.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_nothing_needs_escaping() {
        for (index, it) in SCENARIOS.iter().enumerate() {
            assert!(!it.name.is_empty() && !it.models.is_empty());
            assert!(SCENARIOS[..index].iter().all(|other| other.name != it.name));
            let plain = |text: &str| !text.contains(['"', '\\']) && text.is_ascii();
            assert!(plain(it.name) && plain(it.models), "{}", it.name);
        }
    }
}
