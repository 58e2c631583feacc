//! What was mapped, and what follows it.

use super::layout::Layout;
use super::{Page, visible};
use crate::reports::Report;
use crate::reports::model::{Image, TaskCalls};

pub(super) fn write(page: &mut Page, report: &Report, layout: Layout) {
    page.line("Binary Images:");
    for image in &report.images {
        line(page, image, layout);
    }
    page.blank();
    if layout.is_embedded() {
        page.line("EOF");
        page.blank();
        return;
    }
    if let Some(calls) = &report.external_modifications {
        page.line("External Modification Summary:");
        let groups = [
            ("other processes targeting this process", &calls.targeted),
            ("this process", &calls.caller),
            ("all processes on this machine", &calls.system),
        ];
        for (who, calls) in groups {
            page.line(&format!("  Calls made by {who}:"));
            count(page, calls);
        }
        page.blank();
    }
    if let Some(summary) = &report.vm_summary {
        page.line("VM Region Summary:");
        page.lines(summary);
        page.blank();
    }
    if layout == Layout::Mac {
        page.blank();
    }
}

fn line(page: &mut Page, image: &Image, layout: Layout) {
    let base = image.base.unwrap_or_default();
    // An image that is not there has no bytes, and so ends before it begins.
    let end = base
        .wrapping_add(image.size.unwrap_or_default())
        .wrapping_sub(1);
    let shown = |text: &Option<String>, other: &str| visible(text.as_deref().unwrap_or(other));
    let (uuid, path) = (shown(&image.uuid, "???"), shown(&image.path, "???"));
    if layout == Layout::Device {
        let (name, arch) = (shown(&image.name, "???"), shown(&image.arch, "???"));
        let uuid = uuid.replace('-', "");
        page.put(format_args!(
            "{base:#18x} - {end:#18x} {name} {arch}  <{uuid}> {path}\n"
        ));
        return;
    }
    let name = image.identifier.as_deref().or(image.name.as_deref());
    let name = visible(name.unwrap_or("???"));
    let version = shown(&image.short_version, "*");
    page.put(format_args!(
        "{base:#18x} - {end:#18x} {name} ({version}) <{uuid}> {path}\n"
    ));
}

fn count(page: &mut Page, calls: &TaskCalls) {
    for (call, times) in [
        ("task_for_pid", calls.task_for_pid),
        ("thread_create", calls.thread_create),
        ("thread_set_state", calls.thread_set_state),
    ] {
        page.line(&format!("    {call}: {}", times.unwrap_or_default()));
    }
}
