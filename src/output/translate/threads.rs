//! Threads and their frames.

use super::layout::Layout;
use super::{Page, Threads, TranslateOptions, registers, visible};
use crate::reports::Report;
use crate::reports::model::{Frame, Thread};
use crate::reports::symbols;

pub(super) fn write(page: &mut Page, report: &Report, layout: Layout, options: &TranslateOptions) {
    if !report.last_exception_backtrace.is_empty() {
        page.line("Last Exception Backtrace:");
        frames(page, report, &report.last_exception_backtrace, options);
        page.blank();
    }
    for (index, thread) in report.threads.iter().enumerate() {
        if options.threads != Threads::All && options.threads != Threads::One(index) {
            continue;
        }
        heading(page, index, thread, layout);
        frames(page, report, &thread.frames, options);
        page.blank();
    }
    let Some(index) = report.faulting_thread else {
        return;
    };
    if let Some(thread) = report.threads.get(index)
        && (options.threads == Threads::All || options.threads == Threads::One(index))
    {
        page.blank();
        registers::write(page, index, thread);
    }
}

/// `Thread 0 Crashed:: name Dispatch queue: label`; on devices, name and label have their own line.
fn heading(page: &mut Page, index: usize, thread: &Thread, layout: Layout) {
    let mut label = String::new();
    let named = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (name, queue) = (named(&thread.name), named(&thread.queue));
    if name.is_some() || queue.is_some() {
        label = format!(" {}", visible(&name.unwrap_or_default()));
    }
    if let Some(queue) = queue {
        label = label + " Dispatch queue: " + &visible(&queue);
    }
    let crashed = if thread.triggered { " Crashed" } else { "" };
    if layout == Layout::Device {
        if !label.is_empty() {
            page.line(&format!("Thread {index} name: {label}"));
        }
        page.line(&format!("Thread {index}{crashed}:"));
    } else if label.is_empty() {
        page.line(&format!("Thread {index}{crashed}:"));
    } else {
        page.line(&format!("Thread {index}{crashed}::{label}"));
    }
}

fn frames(page: &mut Page, report: &Report, frames: &[Frame], options: &TranslateOptions) {
    for (number, frame) in frames.iter().enumerate() {
        let image = report.image_of(frame);
        let name = visible(
            image
                .and_then(|image| image.name.as_deref())
                .unwrap_or("???"),
        );
        let address = report.address_of(frame).unwrap_or_default();
        page.put(format_args!("{number:<3} {name:<30}\t{address:#18x} "));
        match (&frame.symbol, image.and_then(|image| image.base)) {
            (Some(symbol), _) => symbol_of(page, symbol, frame, options),
            (None, Some(base)) if image.is_some_and(|image| image.name.is_some()) => {
                let offset = frame.image_offset.unwrap_or_default();
                page.put(format_args!("{base:#x} + {offset}"));
            }
            (None, _) => page.put(format_args!("???")),
        }
        page.blank();
    }
}

fn symbol_of(page: &mut Page, symbol: &str, frame: &Frame, options: &TranslateOptions) {
    let symbol = visible(symbol);
    if options.demangle {
        page.put(format_args!("{}", symbols::demangle(&symbol)));
    } else {
        page.put(format_args!("{symbol}"));
    }
    if let Some(location) = frame.symbol_location {
        page.put(format_args!(" + {location}"));
    }
    // A file without a line is not written.
    if let (Some(file), Some(line)) = (&frame.source_file, frame.source_line) {
        page.put(format_args!(" ({}:{line})", visible(file)));
    }
    if frame.inline {
        page.put(format_args!(" [inlined]"));
    }
}
