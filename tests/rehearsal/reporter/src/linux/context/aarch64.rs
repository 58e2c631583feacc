//! arm64.

use crate::wire::REGISTERS;

/// Where the stack pointer stands among the registers.
const SP: usize = 31;

/// The general registers of a signal context.
pub fn registers(context: &libc::ucontext_t) -> [u64; REGISTERS] {
    let machine = &context.uc_mcontext;
    let mut registers = [0; REGISTERS];
    registers[..SP].copy_from_slice(&machine.regs);
    registers[SP..].copy_from_slice(&[
        machine.sp,
        machine.pc,
        machine.pstate,
        machine.fault_address,
    ]);
    registers
}

/// The stack pointer among `registers`.
pub fn stack_pointer(registers: &[u64; REGISTERS]) -> u64 {
    registers[SP]
}
