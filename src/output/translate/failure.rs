//! The exception, who ended the process, and what was left to be said.

use super::layout::Layout;
use super::{Page, head, process};
use crate::reports::Report;
use crate::reports::model::Termination;

pub(super) fn write(page: &mut Page, report: &Report, layout: Layout) {
    exception(page, report, layout);
    if layout.is_embedded() {
        region(page, report);
        termination(page, report, layout);
        page.blank();
        if let Some(index) = report.faulting_thread {
            page.pair(22, "Triggered by Thread", &index.to_string());
            page.blank();
        }
        triage(page, report);
        information(page, report);
    } else {
        page.blank();
        if report.termination.is_some() {
            termination(page, report, layout);
            page.blank();
        }
        if layout == Layout::Unified {
            page.blank();
        }
        if region(page, report) {
            page.blank();
        }
        triage(page, report);
        information(page, report);
    }
}

fn exception(page: &mut Page, report: &Report, layout: Layout) {
    let width = match layout {
        Layout::Mac => 23,
        Layout::Unified => 19,
        Layout::Simulator | Layout::Device => 17,
    };
    page.pair_of(width, "Exception Type", report.exception_title());
    let Some(exception) = &report.exception else {
        return;
    };
    let subtype = if layout == Layout::Mac {
        "Exception Codes"
    } else {
        "Exception Subtype"
    };
    page.pair_of(width, subtype, exception.subtype.as_ref());
    page.pair_of(width, "Exception Codes", exception.codes.as_ref());
    page.pair_of(width, "Exception Message", exception.message.as_ref());
    if report.process.is_corpse {
        page.pair(width, "Exception Note", "EXC_CORPSE_NOTIFY");
    }
}

fn termination(page: &mut Page, report: &Report, layout: Layout) {
    let Some(termination) = &report.termination else {
        return;
    };
    // The embedded layouts do not put values in columns here.
    let width = if layout.is_embedded() {
        "Termination Reason: ".len()
    } else {
        head::width(layout)
    };
    page.pair_of(width, "Termination Reason", reason(termination, layout));
    for reason in &termination.reasons {
        page.lines(reason);
    }
    let by = process(termination.by_process.as_deref(), termination.by_pid);
    let width = if layout.is_embedded() { 21 } else { width };
    page.pair_of(width, "Terminating Process", by);
}

fn reason(termination: &Termination, layout: Layout) -> Option<String> {
    let namespace = termination.namespace.as_deref()?;
    let code = termination.code?;
    let mut text = if layout.is_embedded() {
        format!("{namespace} {code}")
    } else {
        format!("Namespace {namespace}, Code {code}")
    };
    if let Some(indicator) = &termination.indicator {
        text += if layout == Layout::Unified { ", " } else { " " };
        text += indicator;
    }
    Some(text)
}

/// Whether there was something to write.
fn region(page: &mut Page, report: &Report) -> bool {
    let Some(info) = &report.vm_region_info else {
        return false;
    };
    page.lines(&format!("VM Region Info: {info}"));
    true
}

fn triage(page: &mut Page, report: &Report) {
    if let Some(triage) = &report.kernel_triage {
        page.line("Kernel Triage:");
        page.lines(triage);
        page.blank();
    }
}

fn information(page: &mut Page, report: &Report) {
    let mut messages = report
        .asi
        .iter()
        .flat_map(|image| &image.messages)
        .peekable();
    if messages.peek().is_some() {
        page.line("Application Specific Information:");
        for message in messages {
            page.lines(message);
        }
        page.blank();
        page.blank();
    }
    for (index, backtrace) in report.asi_backtraces.iter().enumerate() {
        page.line(&format!("Application Specific Backtrace {index}:"));
        page.lines(backtrace.trim_end_matches('\n'));
        page.blank();
    }
}
