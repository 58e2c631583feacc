//! The processor's count of instructions, through perf_event_open(2).

use std::fs::File;
use std::io::Read as _;
use std::os::fd::FromRawFd as _;

/// The start of `struct perf_event_attr`, as long as its first version (PERF_ATTR_SIZE_VER0, 64 bytes).
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    breakpoint_type: u32,
    breakpoint_address: u64,
}

const PERF_TYPE_HARDWARE: u32 = 0;
const PERF_COUNT_HW_INSTRUCTIONS: u64 = 1;
/// Bits of `flags`: what the kernel and the hypervisor execute is not counted.
const EXCLUDE_KERNEL: u64 = 1 << 5;
const EXCLUDE_HYPERVISOR: u64 = 1 << 6;

/// Instructions that the calling thread executes.
pub struct Instructions(File);

impl Instructions {
    /// `None` where the machine has no counter, or the kernel refuses it.
    pub fn open() -> Option<Self> {
        let attributes = Attributes {
            kind: PERF_TYPE_HARDWARE,
            size: 64,
            config: PERF_COUNT_HW_INSTRUCTIONS,
            flags: EXCLUDE_KERNEL | EXCLUDE_HYPERVISOR,
            ..Attributes::default()
        };
        // SAFETY: the attributes have the size that they say; this thread, on any processor, no group.
        let file = unsafe {
            libc::syscall(
                libc::SYS_perf_event_open,
                &raw const attributes,
                0,
                -1,
                -1,
                0,
            )
        };
        let file = i32::try_from(file).ok().filter(|file| *file >= 0)?;
        // SAFETY: the descriptor was just opened and is owned by nobody else.
        Some(Self(unsafe { File::from_raw_fd(file) }))
    }

    /// Instructions so far.
    pub fn read(&self) -> Option<f64> {
        let mut bytes = [0; 8];
        (&self.0).read_exact(&mut bytes).ok()?;
        #[allow(clippy::cast_precision_loss)] // far below 2^53
        Some(u64::from_le_bytes(bytes) as f64)
    }
}
