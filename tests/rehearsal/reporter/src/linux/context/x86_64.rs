//! x86-64.

use crate::wire::REGISTERS;

/// Where `gregs` holds the stack pointer: `libc::REG_RSP` as an index.
const RSP: usize = 15;

/// The general registers of a signal context.
pub fn registers(context: &libc::ucontext_t) -> [u64; REGISTERS] {
    context.uc_mcontext.gregs.map(i64::cast_unsigned)
}

/// The stack pointer among `registers`.
pub fn stack_pointer(registers: &[u64; REGISTERS]) -> u64 {
    registers[RSP]
}
