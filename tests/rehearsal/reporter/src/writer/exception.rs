//! A Linux signal in the words of a macOS report.

use serde::Serialize;

/// What is known about the signal.
#[derive(Clone, Debug)]
pub struct Signal<'a> {
    /// Number on this system.
    pub number: i32,
    /// `si_code`: above 0, the kernel raised it for a fault.
    pub code: i32,
    /// `si_addr`, where the signal has one.
    pub address: u64,
    /// Program counter of the faulting thread.
    pub pc: u64,
    /// The crashed process.
    pub pid: i32,
    /// Sender's process id and name, if it was sent.
    pub sender: Option<(i32, &'a str)>,
}

/// `exception` of a report.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Exception {
    codes: String,
    #[serde(rename = "rawCodes")]
    raw_codes: [u64; 2],
    #[serde(rename = "type")]
    kind: &'static str,
    signal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtype: Option<String>,
}

/// `termination` of a report. The code is this system's signal number, which differs from macOS for SIGBUS and SIGSYS.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Termination {
    flags: u32,
    code: i32,
    namespace: &'static str,
    indicator: String,
    #[serde(rename = "byProc")]
    by_proc: String,
    #[serde(rename = "byPid")]
    by_pid: i32,
}

/// `KERN_INVALID_ADDRESS`, `KERN_PROTECTION_FAILURE` and `KERN_MEMORY_ERROR` of mach/kern_return.h; `EXC_I386_GPFLT` of
/// mach/i386/exception.h, where the processor does not say which address it was.
const ACCESS: [(u64, &str); 4] = [
    (1, "KERN_INVALID_ADDRESS"),
    (2, "KERN_PROTECTION_FAILURE"),
    (10, "KERN_MEMORY_ERROR"),
    (13, "EXC_I386_GPFLT"),
];

/// `si_code` of a fault without an address (`SI_KERNEL` in asm-generic/siginfo.h).
const SI_KERNEL: i32 = 0x80;

impl Exception {
    /// The exception that a Mac would have named for this signal.
    pub fn of(signal: &Signal) -> Self {
        let fault = signal.code > 0;
        let (kind, raw_codes, subtype) = match signal.number {
            libc::SIGSEGV | libc::SIGBUS if fault => {
                let (code, name) = access(signal.number, signal.code);
                let address = if code == 13 { 0 } else { signal.address };
                let text = if code == 13 {
                    name.to_owned()
                } else {
                    format!("{name} at {address:#018x}")
                };
                ("EXC_BAD_ACCESS", [code, address], Some(text))
            }
            libc::SIGILL if fault => ("EXC_BAD_INSTRUCTION", [1, signal.pc], None),
            libc::SIGFPE if fault => ("EXC_ARITHMETIC", [1, 0], None),
            libc::SIGTRAP if fault => ("EXC_BREAKPOINT", [1, signal.pc], None),
            // Sent, or raised by abort: there is no fault to describe.
            _ => ("EXC_CRASH", [0, 0], None),
        };
        Self {
            codes: format!("{:#018x}, {:#018x}", raw_codes[0], raw_codes[1]),
            raw_codes,
            kind,
            signal: name(signal.number),
            subtype,
        }
    }
}

impl Termination {
    /// How the process ended.
    pub fn of(signal: &Signal) -> Self {
        let (by_pid, by_proc) = signal.sender.unwrap_or((signal.pid, "exc handler"));
        Self {
            flags: 0,
            code: signal.number,
            namespace: "SIGNAL",
            indicator: format!("{}: {}", indicator(signal.number), signal.number),
            by_proc: by_proc.to_owned(),
            by_pid,
        }
    }
}

/// Mach code and name of a memory fault.
fn access(number: i32, code: i32) -> (u64, &'static str) {
    match (number, code) {
        (libc::SIGSEGV, 2..=4) => ACCESS[1],
        (_, SI_KERNEL) => ACCESS[3],
        (libc::SIGSEGV, _) => ACCESS[0],
        _ => ACCESS[2],
    }
}

/// `SIGSEGV` and the like.
fn name(number: i32) -> String {
    nix::sys::signal::Signal::try_from(number).map_or_else(
        |_| format!("SIG{number}"),
        |signal| signal.as_str().to_owned(),
    )
}

/// The words of `strsignal` on macOS.
fn indicator(number: i32) -> &'static str {
    match number {
        libc::SIGSEGV => "Segmentation fault",
        libc::SIGBUS => "Bus error",
        libc::SIGILL => "Illegal instruction",
        libc::SIGFPE => "Floating point exception",
        libc::SIGTRAP => "Trace/BPT trap",
        libc::SIGABRT => "Abort trap",
        libc::SIGSYS => "Bad system call",
        _ => "Signal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(number: i32, code: i32, address: u64) -> Signal<'static> {
        Signal {
            number,
            code,
            address,
            pc: 0x4000,
            pid: 7,
            sender: None,
        }
    }

    #[test]
    fn a_null_read_names_its_offset() {
        let exception = Exception::of(&signal(libc::SIGSEGV, 1, 0x5c8));
        assert_eq!(exception.kind, "EXC_BAD_ACCESS");
        assert_eq!(exception.codes, "0x0000000000000001, 0x00000000000005c8");
        assert_eq!(exception.raw_codes, [1, 1480]);
        assert_eq!(
            exception.subtype.as_deref(),
            Some("KERN_INVALID_ADDRESS at 0x00000000000005c8")
        );
        assert_eq!(exception.signal, "SIGSEGV");
    }

    #[test]
    fn a_protected_page_is_not_an_invalid_address() {
        let exception = Exception::of(&signal(libc::SIGSEGV, 2, 0x1000));
        assert_eq!(
            exception.subtype.as_deref(),
            Some("KERN_PROTECTION_FAILURE at 0x0000000000001000")
        );
    }

    #[test]
    fn a_fault_without_an_address_claims_none() {
        let exception = Exception::of(&signal(libc::SIGSEGV, SI_KERNEL, 0xdead));
        assert_eq!(exception.raw_codes, [13, 0]);
        assert_eq!(exception.subtype.as_deref(), Some("EXC_I386_GPFLT"));
    }

    #[test]
    fn a_sent_signal_is_no_fault() {
        let mut sent = signal(libc::SIGSEGV, 0, 0x5c8);
        sent.sender = Some((42, "bash"));
        let exception = Exception::of(&sent);
        assert_eq!((exception.kind, exception.raw_codes), ("EXC_CRASH", [0, 0]));
        let termination = Termination::of(&sent);
        assert_eq!(
            (termination.by_pid, termination.by_proc.as_str()),
            (42, "bash")
        );
        assert_eq!(termination.indicator, "Segmentation fault: 11");
    }

    #[test]
    fn each_signal_has_its_exception() {
        let kind = |number, code| Exception::of(&signal(number, code, 0)).kind;
        assert_eq!(kind(libc::SIGABRT, -6), "EXC_CRASH");
        assert_eq!(kind(libc::SIGTRAP, 1), "EXC_BREAKPOINT");
        assert_eq!(kind(libc::SIGFPE, 1), "EXC_ARITHMETIC");
        assert_eq!(kind(libc::SIGILL, 2), "EXC_BAD_INSTRUCTION");
        assert_eq!(kind(libc::SIGBUS, 2), "EXC_BAD_ACCESS");
        assert_eq!(kind(libc::SIGSYS, 1), "EXC_CRASH");
    }
}
