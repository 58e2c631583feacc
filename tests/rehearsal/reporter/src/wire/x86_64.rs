//! Registers of an x86-64 signal context.

/// `gregs` of `ucontext_t`, indexed by `libc::REG_*`.
pub const REGISTERS: usize = 23;

/// The general registers of a signal context.
pub fn registers(context: &libc::ucontext_t) -> [u64; REGISTERS] {
    context.uc_mcontext.gregs.map(i64::cast_unsigned)
}

/// The stack pointer among `registers`.
pub fn stack_pointer(registers: &[u64; REGISTERS]) -> u64 {
    registers[15] // libc::REG_RSP
}
