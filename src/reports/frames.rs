//! Which frame of a crashed thread tells where it crashed.

use super::model::{Frame, Report};

/// Functions that carry out an abort or report a failure: the frame below them is the one to name.
/// From the stacks of real reports; the last are glibc's.
const PLUMBING: [&str; 28] = [
    "__pthread_kill",
    "pthread_kill",
    "__kill",
    "kill",
    "raise",
    "abort",
    "__abort",
    "abort_with_reason",
    "abort_with_payload",
    "__abort_with_payload",
    "abort_with_payload_wrapper_internal",
    "abort_message",
    "__assert_rtn",
    "_sigtramp",
    "MTLReportFailure",
    "objc_exception_throw",
    "__exceptionPreprocess",
    "_objc_terminate()",
    "__cxa_throw",
    "__cxa_rethrow",
    "std::terminate()",
    "std::__terminate(void (*)())",
    "demangling_terminate_handler()",
    "default_terminate_handler()",
    "__pthread_kill_implementation",
    "__pthread_kill_internal",
    "__assert_fail",
    "__assert_fail_base",
];

/// Beginnings of such functions' names: Rust's carry a hash at their end.
const PLUMBING_PREFIXES: [&str; 8] = [
    "MTLReportFailure",
    "std::sys::pal::unix::abort_internal::",
    "std::process::abort::",
    "std::panicking::",
    "core::panicking::",
    "panic_abort::",
    "__rust_start_panic",
    "rust_panic",
];

/// The frame that tells where the thread crashed: the innermost one that is not part of raising
/// the failure, else the innermost. For an uncaught Objective-C exception that is where it was
/// thrown.
pub fn telling_frame(report: &Report) -> Option<&Frame> {
    let thrown = report.last_exception_backtrace.iter();
    let crashed = report.crashed_frames();
    thrown
        .chain(crashed)
        .find(|frame| !is_plumbing(frame))
        .or_else(|| crashed.first())
}

fn is_plumbing(frame: &Frame) -> bool {
    let symbol = frame.symbol.as_deref();
    symbol.is_some_and(|symbol| {
        PLUMBING.contains(&symbol)
            || PLUMBING_PREFIXES
                .iter()
                .any(|prefix| symbol.starts_with(prefix))
    })
}

/// Image and symbol of [`telling_frame`]: ``AGXMetalG16X`-[AGXG16XFamilyComputeContext …] + 32``,
/// the form in which debuggers write it.
pub fn crashed_in(report: &Report) -> Option<String> {
    describe(report, telling_frame(report)?)
}

/// One frame in the same form; `None` where it has neither image, symbol nor offset.
pub fn describe(report: &Report, frame: &Frame) -> Option<String> {
    let image = report.image_name(frame).unwrap_or("???");
    match (&frame.symbol, frame.symbol_location, frame.image_offset) {
        (Some(symbol), Some(location), _) => Some(format!("{image}`{symbol} + {location}")),
        (Some(symbol), None, _) => Some(format!("{image}`{symbol}")),
        (None, _, Some(offset)) => Some(format!("{image} + {offset:#x}")),
        (None, _, None) => report.image_name(frame).map(str::to_owned),
    }
}
