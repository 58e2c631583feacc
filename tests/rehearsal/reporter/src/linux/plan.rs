//! Everything the handler needs, prepared while it is still safe to allocate.

use std::ffi::{CStr, CString};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use libc::c_char;

/// Where reports go.
const REPORTS_DIR: &CStr = c"AGX_REHEARSAL_REPORTS_DIR";
/// The writer's program file.
const REPORTER: &CStr = c"AGX_REHEARSAL_REPORTER";
/// Variables that the writer gets as they are. Nothing else of the target's environment reaches it, `LD_PRELOAD` least
/// of all: the writer must not report on itself.
const PASSED_ON: [&CStr; 3] = [REPORTS_DIR, c"AGX_REHEARSAL_REPORT_DELAY_MS", c"TZ"];

/// The writer's command line and environment, as `execve` takes them. Never freed: a crash may come at any time.
pub struct Plan {
    program: CString,
    arguments: [*const c_char; 2],
    environment: [*const c_char; PASSED_ON.len() + 1],
}

static PLAN: AtomicPtr<Plan> = AtomicPtr::new(ptr::null_mut());

/// The plan, once there is one. Safe in a signal handler.
pub fn current() -> Option<&'static Plan> {
    // SAFETY: the pointer is null or a leaked `Plan`, which is never changed after it was published.
    unsafe { PLAN.load(Ordering::Acquire).as_ref() }
}

/// Why this process is left alone.
#[derive(Clone, Copy)]
pub enum Inert {
    /// A variable is missing: reports were not asked for.
    NotAsked,
    /// Both variables are there and cannot be used.
    Unusable(&'static str),
}

/// Reads the environment and publishes the plan. Called once, by the constructor.
pub fn prepare() -> Result<&'static Plan, Inert> {
    let folder = variable(REPORTS_DIR).ok_or(Inert::NotAsked)?;
    let program = variable(REPORTER).ok_or(Inert::NotAsked)?;
    if !folder.to_bytes().starts_with(b"/") {
        return Err(Inert::Unusable(
            "AGX_REHEARSAL_REPORTS_DIR is not an absolute path",
        ));
    }
    if !program.to_bytes().starts_with(b"/") {
        return Err(Inert::Unusable(
            "AGX_REHEARSAL_REPORTER is not an absolute path",
        ));
    }
    // SAFETY: `program` is a C string.
    if unsafe { libc::access(program.as_ptr(), libc::X_OK) } != 0 {
        return Err(Inert::Unusable(
            "AGX_REHEARSAL_REPORTER names no executable file",
        ));
    }
    let mut environment = [ptr::null(); PASSED_ON.len() + 1];
    let entries = PASSED_ON.iter().filter_map(|name| entry(name));
    for (slot, entry) in environment.iter_mut().zip(entries) {
        *slot = entry.into_raw().cast_const();
    }
    let plan = Box::leak(Box::new(Plan {
        arguments: [ptr::null(); 2],
        program: program.to_owned(),
        environment,
    }));
    plan.arguments[0] = plan.program.as_ptr();
    PLAN.store(plan, Ordering::Release);
    Ok(plan)
}

impl Plan {
    /// Becomes the writer; returns only when that failed.
    pub fn execute(&self) {
        // SAFETY: the program is a C string; both arrays end in the null pointer they were filled with.
        unsafe {
            super::sys::execute(
                self.program.as_ptr(),
                self.arguments.as_ptr(),
                self.environment.as_ptr(),
            );
        }
    }
}

/// `NAME=value`, if the variable is set.
fn entry(name: &CStr) -> Option<CString> {
    let value = variable(name)?;
    CString::new([name.to_bytes(), b"=", value.to_bytes()].concat()).ok() // neither holds a NUL
}

/// A variable that is set and not empty.
pub fn variable(name: &CStr) -> Option<&CStr> {
    // SAFETY: `name` is a C string; the value is copied, or compared, before anything else runs in this process.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    // SAFETY: a value that is not null is a C string.
    let value = (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) })?;
    (!value.is_empty()).then_some(value)
}
