//! What ended the process.

use serde::Serialize;

use crate::reports::fault::Fault;

/// The Mach exception.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Exception {
    /// `type`, such as `EXC_BAD_ACCESS`; PLCrashReporter writes a signal's name here.
    pub kind: Option<String>,
    /// `signal`, such as `SIGSEGV`.
    pub signal: Option<String>,
    /// `subtype`, such as `KERN_INVALID_ADDRESS at 0x00000000000005c8`.
    pub subtype: Option<String>,
    /// `codes`, as written. Only for an access do they hold an address: of a breakpoint the
    /// second is the program counter.
    pub codes: Option<String>,
    /// `rawCodes`: the same as numbers.
    pub raw_codes: Vec<u64>,
    /// `message`.
    pub message: Option<String>,
    /// Where the access went, where the exception is one.
    pub fault: Option<Fault>,
}

/// Who ended the process, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Termination {
    /// `namespace`, such as `SIGNAL` or `DYLD`.
    pub namespace: Option<String>,
    /// `code`: in namespace `SIGNAL`, the signal's number on that system.
    pub code: Option<i64>,
    /// `indicator`, such as `Segmentation fault: 11`.
    pub indicator: Option<String>,
    /// `byProc`.
    pub by_process: Option<String>,
    /// `byPid`.
    pub by_pid: Option<i32>,
    /// `reasons` and `details`, in that order; the loader's sentences for `DYLD`.
    pub reasons: Vec<String>,
}
