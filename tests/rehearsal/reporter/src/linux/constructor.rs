//! Runs in every process before its `main`: arms the handlers, or does nothing.

use super::plan::{self, Inert};
use super::{dispositions, sys};

/// Stack for the handler itself, above what the kernel's signal frame takes.
const HANDLER_STACK: usize = 64 * 1024;

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = arm;

extern "C" fn arm() {
    match plan::prepare() {
        Ok(_) => {
            provide_alternate_stack();
            dispositions::arm();
        }
        Err(Inert::NotAsked) => {}
        Err(Inert::Unusable(reason)) => {
            if plan::variable(c"AGX_REHEARSAL_VERBOSE").is_some_and(|value| value == c"1") {
                complain(reason);
            }
        }
    }
}

/// Gives the main thread a stack to report a stack overflow from, unless it has one.
fn provide_alternate_stack() {
    let mut present = libc::stack_t {
        ss_sp: std::ptr::null_mut(),
        ss_flags: 0,
        ss_size: 0,
    };
    // SAFETY: only reads the current setting into `present`.
    let known = unsafe { libc::sigaltstack(std::ptr::null(), &raw mut present) } == 0;
    if !known || present.ss_flags & libc::SS_DISABLE == 0 {
        return;
    }
    // SAFETY: reads the auxiliary vector. The frame grows with the machine's vector registers, and the kernel says how far.
    let frame = unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) };
    let size = (usize::try_from(frame).unwrap_or(0) + HANDLER_STACK).next_multiple_of(4096);
    if let Some(memory) = sys::map(size) {
        let stack = libc::stack_t {
            ss_sp: memory,
            ss_flags: 0,
            ss_size: size,
        };
        // SAFETY: the mapping is fresh and never unmapped. A refusal leaves the thread as it was.
        unsafe { libc::sigaltstack(&raw const stack, std::ptr::null_mut()) };
    }
}

/// One line on stderr, without the buffering and locking of `eprintln!`: the process has not begun yet.
fn complain(reason: &str) {
    for part in [
        "agx-rehearsal-reporter: no reports from this process: ",
        reason,
        "\n",
    ] {
        sys::write(libc::STDERR_FILENO, part.as_ptr().addr(), part.len());
    }
}
