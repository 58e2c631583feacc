//! x86-64.

use framehop::UnwindRegsNative;
use serde_json::{Map, Value};

use super::{Fault, value};
use crate::wire::REGISTERS;

/// `arch` of an image.
pub const ARCH: &str = "x86_64";
/// `cpuType` of a report.
pub const CPU_TYPE: &str = "X86-64";

/// `mov $__NR_rt_sigreturn, %rax; syscall`: where a signal handler returns to.
pub const SIGNAL_RETURN: &[u8] = &[0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05];
/// Distance from the stack pointer there, where the kernel's `ucontext` begins, to `gregs`.
const SIGNAL_REGISTERS: u64 = 40;

/// General registers, in the order of `gregs` (`libc::REG_*`).
#[derive(Clone, Debug)]
pub struct Registers([u64; REGISTERS]);

/// Names in a report, in the order of `gregs`; the kernel's `cs`, `oldmask` have none there.
const NAMES: [(usize, &str); 21] = [
    (0, "r8"),
    (1, "r9"),
    (2, "r10"),
    (3, "r11"),
    (4, "r12"),
    (5, "r13"),
    (6, "r14"),
    (7, "r15"),
    (8, "rdi"),
    (9, "rsi"),
    (10, "rbp"),
    (11, "rbx"),
    (12, "rdx"),
    (13, "rax"),
    (14, "rcx"),
    (15, "rsp"),
    (16, "rip"),
    (17, "rflags"),
    (19, "err"),
    (20, "trap"),
    (22, "cr2"),
];
const RBP: usize = 10;
const RSP: usize = 15;
const RIP: usize = 16;

impl Registers {
    /// From a signal context.
    pub fn from_context(registers: [u64; REGISTERS]) -> Self {
        Self(registers)
    }

    /// From a stopped thread. `err`, `trap` and `cr2` belong to a fault, and are 0.
    pub fn from_thread(thread: &libc::user_regs_struct) -> Self {
        let t = thread;
        Self([
            t.r8, t.r9, t.r10, t.r11, t.r12, t.r13, t.r14, t.r15, t.rdi, t.rsi, t.rbp, t.rbx,
            t.rdx, t.rax, t.rcx, t.rsp, t.rip, t.eflags, 0, 0, 0, 0, 0,
        ])
    }

    /// What a signal interrupted, from the kernel's frame at `frame`. glibc's own unwind table for the return says the same
    /// in DWARF expressions over registers that the unwinder does not track.
    pub fn interrupted(frame: u64, word: &mut impl FnMut(u64) -> Option<u64>) -> Option<Self> {
        let mut registers = [0; REGISTERS];
        let mut at = frame.checked_add(SIGNAL_REGISTERS)?;
        for register in &mut registers {
            *register = word(at)?;
            at = at.checked_add(8)?;
        }
        Some(Self(registers))
    }

    /// Program counter.
    pub fn ip(&self) -> u64 {
        self.0[RIP]
    }

    /// Stack pointer.
    pub fn sp(&self) -> u64 {
        self.0[RSP]
    }

    /// What the unwinder starts from.
    pub fn unwind(&self) -> UnwindRegsNative {
        UnwindRegsNative::new(self.ip(), self.sp(), self.0[RBP])
    }

    /// The page fault or protection fault that these registers were saved for, if they were. The kernel keeps `trap`,
    /// `err` and `cr2` of the last one through later signals.
    pub fn memory_fault(&self) -> Option<Fault> {
        const GENERAL_PROTECTION: u64 = 13;
        const PAGE_FAULT: u64 = 14;
        const SEGV_MAPERR: i32 = 1;
        const SEGV_ACCERR: i32 = 2;
        const SI_KERNEL: i32 = 0x80;
        let [err, trap, cr2] = [self.0[19], self.0[20], self.0[22]];
        match trap {
            // Bit 0 of a page fault's error code: the page was there.
            PAGE_FAULT if err & 1 == 1 => Some(Fault {
                code: SEGV_ACCERR,
                address: cr2,
            }),
            PAGE_FAULT => Some(Fault {
                code: SEGV_MAPERR,
                address: cr2,
            }),
            GENERAL_PROTECTION => Some(Fault {
                code: SI_KERNEL,
                address: 0,
            }),
            _ => None,
        }
    }

    /// The caller of a function that is not there: a call through a bad pointer has only pushed its return address.
    pub fn caller_of_nowhere(
        &self,
        word: &mut impl FnMut(u64) -> Option<u64>,
    ) -> Option<(u64, UnwindRegsNative)> {
        let caller = word(self.sp())?;
        let sp = self.sp().checked_add(8)?;
        Some((caller, UnwindRegsNative::new(caller, sp, self.0[RBP])))
    }

    /// `threadState` of a report.
    pub fn thread_state(&self) -> Map<String, Value> {
        let registers = NAMES
            .iter()
            .map(|&(index, name)| (name.to_owned(), value(self.0[index])));
        registers
            .chain([("flavor".to_owned(), "x86_THREAD_STATE".into())])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_those_of_the_c_library() {
        let index = |name| {
            let found = NAMES.iter().find(|(_, n)| *n == name);
            i32::try_from(found.expect("a known register").0).expect("a small number")
        };
        assert_eq!(index("rip"), libc::REG_RIP);
        assert_eq!(index("rsp"), libc::REG_RSP);
        assert_eq!(index("rbp"), libc::REG_RBP);
        assert_eq!(index("rdi"), libc::REG_RDI);
        assert_eq!(index("r15"), libc::REG_R15);
        assert_eq!(index("rax"), libc::REG_RAX);
        assert_eq!(index("rflags"), libc::REG_EFL);
        assert_eq!(index("err"), libc::REG_ERR);
        assert_eq!(index("trap"), libc::REG_TRAPNO);
        assert_eq!(index("cr2"), libc::REG_CR2);
        assert_eq!(RSP, 15);
    }
}
