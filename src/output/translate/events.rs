//! Reports that tell of no crashed process: what they are about, in a few lines.

use super::{Page, process};
use crate::reports::{Report, time};

/// The column of values.
const WIDTH: usize = 23;

pub(super) fn write(page: &mut Page, report: &Report) {
    page.pair(WIDTH, "Report", &report.kind.describe());
    page.pair_of(WIDTH, "Process", process(report.process_name(), report.process.pid));
    page.pair_of(WIDTH, "Path", report.process.path.as_ref());
    page.pair_of(WIDTH, "Date/Time", report.time().as_ref().map(time::format));
    page.pair_of(WIDTH, "OS Version", report.header.os_version.as_ref());
    page.pair_of(WIDTH, "Hardware Model", report.system.model.as_ref());
    page.pair_of(WIDTH, "Incident Identifier", report.incident());
    if let Some(gpu) = &report.gpu {
        page.pair_of(WIDTH, "Restart Reason", gpu.restart_reason.as_ref());
        page.pair_of(WIDTH, "Signature", gpu.signature);
    }
    for note in &report.notes {
        page.pair(WIDTH, "Note", note);
    }
}
