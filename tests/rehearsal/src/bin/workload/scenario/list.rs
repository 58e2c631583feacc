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
    fault: "none",
    style: Style::USUAL,
    program: Program::Threads,
};

/// All of them, in the order of the versions whose failures they show.
pub static SCENARIOS: [Scenario; 10] = [
    Scenario {
        name: "unlocked",
        models: "encoders are freed while other threads are handed them, which methods and factories outside of a lock let happen",
        breaks: &["v1", "v2.2"],
        fault: "uaf",
        ..USUAL
    },
    Scenario {
        name: "untracked",
        models: "encoders come from a factory that no published version hooks, and are freed while in use",
        breaks: &["v2.4", "v2.9"],
        fault: "uaf",
        style: Style {
            private_factory: true,
            ..Style::USUAL
        },
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
        name: "pool",
        models: "twice as many encoders, one after the other, as the driver's pool has room for",
        breaks: &["v2.6"],
        // Twice the driver's `LIMIT`: each command buffer takes a block.
        program: Program::OneThread(2048),
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
        models: "the same for 300 ms, longer than a wait of 100 ms lasts",
        breaks: &["v2.8"],
        program: Program::ForeignEncoder(Duration::from_millis(300)),
        ..USUAL
    },
    Scenario {
        name: "event-own",
        models: "an event is signalled while the caller's own encoder is open",
        breaks: &["v2.9"],
        program: Program::Misuse(Misuse::SignalOpenEncoder),
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
        name: "page-fault",
        models: "each thread keeps four command buffers in flight, and the GPU faults from three on",
        needs_throttle: true,
        fault: "page-fault",
        style: Style {
            in_flight: 4,
            ..Style::USUAL
        },
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
