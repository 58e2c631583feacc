//! Reports that tell of no crashed process: what they are about, in a few lines.

use super::{Page, process};
use crate::reports::events::{
    Details, Gpu, HeavyFrame, Jetsam, JetsamProcess, Panic, Resource, Watchdog,
};
use crate::reports::{Report, time};

mod stackshot;

/// The column of values.
const WIDTH: usize = 23;

/// How many entries of a list are shown before the rest is counted.
const SHOWN: usize = 10;

pub(super) fn write(page: &mut Page, report: &Report) {
    page.pair(WIDTH, "Report", &report.kind.describe());
    let who = process(report.process_name(), report.process.pid);
    page.pair_of(WIDTH, "Process", who);
    page.pair_of(WIDTH, "Path", report.process.path.as_ref());
    page.pair_of(WIDTH, "Date/Time", report.time().as_ref().map(time::format));
    page.pair_of(WIDTH, "OS Version", report.header.os_version.as_ref());
    page.pair_of(WIDTH, "Hardware Model", report.system.model.as_ref());
    page.pair_of(WIDTH, "Incident Identifier", report.incident());
    for note in &report.notes {
        page.pair(WIDTH, "Note", note);
    }
    let Some(details) = &report.details else {
        return;
    };
    page.blank();
    match details {
        Details::Gpu(gpu) => graphics(page, gpu),
        Details::Jetsam(jetsam) => memory(page, jetsam),
        Details::Panic(panic) => kernel(page, panic),
        Details::ForcedReset(reset) => {
            if let Some(panic) = &reset.panic {
                kernel(page, panic);
            }
        }
        Details::Watchdog(watchdog) => waited(page, watchdog),
        Details::Resource(resource) => used(page, resource),
        Details::Stackshot(_) => {}
    }
    if let Some(stackshot) = details.stackshot() {
        stackshot::write(page, stackshot);
    }
}

fn graphics(page: &mut Page, gpu: &Gpu) {
    page.pair_of(WIDTH, "Local Time", gpu.local_time);
    let reason = match (&gpu.reason, gpu.reason_code) {
        (Some(reason), Some(code)) => Some(format!("{reason} ({code})")),
        (Some(reason), None) => Some(reason.clone()),
        (None, code) => code.map(|code| code.to_string()),
    };
    page.pair_of(WIDTH, "Restart Reason", reason);
    page.pair_of(WIDTH, "Signature", gpu.signature.as_ref());
    page.pair_of(WIDTH, "Data Master", gpu.data_master);
    page.pair_of(WIDTH, "Command Buffer", gpu.trace_id);
    if let Some(fault) = &gpu.page_fault {
        let access = if fault.is_read { "read" } else { "write" };
        let address = fault
            .address
            .map(|address| format!("{access} at {address:#x}"));
        page.pair_of(WIDTH, "Page Fault", address);
        page.pair_of(WIDTH, "Page Table Level", fault.level);
        page.pair_of(WIDTH, "Requestor", fault.requestor);
    }
    page.pair_of(WIDTH, "Graphics Hardware", gpu.hardware.as_ref());
    page.pair_of(WIDTH, "Hung Channels", gpu.hung_channels.as_ref());
}

fn memory(page: &mut Page, jetsam: &Jetsam) {
    page.pair_of(WIDTH, "Largest Process", jetsam.largest_process.as_ref());
    page.pair(WIDTH, "Processes", &jetsam.process_count.to_string());
    let status = &jetsam.memory;
    for (key, pages) in [
        ("Free", status.free),
        ("Active", status.active),
        ("Inactive", status.inactive),
        ("Wired", status.wired),
        ("Compressor", status.compressor),
    ] {
        page.pair_of(WIDTH, key, pages.map(|pages| size(jetsam, pages)));
    }
    page.blank();
    processes(page, jetsam, "Killed:", &jetsam.killed);
    processes(page, jetsam, "Largest:", &jetsam.largest);
}

