//! A sample of every thread.

use super::{Page, SHOWN, WIDTH, mebibytes, more};
use crate::output::translate::process;
use crate::reports::events::{Blame, Blamed, SampledFrame, SampledProcess, Stackshot};

pub(super) fn write(page: &mut Page, stackshot: &Stackshot) {
    page.pair_of(WIDTH, "Reason", stackshot.reason.as_ref());
    let sampled = format!(
        "{} in {} processes",
        stackshot.thread_count,
        stackshot.processes.len()
    );
    page.pair(WIDTH, "Sampled Threads", &sampled);
    for note in &stackshot.notes {
        page.pair(WIDTH, "Note", note);
    }
    page.blank();
    busiest(page, stackshot);
    waiting(page, stackshot);
    if let Some(blamed) = &stackshot.blamed {
        stacks(page, stackshot, blamed);
    }
}

fn name(of: &SampledProcess) -> String {
    process(of.name.as_deref(), of.pid).unwrap_or_else(|| "???".to_owned())
}

fn busiest(page: &mut Page, stackshot: &Stackshot) {
    page.line("Most threads:");
    for one in stackshot.busiest(SHOWN) {
        let cpu = one.cpu_seconds.map(|seconds| format!("{seconds:.1} s"));
        let memory = one.resident_bytes.map(mebibytes);
        let threads = Some(format!("{} threads", one.thread_count));
        let facts: Vec<String> = [cpu, memory, threads].into_iter().flatten().collect();
        page.lines(&format!("  {}  {}", name(one), facts.join(", ")));
    }
    more(page, stackshot.processes.len());
    page.blank();
}

fn waiting(page: &mut Page, stackshot: &Stackshot) {
    let blocked = stackshot
        .processes
        .iter()
        .filter(|one| !one.blocked.is_empty());
    let blocked: Vec<&SampledProcess> = blocked.collect();
    if blocked.is_empty() {
        return;
    }
    page.line("Waiting:");
    for one in blocked.iter().take(SHOWN) {
        for sentence in &one.blocked {
            page.lines(&format!("  {}  {sentence}", name(one)));
        }
    }
    more(page, blocked.len());
    page.blank();
}

fn stacks(page: &mut Page, stackshot: &Stackshot, blamed: &Blamed) {
    let why = match blamed.why {
        Blame::Subject => "which the report is about",
        Blame::Panicked => "on whose behalf the kernel ran",
        Blame::Frontmost => "which was frontmost",
    };
    let who = process(blamed.name.as_deref(), blamed.pid).unwrap_or_else(|| "???".to_owned());
    page.lines(&format!("{who}, {why}:"));
    for (number, thread) in blamed.threads.iter().enumerate() {
        let mut title = format!("  Thread {number}");
        for text in thread.name.iter().chain(&thread.queue) {
            title = title + "  " + text;
        }
        if !thread.states.is_empty() {
            title = format!("{title}  ({})", thread.states.join(", "));
        }
        page.lines(&title);
        for frame in thread.kernel_frames.iter().chain(&thread.user_frames) {
            page.lines(&place(stackshot, *frame));
        }
    }
}

/// Samples name images by their identifiers alone.
fn place(stackshot: &Stackshot, frame: SampledFrame) -> String {
    let image = stackshot
        .image_of(frame)
        .and_then(|image| image.uuid.as_deref());
    format!("    {} + {:#x}", image.unwrap_or("???"), frame.offset)
}
