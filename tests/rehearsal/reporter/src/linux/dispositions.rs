//! "Default action" means our handler, and the target cannot see it.
//!
//! Two common patterns would otherwise lose the report or change the death. A crash handler that restores the default
//! and raises again (`signal(SIGSEGV, SIG_DFL); raise(SIGSEGV)`) would switch the report off. Rust's runtime installs its
//! stack overflow handler only where it finds `SIG_DFL` (`std::sys::pal::unix::stack_overflow::init`): an overflow would
//! then end in SIGSEGV instead of its message and SIGABRT. So `sigaction` and `signal` are interposed: setting the
//! default sets our handler, and our handler reads as the default. There is no state but the kernel's own, so that fork,
//! vfork and exec need no care. A target that makes the system call itself is out of reach and keeps what it sets.

use core::ptr;

use libc::{c_int, sighandler_t};

use super::{crash, plan};

/// The signals whose default action is a crash with a report.
const CRASH_SIGNALS: [c_int; 7] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGSYS,
];

unsafe extern "C" {
    /// glibc's `sigaction` under its second name, which nobody interposes.
    fn __sigaction(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int;
    /// glibc's `signal` with BSD semantics (the default ones) under its second name.
    fn ssignal(signal: c_int, handler: sighandler_t) -> sighandler_t;
}

/// Puts our handler wherever the disposition is the default. An ignored signal stays ignored.
pub fn arm() {
    let ours = handler_action();
    for signal in CRASH_SIGNALS {
        let mut present = default_action();
        // SAFETY: reads the disposition into a whole `sigaction`.
        let known = unsafe { __sigaction(signal, ptr::null(), &raw mut present) } == 0;
        if known && present.sa_sigaction == libc::SIG_DFL {
            // SAFETY: installs a handler that is safe for any context. A refusal leaves the default, and no report.
            unsafe { __sigaction(signal, &raw const ours, ptr::null_mut()) };
        }
    }
}

/// Puts the kernel's own default in place, for the death that follows. Safe in a signal handler.
pub fn restore_default(signal: c_int) {
    let default = default_action();
    // SAFETY: a whole action; glibc's `sigaction` is one system call.
    unsafe { __sigaction(signal, &raw const default, ptr::null_mut()) };
}

/// `sigaction(2)` as the target sees it.
///
/// # Safety
/// That of `sigaction(2)`: each pointer is null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigaction(
    signal: c_int,
    new: *const libc::sigaction,
    old: *mut libc::sigaction,
) -> c_int {
    if !is_ours(signal) {
        // SAFETY: the caller's arguments, unchanged.
        return unsafe { __sigaction(signal, new, old) };
    }
    // SAFETY: `new` is null or valid by the caller's promise.
    let sets_default = unsafe { new.as_ref() }.is_some_and(|new| new.sa_sigaction == libc::SIG_DFL);
    let ours = handler_action();
    let new = if sets_default { &raw const ours } else { new };
    // SAFETY: `new` is the caller's or a whole action of our own; `old` is the caller's.
    let result = unsafe { __sigaction(signal, new, old) };
    // SAFETY: `old` is null or valid by the caller's promise.
    if let Some(old) = unsafe { old.as_mut() }
        && result == 0
        && is_handler(old.sa_sigaction)
    {
        *old = default_action();
    }
    result
}

/// `signal(2)` as the target sees it.
///
/// # Safety
/// That of `signal(2)`: `handler` is a constant or a function fit for a signal handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn signal(signal: c_int, handler: sighandler_t) -> sighandler_t {
    let previous = if is_ours(signal) && handler == libc::SIG_DFL {
        let ours = handler_action();
        let mut old = default_action();
        // SAFETY: both actions are whole, and ours is safe for any context.
        match unsafe { __sigaction(signal, &raw const ours, &raw mut old) } {
            0 => old.sa_sigaction,
            _ => libc::SIG_ERR,
        }
    } else {
        // SAFETY: the caller's arguments, unchanged.
        unsafe { ssignal(signal, handler) }
    };
    if is_handler(previous) {
        libc::SIG_DFL
    } else {
        previous
    }
}

/// Whether the default of `signal` is ours in this process.
fn is_ours(signal: c_int) -> bool {
    CRASH_SIGNALS.contains(&signal) && plan::current().is_some()
}

fn is_handler(handler: sighandler_t) -> bool {
    handler == crash::on_crash as *const () as sighandler_t
}

/// Our handler: on the alternate stack, with every other signal held back, so that no handler of the target runs in a
/// process that is already dead.
fn handler_action() -> libc::sigaction {
    let mut action = default_action();
    action.sa_sigaction = crash::on_crash as *const () as sighandler_t;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: fills the set inside `action`.
    unsafe { libc::sigfillset(&raw mut action.sa_mask) };
    action
}

/// What `sigaction` gives for a signal that nobody touched.
fn default_action() -> libc::sigaction {
    // SAFETY: `sigaction` is plain data, and all zeros is SIG_DFL with no flags and an empty mask.
    unsafe { core::mem::zeroed() }
}
