//! What the crashed process tells the writer, through a pipe, before the writer runs.
//!
//! Both sides are built from this file. The message is followed by as many bytes of the faulting thread's stack, from
//! [`CrashMessage::stack_address`] upwards, as the pipe took.

/// General registers of a signal context: x0 to x30, sp, pc, pstate and the fault address.
#[cfg(target_arch = "aarch64")]
pub const REGISTERS: usize = 35;
/// General registers of a signal context: `gregs`, in the order of `libc::REG_*`.
#[cfg(target_arch = "x86_64")]
pub const REGISTERS: usize = 23;

/// Marks a message of this layout; a writer of another build refuses what it does not know.
pub const MAGIC: u64 = 0x3130_7870_7263_6761;

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
    /// General registers at the fault.
    pub registers: [u64; REGISTERS],
    /// The signal, as delivered.
    pub info: libc::siginfo_t,
}
