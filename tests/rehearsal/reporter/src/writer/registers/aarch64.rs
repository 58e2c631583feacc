//! arm64.

use framehop::UnwindRegsNative;
use serde_json::{Map, Value};

use super::{Fault, value};
use crate::wire::REGISTERS;

/// `arch` of an image.
pub const ARCH: &str = "arm64";
/// `cpuType` of a report.
pub const CPU_TYPE: &str = "ARM-64";

/// `mov x8, #__NR_rt_sigreturn; svc #0`: where a signal handler returns to.
pub const SIGNAL_RETURN: &[u8] = &[0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4];
/// Distance from the stack pointer there to `sigcontext`: past `siginfo_t` and the head of `ucontext` (`struct rt_sigframe`
/// in arch/arm64/kernel/signal.c). It begins with the fault address, and goes on with x0.
const SIGNAL_CONTEXT: u64 = 128 + 176;

/// x0 to x30, sp, pc, pstate and the fault address.
#[derive(Clone, Debug)]
pub struct Registers([u64; REGISTERS]);

impl Registers {
    /// From a signal context.
    pub fn from_context(registers: [u64; REGISTERS]) -> Self {
        Self(registers)
    }

    /// From a stopped thread; the fault address belongs to a fault, and is 0.
    pub fn from_thread(thread: &libc::user_regs_struct) -> Self {
        let mut registers = [0; REGISTERS];
        registers[..31].copy_from_slice(&thread.regs);
        registers[31] = thread.sp;
        registers[32] = thread.pc;
        registers[33] = thread.pstate;
        Self(registers)
    }

    /// What a signal interrupted, from the kernel's frame at `frame`.
    pub fn interrupted(frame: u64, word: &mut impl FnMut(u64) -> Option<u64>) -> Option<Self> {
        let mut registers = [0; REGISTERS];
        let start = frame.checked_add(SIGNAL_CONTEXT)?;
        registers[34] = word(start)?;
        let mut at = start;
        for register in &mut registers[..34] {
            at = at.checked_add(8)?;
            *register = word(at)?;
        }
        Some(Self(registers))
    }

    /// Program counter.
    pub fn ip(&self) -> u64 {
        self.0[32]
    }

    /// Stack pointer.
    pub fn sp(&self) -> u64 {
        self.0[31]
    }

    /// What the unwinder starts from.
    pub fn unwind(&self) -> UnwindRegsNative {
        UnwindRegsNative::new(self.0[30], self.sp(), self.0[29])
    }

    /// The memory fault that these registers were saved for, if they were: its address is kept through later signals.
    pub fn memory_fault(&self) -> Option<Fault> {
        const SEGV_MAPERR: i32 = 1;
        let address = self.0[34];
        (address != 0).then_some(Fault {
            code: SEGV_MAPERR,
            address,
        })
    }

    /// The caller of a function that is not there: a call through a bad pointer has only set the link register.
    pub fn caller_of_nowhere(
        &self,
        _word: &mut impl FnMut(u64) -> Option<u64>,
    ) -> Option<(u64, UnwindRegsNative)> {
        let caller = self.0[30];
        Some((caller, UnwindRegsNative::new(caller, self.sp(), self.0[29])))
    }

    /// `threadState` of a report.
    pub fn thread_state(&self) -> Map<String, Value> {
        let x: Vec<Value> = self.0[..29].iter().copied().map(value).collect();
        let named = [
            (29, "fp"),
            (30, "lr"),
            (31, "sp"),
            (32, "pc"),
            (33, "cpsr"),
            (34, "far"),
        ];
        named
            .iter()
            .map(|&(index, name)| (name.to_owned(), value(self.0[index])))
            .chain([
                ("x".to_owned(), x.into()),
                ("flavor".to_owned(), "ARM_THREAD_STATE64".into()),
            ])
            .collect()
    }
}
