//! The numbers and bits that fields hold.

/// Values of [`super::Header::phase`].
pub mod phase {
    /// The library is loaded; nothing is hooked.
    pub const LOADED: u32 = 1;
    /// The body is there and hooks are being installed.
    pub const ARMED: u32 = 2;
    /// The process left through `exit`, `_exit` or a return from `main`.
    pub const EXITED: u32 = 3;
}

/// Bits of [`super::Header::flags`].
pub mod flag {
    /// `AGX_FIX_DISABLE` asked for no hooks.
    pub const DISABLED: u32 = 1;
    /// An Objective-C runtime was seen in the process.
    pub const OBJC_SEEN: u32 = 1 << 1;
    /// A class under a Metal command encoder or command buffer was seen, hooked or not.
    pub const METAL_SEEN: u32 = 1 << 2;
    /// [`super::super::Header::path`] is cut.
    pub const PATH_TRUNCATED: u32 = 1 << 3;
    /// The policy that was asked for is not in this library: nothing is hooked.
    pub const POLICY_UNKNOWN: u32 = 1 << 4;
    /// `AGX_FIX_CENSUS` asked for a census: calls are tallied by method ([`super::super::CensusRecord::calls`]).
    pub const CENSUS_ASKED: u32 = 1 << 5;
    /// The census was taken, at the exit.
    pub const CENSUS_TAKEN: u32 = 1 << 6;
}

/// Bits of [`super::Header::degraded`]: what the library could not do.
pub mod degraded {
    /// The body could not be written (no room on the disk, or a file-size limit): no census, no rings.
    pub const NO_BODY_ROOM: u32 = 1;
    /// The body could not be mapped.
    pub const NO_BODY_MAPPING: u32 = 1 << 1;
    /// The census or its strings are full: some methods are hooked without an entry.
    pub const CENSUS_FULL: u32 = 1 << 2;
    /// The slot table is full: some methods are not hooked.
    pub const SLOTS_FULL: u32 = 1 << 3;
    /// The trigger that names each class before its first message is missing: classes were found by scanning.
    pub const NO_TRIGGER: u32 = 1 << 4;
    /// The table of tracked encoders is full: some encoders are not retained.
    pub const ENCODERS_FULL: u32 = 1 << 5;
}

/// Values of [`super::Header::exit_route`].
pub mod exit_route {
    /// `exit`, or a return from `main`.
    pub const ATEXIT: u32 = 1;
    /// `_exit` or `_Exit`.
    pub const IMMEDIATE: u32 = 2;
}

/// Values of [`super::Header::platform`].
pub mod platform {
    /// Linux.
    pub const LINUX: u32 = 1;
    /// macOS.
    pub const MACOS: u32 = 2;
}

/// Values of [`super::Header::architecture`].
pub mod architecture {
    /// x86-64.
    pub const X86_64: u32 = 1;
    /// 64-bit ARM.
    pub const AARCH64: u32 = 2;
}

/// Values of [`super::Header::clock_kind`]: in what events are stamped.
pub mod clock_kind {
    /// A counter whose rate is to be had from the header's two readings.
    pub const TICKS: u32 = 0;
    /// Nanoseconds of a monotonic clock that advances every [`super::super::Header::clock_resolution_ns`]: a stamp is at most
    /// that old, and events in between share one.
    pub const NANOSECONDS: u32 = 1;
}

/// Values of [`super::CensusRecord::state`].
pub mod state {
    /// The record is not complete.
    pub const EMPTY: u32 = 0;
    /// The method is hooked.
    pub const HOOKED: u32 = 1;
    /// A rule says that the method is none of ours.
    pub const LEFT_ALONE: u32 = 2;
    /// The method should be hooked and is not.
    pub const UNHOOKED: u32 = 3;
}

/// Bits of [`super::CensusRecord::flags`].
pub mod census_flag {
    /// The class inherits the method: the hook is an override that was added to it.
    pub const INHERITED: u32 = 1;
    /// Somebody else's code has taken the place of the hook.
    pub const REPLACED: u32 = 1 << 1;
    /// The census found the method at the exit, past the hooks: the record's reason says how it came there.
    pub const LATE: u32 = 1 << 2;
}

/// Values of [`super::EventRecord::phase`].
pub mod event_phase {
    /// The call is inside the original method, or was when the process ended.
    pub const ENTERED: u32 = 1;
    /// The call returned, or an exception left it.
    pub const RETURNED: u32 = 2;
    /// The original was not called.
    pub const SKIPPED: u32 = 3;
    /// The call waits for the lock.
    pub const WAITING: u32 = 4;
}
