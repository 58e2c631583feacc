//! How the driver fails: Metal's sentence on stderr, the same where crash reports look for it, then a real abort.

use std::ffi::{CStr, CString, c_char};
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// `crashreporter_annotations_t`, version 5: a crash report quotes `message` under `asi`, by the name of the image.
#[repr(C)]
pub struct CrashReporterAnnotations {
    version: AtomicU64,
    /// Address of a C string; 0 for none.
    message: AtomicU64,
    signature_string: AtomicU64,
    backtrace: AtomicU64,
    message2: AtomicU64,
    thread: AtomicU64,
    dialog_mode: AtomicU64,
    abort_cause: AtomicU64,
}

/// Found by symbol (Linux) or by section (macOS).
#[used]
#[unsafe(export_name = "gCRAnnotations")]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__crash_info"))]
static ANNOTATIONS: CrashReporterAnnotations = CrashReporterAnnotations {
    version: AtomicU64::new(5),
    message: AtomicU64::new(0),
    signature_string: AtomicU64::new(0),
    backtrace: AtomicU64::new(0),
    message2: AtomicU64::new(0),
    thread: AtomicU64::new(0),
    dialog_mode: AtomicU64::new(0),
    abort_cause: AtomicU64::new(0),
};

/// A failed assertion: where, and the sentence.
pub struct Assertion {
    /// Method as Objective-C writes it.
    pub method: &'static CStr,
    /// Line in Apple's source, as sighted in a report.
    pub line: u32,
    /// What was asserted.
    pub sentence: &'static CStr,
}

/// Fails in the usual form: ``-[Class selector]:line: failed assertion `sentence'``.
pub fn fail(assertion: &Assertion) -> ! {
    let method = assertion.method.to_string_lossy();
    let sentence = assertion.sentence.to_string_lossy();
    report(&format!(
        "{method}:{}: failed assertion `{sentence}'",
        assertion.line
    ))
}

/// Fails in the older form, which puts the condition first: `condition at line N in -[Class selector]`.
pub fn fail_condition(assertion: &Assertion) -> ! {
    let method = assertion.method.to_string_lossy();
    let sentence = assertion.sentence.to_string_lossy();
    report(&format!(
        "{sentence} at line {} in {method}",
        assertion.line
    ))
}

fn report(text: &str) -> ! {
    match CString::new(text) {
        // SAFETY: a C string, alive during the call.
        Ok(text) => unsafe { report_failure(text.as_ptr()) },
        Err(_) => unreachable!("the sentences above hold no NUL"),
    }
}

/// Named as Metal's own function, which stands in the stack of such reports.
///
/// # Safety
/// `text` is a C string.
#[unsafe(export_name = "MTLReportFailure")]
#[inline(never)]
unsafe extern "C-unwind" fn report_failure(text: *const c_char) -> ! {
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    let line = [text.to_bytes(), b"\n"].concat();
    if std::io::stderr().lock().write_all(&line).is_err() {
        // A closed stderr does not keep the process from failing; the annotation below still says why.
    }
    ANNOTATIONS
        .message
        .store(text.as_ptr().expose_provenance() as u64, Ordering::SeqCst);
    std::process::abort()
}
