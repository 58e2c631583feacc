//! Which frame of a crash tells where it happened.

use crate::reports::model::{Frame, Report};

/// Images that only carry out what others asked for: the C library and its threads, the loader, the
/// Objective-C and C++ runtimes, and what writes reports. On Linux the C library and the loader.
const RUNTIME_IMAGES: [&str; 22] = [
    "libsystem_kernel.dylib",
    "libsystem_platform.dylib",
    "libsystem_pthread.dylib",
    "libsystem_c.dylib",
    "libsystem_malloc.dylib",
    "libsystem_trace.dylib",
    "libsystem_sim_kernel.dylib",
    "libsystem_sim_platform.dylib",
    "libsystem_sim_pthread.dylib",
    "libsystem_sim_c.dylib",
    "libdispatch.dylib",
    "libdyld.dylib",
    "dyld",
    "dyld_sim",
    "libobjc.A.dylib",
    "libc++abi.dylib",
    "libc++.1.dylib",
    "libsystem_blocks.dylib",
    "CrashReporterSupport",
    "libc.so.6",
    "libpthread.so.0",
    "ld-linux-x86-64.so.2",
];

/// Functions of other images that raise a failure, or that a failure of their caller's passes
/// through. From the stacks of public reports; `*` is not a pattern here.
const RAISING: [&str; 52] = [
    // Signals and aborts, where the image is not told or statically linked.
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
    "_assertionFailure",
    "_fatalErrorMessage",
    "MTLReportFailure",
    "MTLReleaseAssertionFailure",
    // Exceptions of Objective-C, and what Cocoa does with one that nobody caught.
    "objc_exception_throw",
    "objc_exception_rethrow",
    "__exceptionPreprocess",
    "-[NSException raise]",
    "+[NSException raise:format:]",
    "+[NSException raise:format:arguments:]",
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
    // Messages to objects and their counting.
    "CF_IS_OBJC",
    "CFRelease",
    "CFRetain",
    "_CFRelease",
    "_CFRetain",
    "_CFNonObjCRelease",
    "__CF_IS_OBJC",
    // Swift's own counting and traps.
    "swift_retain",
    "swift_release",
    "swift_unexpectedError",
    "swift_dynamicCastFailure",
    // Rust's, but for those with a hash at their end.
    "__rust_start_panic",
    "rust_eh_personality",
];

/// Beginnings of such functions' names.
const RAISING_PREFIXES: [&str; 16] = [
    "MTLReportFailure",
    "objc_msgSend",
    "objc_retain",
    "objc_release",
    "objc_autorelease",
    "-[NSAssertionHandler handleFailureIn",
    "_objc_fatal",
    "Swift._assertionFailure",
    "Swift._fatalErrorMessage",
    "closure #1 in closure #1 in closure #1 in _assertionFailure",
    "_swift_release_dealloc",
    "swift::fatalError",
    "std::sys::pal::unix::abort_internal",
    "std::process::abort",
    "core::panicking::",
    "std::panicking::",
];

/// The same, of names that differ in between.
const RUST_PANIC: [&str; 3] = [
    "rust_panic",
    "panic_abort::",
    "std::sys::backtrace::__rust_end_short_backtrace",
];

/// The first frame that is no part of raising the failure or of the runtime below it.
///
/// Of an uncaught Objective-C exception that is where it was thrown. Where all frames are such
/// ones, the innermost that does not raise a failure is taken, else the innermost.
///
/// Skipped are the images of the C library, the loader, the Objective-C and C++ runtimes and the
/// report writer, and in other images functions that raise a failure: `abort`, `pthread_kill`,
/// assertions of Metal, Foundation and Swift, exceptions, counting of references.
pub fn interesting_frame(report: &Report) -> Option<&Frame> {
    let stack = stack(report);
    stack
        .iter()
        .find(|frame| is_interesting(report, frame))
        .or_else(|| stack.iter().find(|frame| !raises(frame)))
        .or_else(|| stack.first())
}

/// The frames that tell: those of the thrown exception where there are any, else of the crashed
/// thread.
pub(super) fn stack(report: &Report) -> &[Frame] {
    if report.last_exception_backtrace.is_empty() {
        report.crashed_frames()
    } else {
        &report.last_exception_backtrace
    }
}

/// Whether a frame tells where a crash happened.
pub(super) fn is_interesting(report: &Report, frame: &Frame) -> bool {
    let image = report.image_name(frame);
    let in_runtime = image.is_some_and(|image| RUNTIME_IMAGES.contains(&image));
    // A frame with neither symbol nor image is an address somewhere: where a wild jump went.
    let says_nothing = frame.symbol.is_none() && image.is_none_or(|image| image == "???");
    !in_runtime && !says_nothing && !raises(frame)
}

fn raises(frame: &Frame) -> bool {
    let Some(symbol) = frame.symbol.as_deref() else {
        return false;
    };
    RAISING.contains(&symbol)
        || RAISING_PREFIXES
            .iter()
            .chain(&RUST_PANIC)
            .any(|prefix| symbol.starts_with(prefix))
}
