//! The signal handler. Async-signal-safe: system calls and the stack, nothing else.

use core::sync::atomic::{AtomicI32, Ordering};

use libc::{c_int, c_void};

use super::{dispositions, handover, plan, sys};

/// The process that is being reported. A forked child inherits its parent's id here, which is then not its own.
static CRASHED: AtomicI32 = AtomicI32::new(0);

/// Hands the crash to the writer, then lets the process die of `signal`, as it would have.
pub extern "C" fn on_crash(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let pid = sys::getpid();
    if CRASHED.swap(pid, Ordering::AcqRel) == pid {
        // Another thread was first. The process dies under this one, with the first one's signal.
        sys::wait_for_input(-1, None);
    }
    // SAFETY: with SA_SIGINFO the kernel passes a signal record and a context, both on this stack.
    let (info, context) = unsafe { (&*info, &*context.cast::<libc::ucontext_t>()) };
    if let Some(plan) = plan::current() {
        handover::run(plan, pid, info, context);
    }
    die(pid, signal, info);
}

/// Leaves `signal`, with its own record, to the default action.
///
/// A signal from the kernel is delivered, before anything else that is pending, when the handler returns: the process
/// dies in the context of its fault, even if that would not fault again (after `int3` the program counter has moved on).
/// A sent one would have to queue behind others there, so it is let in at once.
fn die(pid: i32, signal: c_int, info: &libc::siginfo_t) {
    dispositions::restore_default(signal);
    let tid = sys::gettid();
    if sys::queue_to_thread(pid, tid, signal, info) < 0 {
        sys::send_to_thread(pid, tid, signal);
    }
    if info.si_code <= 0 {
        sys::unblock(signal);
    }
}
