//! Which frame of a crash tells where it happened.

use crate::reports::model::{Frame, Report};

/// Beginnings of the names of images that only carry out what others asked for: the C library and
/// its threads, dispatch, the loader, the Objective-C and C++ runtimes, and what writes reports; then
/// the C library and the loader of Linux.
const RUNTIME_IMAGES: [&str; 11] = [
    "libsystem_",
    "libdispatch.dylib",
    "libdyld.dylib",
    "dyld",
    "libobjc.A.dylib",
    "libc++abi.dylib",
    "libc++.1.dylib",
    "CrashReporterSupport",
    "libc.so",
    "libpthread.so",
    "ld-linux",
];

/// Functions of other images that raise a failure, or that a failure of their caller's passes
/// through. From the stacks of public reports.
const RAISING: [&str; 47] = [
    // Signals and aborts, where the image is not told or linked statically.
    "__pthread_kill",
    "pthread_kill",
    "__kill",
    "kill",
    "raise",
    "gsignal",
    "abort",
    "__abort",
    "abort_with_reason",
    "abort_with_payload",
    "__abort_with_payload",
    "abort_with_payload_wrapper_internal",
    "_sigtramp",
    "__pthread_kill_implementation",
    "__pthread_kill_internal",
    "__restore_rt",
    // Assertions.
    "__assert_rtn",
    "__assert_fail",
    "__assert_fail_base",
    "ggml_abort",
    "ggml_print_backtrace",
    // Exceptions of Objective-C, messages that nobody understands, and what Cocoa does with both.
    "objc_exception_throw",
    "objc_exception_rethrow",
    "__exceptionPreprocess",
    "-[NSException raise]",
    "+[NSException raise:format:]",
    "+[NSException raise:format:arguments:]",
    "-[NSObject(NSObject) doesNotRecognizeSelector:]",
    "_userInfoForFileAndLine",
    "___forwarding___",
    "_CF_forwarding_prep_0",
    "-[NSApplication reportException:]",
    "-[NSApplication _crashOnException:]",
    // Exceptions of C++.
    "abort_message",
    "_objc_terminate()",
    "__cxa_throw",
    "__cxa_rethrow",
    "std::terminate()",
    "std::__terminate(void (*)())",
    "demangling_terminate_handler()",
    "default_terminate_handler()",
    // Counting of references.
    "CF_IS_OBJC",
    "CFRelease",
    "CFRetain",
    "_CFRelease",
    "swift_retain",
    "swift_release",
];

/// Beginnings of such functions' names: signatures of Swift's differ, and names of Rust's carry a
/// hash at their end. The last is the rehearsal's.
const RAISING_PREFIXES: [&str; 22] = [
    "MTLReportFailure",
    "objc_msgSend",
    "objc_retain",
    "objc_release",
    "objc_autorelease",
    "-[NSAssertionHandler handleFailureIn",
    "_assertionFailure",
    "specialized _assertionFailure",
    "_fatalErrorMessage",
    "swift_unexpectedError",
    "swift_dynamicCastFailure",
    "std::sys::pal::unix::abort_internal",
    "std::process::abort",
    "std::panicking::",
    "core::panicking::",
    "panic_abort::",
    "__rust_start_panic",
    "rust_panic",
    "std::sys::backtrace::__rust_",
    "core::ops::function::FnOnce::call_once",
    "<std::sys::thread::",
    "agx_rehearsal::failure::",
];

/// Ends of such functions' names: mangled in Rust's second way, which `ReportCrash` leaves as they are (seen in public reports
/// of macOS 26), a name has the crate's hash in its middle.
const RAISING_SUFFIXES: [&str; 1] = ["_7___rustc17rust_begin_unwind"];

/// The first frame that is no part of raising the failure or of the runtime below it.
///
/// Of an uncaught Objective-C exception that is where it was thrown. Where all frames are such
/// ones, the innermost that does not raise a failure is taken, else the innermost.
///
/// Skipped are the images of the C library, the loader, the Objective-C and C++ runtimes and the
/// report writer, and in other images functions that raise a failure: `abort`, `pthread_kill`,
/// assertions of Metal, Foundation and Swift, exceptions, panics, counting of references, and the
/// functions that Rust starts a thread with.
pub fn interesting_frame(report: &Report) -> Option<&Frame> {
    let stack = telling_stack(report);
    stack
        .iter()
        .find(|frame| is_interesting(report, frame))
        .or_else(|| stack.iter().find(|frame| !raises(frame)))
        .or_else(|| stack.first())
}

/// The frames that tell: those of the thrown exception where there are any, else of the crashed
/// thread.
pub fn telling_stack(report: &Report) -> &[Frame] {
    if report.last_exception_backtrace.is_empty() {
        report.crashed_frames()
    } else {
        &report.last_exception_backtrace
    }
}

/// Whether a frame tells where a crash happened.
pub fn is_interesting(report: &Report, frame: &Frame) -> bool {
    let image = report.image_name(frame);
    let in_runtime = image.is_some_and(|image| {
        RUNTIME_IMAGES
            .iter()
            .any(|prefix| image.starts_with(prefix))
    });
    // A frame with neither symbol nor image is an address somewhere: where a wild jump went.
    let is_nameless = frame
        .symbol
        .as_deref()
        .is_none_or(|symbol| symbol.bytes().all(|byte| byte.is_ascii_digit()));
    let says_nothing = is_nameless && image.is_none_or(|image| image == "???");
    !in_runtime && !says_nothing && !raises(frame)
}

fn raises(frame: &Frame) -> bool {
    let Some(symbol) = frame.symbol.as_deref() else {
        return false;
    };
    RAISING.contains(&symbol)
        || RAISING_PREFIXES
            .iter()
            .any(|prefix| symbol.starts_with(prefix))
        || RAISING_SUFFIXES
            .iter()
            .any(|suffix| symbol.ends_with(suffix))
}
