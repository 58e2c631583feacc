//! What the crashed process tells the writer, through a pipe, before the writer runs.
//!
//! Both sides are built from this file. The message is followed by as many bytes of the faulting thread's stack, from
//! [`CrashMessage::stack_address`] upwards, as the pipe took (at most [`STACK_BYTES`]).

#[cfg(target_arch = "aarch64")]
#[path = "wire/aarch64.rs"]
mod machine;
#[cfg(target_arch = "x86_64")]
#[path = "wire/x86_64.rs"]
mod machine;

pub use machine::{REGISTERS, registers, stack_pointer};

/// Marks a message of this layout; a writer of another build refuses what it does not know.
pub const MAGIC: u64 = 0x3130_7870_7263_6761;

/// Bytes of stack sent beside the message, for the case that the writer may not read the process.
pub const STACK_BYTES: usize = 16 * 1024;

/// The writer's descriptor of the pipe that holds the message; end of file on it means that the process is gone.
pub const REPORT_FD: i32 = 0;

/// The writer's descriptor on which it says, with one byte, that it has all it needs from the process.
pub const CAPTURED_FD: i32 = 1;

/// One crash, as the signal handler saw it. Plain data: it crosses the pipe byte for byte.
#[repr(C)]
pub struct CrashMessage {
    /// [`MAGIC`].
    pub magic: u64,
    /// Process id of the crashed process.
    pub pid: i32,
    /// Thread id of the faulting thread.
    pub tid: i32,
    /// Wall-clock time of the crash, nanoseconds since the epoch.
    pub wall_ns: u64,
    /// Time of the crash, nanoseconds since boot.
    pub boot_ns: u64,
    /// Stack pointer of the faulting thread: where the stack bytes begin.
    pub stack_address: u64,
    /// General registers at the fault, in the order of the machine's `mcontext`.
    pub registers: [u64; REGISTERS],
    /// The signal, as delivered.
    pub info: libc::siginfo_t,
}
