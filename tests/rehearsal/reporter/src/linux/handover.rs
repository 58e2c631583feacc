//! Starts the writer and waits until it has what it needs.
//!
//! The writer is a grandchild: its parent exits at once, so that no `wait` of the target ever sees it, and both are made
//! with exit signal 0, so that no SIGCHLD is sent. They share the target's memory until `execve` (as `vfork` does, but
//! without its signals and locks): a crash with gigabytes mapped costs no copy of page tables.

use core::ffi::CStr;

use libc::{c_int, c_void};

use super::plan::Plan;
use super::{context, freeze, sys};
use crate::wire::{self, CrashMessage};

/// The longest that a dying process waits for its report, seconds.
const PATIENCE: i64 = 5;

/// Stack of each of the two processes that lead to the writer.
const STACK: usize = 32 * 1024;

/// Bytes of stack sent beside the message, for the case that the writer may not read the process.
const STACK_BYTES: usize = 16 * 1024;

/// The threads of the calling process: opened before the first clone, for whose child "self" is another.
const TASKS: &CStr = c"/proc/self/task";

/// Exit signal 0, and invisible to a tracer of the target that follows its children (`strace -f`).
const CLONE_FLAGS: c_int = libc::CLONE_VM | libc::CLONE_UNTRACED;

/// What the two processes are given; it lives on the handler's stack until the hand-over is done.
struct Errand {
    plan: &'static Plan,
    faulting: i32,
    report_read: i32,
    captured_write: i32,
    tasks: i32,
    stack_top: *mut c_void,
}

/// Tells the writer about the crash and waits until it has captured it. On any failure there is no report, and nothing
/// else: the caller goes on to die.
pub fn run(plan: &'static Plan, pid: i32, info: &libc::siginfo_t, machine: &libc::ucontext_t) {
    let Some((report_read, report_write)) = sys::pipe() else {
        return;
    };
    let Some((captured_read, captured_write)) = sys::pipe() else {
        return;
    };
    let Some(stacks) = sys::map(2 * STACK) else {
        return;
    };
    let tid = sys::gettid();
    if !send(report_write, pid, tid, info, machine) {
        return;
    }
    sys::allow_any_tracer();
    let errand = Errand {
        plan,
        faulting: tid,
        report_read,
        captured_write,
        tasks: sys::open(TASKS, libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC),
        stack_top: stacks.wrapping_byte_add(STACK),
    };
    let child = start(first_child, stacks.wrapping_byte_add(2 * STACK), &errand);
    if child > 0 {
        sys::reap(child);
    }
    // Without this end here, the writer's death is a hang-up, and ends the wait.
    sys::close(captured_write);
    if child > 0 {
        sys::wait_for_input(captured_read, Some(PATIENCE));
    }
}

/// Puts the message, and what fits of the stack, into the pipe. Nobody reads yet, so that nothing here can block.
fn send(pipe: i32, pid: i32, tid: i32, info: &libc::siginfo_t, machine: &libc::ucontext_t) -> bool {
    let registers = context::registers(machine);
    let stack_address = context::stack_pointer(&registers);
    let message = CrashMessage {
        magic: wire::MAGIC,
        pid,
        tid,
        wall_ns: now(libc::CLOCK_REALTIME),
        boot_ns: now(libc::CLOCK_BOOTTIME),
        stack_address,
        registers,
        info: *info,
    };
    let len = size_of::<CrashMessage>();
    if sys::write(pipe, (&raw const message).addr(), len).cast_unsigned() != len {
        return false;
    }
    if let Ok(address) = usize::try_from(stack_address) {
        // Less than all of it, or nothing, is no failure: it is only needed where the process cannot be read.
        sys::write(pipe, address, STACK_BYTES);
    }
    true
}

/// Nanoseconds of `clock`.
fn now(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is writable; the call is async-signal-safe.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec
        .cast_unsigned()
        .wrapping_mul(1_000_000_000)
        .wrapping_add(time.tv_nsec.cast_unsigned())
}

/// A process in this memory that runs `entry` on the stack that ends at `stack_top`: its id, negative on failure.
fn start(
    entry: extern "C" fn(*mut c_void) -> c_int,
    stack_top: *mut c_void,
    errand: &Errand,
) -> i32 {
    let argument = core::ptr::from_ref(errand).cast_mut().cast::<c_void>();
    // SAFETY: the stack is the new process's alone. `errand` outlives its use: the caller waits for the first child to exit,
    // and then for a byte or a hang-up from the second, which come only after `execve` or exit.
    unsafe { libc::clone(entry, stack_top, CLONE_FLAGS, argument) }
}

extern "C" fn first_child(errand: *mut c_void) -> c_int {
    // SAFETY: `start` passes an `Errand` that outlives this process.
    let errand = unsafe { &*errand.cast::<Errand>() };
    start(second_child, errand.stack_top, errand);
    sys::exit(0)
}

extern "C" fn second_child(errand: *mut c_void) -> c_int {
    // SAFETY: as above; the target waits for this process's end of the pipe.
    let errand = unsafe { &*errand.cast::<Errand>() };
    freeze::other_threads(errand.tasks, errand.faulting);
    sys::setsid();
    if take_descriptors(errand) {
        errand.plan.execute();
    }
    sys::exit(127)
}

/// Leaves the writer its two pipes and `/dev/null`, and none of the target's files. The descriptors are this process's own
/// copies; first out of the way of 0 to 2, which a target that closed its own may have been given.
fn take_descriptors(errand: &Errand) -> bool {
    const FREE: i32 = 3;
    let report = sys::duplicate_above(errand.report_read, FREE);
    let captured = sys::duplicate_above(errand.captured_write, FREE);
    let null = sys::open(c"/dev/null", libc::O_RDWR);
    let null = sys::duplicate_above(null, FREE);
    report >= FREE
        && captured >= FREE
        && sys::duplicate_onto(report, wire::REPORT_FD)
        && sys::duplicate_onto(captured, wire::CAPTURED_FD)
        && (null >= FREE && sys::duplicate_onto(null, libc::STDERR_FILENO))
        && sys::close_from(FREE)
}
