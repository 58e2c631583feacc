//! Who crashed, when, and on which system.

use super::layout::Layout;
use super::{Page, process};
use crate::reports::{Report, time};

pub(super) fn write(page: &mut Page, report: &Report, layout: Layout) {
    const RULE: &str = "-------------------------------------";
    page.line(RULE);
    page.line("Translated Report (Full Report Below)");
    page.line(RULE);
    if layout != Layout::Unified {
        page.blank();
    }
    identity(page, report, layout);
    page.blank();
    origin(page, report, layout);
    page.blank();
    if layout == Layout::Unified {
        page.pair_of(
            21,
            "Crash Reporter Key",
            report.system.reporter_key.as_ref(),
        );
        page.pair_of(21, "Incident Identifier", report.incident());
        page.blank();
    }
    if !layout.is_embedded() {
        state(page, report, layout);
        crashed_thread(page, report, layout);
    }
}

fn identity(page: &mut Page, report: &Report, layout: Layout) {
    let width = width(layout);
    let (of, system) = (&report.process, &report.system);
    if layout.is_embedded() {
        page.pair_of(width, "Incident Identifier", report.incident());
        page.pair_of(width, "CrashReporter Key", system.reporter_key.as_ref());
        page.pair_of(width, "Hardware Model", system.model.as_ref());
    }
    page.pair_of(width, "Process", process(report.process_name(), of.pid));
    page.pair_of(width, "Path", of.path.as_ref());
    let identifier = of.bundle.identifier.as_deref().or(report.process_name());
    page.pair_of(width, "Identifier", identifier);
    page.pair(width, "Version", &version(report));
    page.pair_of(width, "Code Type", code_type(report));
    if layout != Layout::Mac {
        page.pair_of(width, "Role", of.role.as_ref());
    }
    let parent = process(of.parent_name.as_deref(), of.parent_pid);
    page.pair_of(width, "Parent Process", parent);
    if layout != Layout::Mac
        && let (Some(name), Some(id)) = (&of.coalition_name, of.coalition_id)
    {
        page.pair(width, "Coalition", &format!("{name} [{id}]"));
    }
    // A number without a name is written as nothing.
    if let Some(name) = of.responsible_name.as_deref() {
        let key = if layout == Layout::Mac {
            "Responsible"
        } else {
            "Responsible Process"
        };
        page.pair_of(width, key, process(Some(name), of.responsible_pid));
    }
    if !layout.is_embedded() {
        page.pair_of(width, "User ID", of.user_id);
    }
}

fn origin(page: &mut Page, report: &Report, layout: Layout) {
    let width = width(layout);
    let (of, system) = (&report.process, &report.system);
    page.pair_of(width, "Date/Time", report.time().as_ref().map(time::format));
    if layout != Layout::Mac {
        let launched = of.launched.as_ref().map(time::format);
        page.pair_of(width, "Launch Time", launched);
    }
    if layout == Layout::Unified {
        page.pair_of(width, "Hardware Model", system.model.as_ref());
    }
    let release = match (&system.release, &system.build) {
        (Some(release), Some(build)) => Some(format!("{release} ({build})")),
        (Some(release), None) => Some(release.clone()),
        (None, _) => report.header.os_version.clone(),
    };
    page.pair_of(width, "OS Version", release);
    match layout {
        Layout::Mac => {
            page.pair(width, "Report Version", "12");
            if let (Some(release), Some(build)) = (&system.bridge_release, &system.bridge_build) {
                page.pair(width, "Bridge OS Version", &format!("{release} ({build})"));
            }
            page.pair_of(width, "Anonymous UUID", system.reporter_key.as_ref());
        }
        Layout::Unified => page.pair_of(width, "Release Type", system.release_type.as_ref()),
        Layout::Simulator | Layout::Device => {
            page.pair_of(width, "Release Type", system.release_type.as_ref());
            page.pair_of(width, "Baseband Version", system.baseband.as_ref());
            page.pair(width, "Report Version", "104");
        }
    }
}

/// For how long the system was awake, and how it was protected.
fn state(page: &mut Page, report: &Report, layout: Layout) {
    const WIDTH: usize = 23;
    let system = &report.system;
    if let Some(uuid) = &system.sleep_wake {
        page.pair(WIDTH, "Sleep/Wake UUID", uuid);
        page.blank();
    } else if layout == Layout::Mac {
        page.blank();
    }
    let seconds = |count: u64| format!("{count} seconds");
    page.pair_of(WIDTH, "Time Awake Since Boot", system.uptime.map(seconds));
    page.pair_of(WIDTH, "Time Since Wake", system.since_wake.map(seconds));
    if system.uptime.is_some() || system.since_wake.is_some() {
        page.blank();
    }
    if let Some(state) = &system.integrity_protection {
        page.pair(29, "System Integrity Protection", state);
        page.blank();
    }
}

fn crashed_thread(page: &mut Page, report: &Report, layout: Layout) {
    let Some(index) = report.faulting_thread else {
        return;
    };
    let mut value = index.to_string();
    if let Some(thread) = report.threads.get(index) {
        if let Some(name) = thread.name.as_deref().filter(|name| !name.is_empty()) {
            value = value + "  " + name;
        }
        if let Some(queue) = thread.queue.as_deref().filter(|queue| !queue.is_empty()) {
            value += if layout == Layout::Mac {
                "  Dispatch queue: "
            } else {
                ", Dispatch Queue: "
            };
            value += queue;
        }
    }
    let key = if layout == Layout::Mac {
        "Crashed Thread"
    } else {
        "Triggered by Thread"
    };
    page.pair(width(layout), key, &value);
    page.blank();
}

/// The column of values in the upper part.
pub(super) fn width(layout: Layout) -> usize {
    match layout {
        Layout::Mac => 23,
        Layout::Unified | Layout::Simulator | Layout::Device => 21,
    }
}

fn version(report: &Report) -> String {
    let bundle = &report.process.bundle;
    match (&bundle.short_version, &bundle.version) {
        (Some(short), Some(build)) => format!("{short} ({build})"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => "???".to_owned(),
    }
}

fn code_type(report: &Report) -> Option<String> {
    let how = if report.process.translated {
        "Translated"
    } else {
        "Native"
    };
    let cpu = report.process.cpu_type.as_deref()?;
    Some(format!("{cpu} ({how})"))
}