fn processes(page: &mut Page, jetsam: &Jetsam, title: &str, listed: &[JetsamProcess]) {
    if listed.is_empty() {
        return;
    }
    page.line(title);
    for one in listed.iter().take(SHOWN) {
        let who = process(one.name.as_deref(), one.pid).unwrap_or_else(|| "???".to_owned());
        let resident = one.resident_pages.map(|pages| size(jetsam, pages));
        let facts = [resident, one.reason.clone(), listed_states(&one.states)];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        page.lines(&format!("  {who}  {}", facts.join(", ")));
    }
    more(page, listed.len());
    page.blank();
}

fn listed_states(states: &[String]) -> Option<String> {
    (!states.is_empty()).then(|| states.join(" "))
}

/// Pages as an amount of memory, where the size of one is known.
fn size(jetsam: &Jetsam, pages: u64) -> String {
    match jetsam.bytes(pages) {
        Some(bytes) => mebibytes(bytes),
        None => format!("{pages} pages"),
    }
}

fn mebibytes(bytes: u64) -> String {
    const MEBIBYTE: u64 = 1024 * 1024;
    format!("{} MiB", bytes / MEBIBYTE)
}

fn kernel(page: &mut Page, panic: &Panic) {
    if let Some(message) = &panic.message {
        page.lines(&format!("panic: {message}"));
    }
    page.pair_of(WIDTH, "Processor", panic.cpu);
    let caller = panic.caller.map(|caller| format!("{caller:#018x}"));
    page.pair_of(WIDTH, "Caller", caller);
    if let Some(task) = &panic.task {
        page.pair_of(
            WIDTH,
            "Panicked Task",
            process(task.name.as_deref(), task.pid),
        );
    }
    page.pair_of(WIDTH, "Panicked Thread", panic.thread);
    page.pair_of(WIDTH, "Build", panic.os_build.as_ref());
    page.pair_of(WIDTH, "Kernel", panic.kernel.as_ref());
    page.pair_of(WIDTH, "Product", panic.product.as_ref());
}

fn waited(page: &mut Page, watchdog: &Watchdog) {
    page.pair_of(WIDTH, "Display", watchdog.display_state.as_ref());
    page.pair_of(
        WIDTH,
        "Thermal Pressure",
        watchdog.thermal_pressure.as_ref(),
    );
    for note in &watchdog.notes {
        page.pair(WIDTH, "Note", note);
    }
}

fn used(page: &mut Page, resource: &Resource) {
    page.pair_of(WIDTH, "Event", resource.event.as_ref());
    page.pair_of(WIDTH, "Observed", resource.observed.as_ref());
    page.pair_of(WIDTH, "Action Taken", resource.action.as_ref());
    let duration = resource.seconds.map(|seconds| format!("{seconds} seconds"));
    page.pair_of(WIDTH, "Duration", duration);
    page.pair_of(WIDTH, "Hardware Model", resource.hardware.as_ref());
    if resource.heaviest.is_empty() {
        return;
    }
    page.blank();
    page.line("Heaviest stack, outermost frame first:");
    for frame in &resource.heaviest {
        page.lines(&heavy(frame));
    }
}

fn heavy(frame: &HeavyFrame) -> String {
    let image = frame.image.as_deref().unwrap_or("???");
    let place = match (&frame.symbol, frame.image_offset, frame.address) {
        (Some((symbol, offset)), ..) => format!("{symbol} + {offset}"),
        (None, Some(offset), _) => format!("+ {offset:#x}"),
        (None, None, Some(address)) => format!("{address:#x}"),
        (None, None, None) => "???".to_owned(),
    };
    format!("  {:>5}  {image:<30} {place}", frame.samples)
}

/// Says how many entries of a list were not shown.
fn more(page: &mut Page, count: usize) {
    if let Some(rest) = count.checked_sub(SHOWN).filter(|rest| *rest > 0) {
        page.line(&format!("  and {rest} more"));
    }
}
