//! Registers of an arm64 signal context.

/// x0 to x30, sp, pc, pstate and the fault address, in this order.
pub const REGISTERS: usize = 35;

/// The general registers of a signal context.
pub fn registers(context: &libc::ucontext_t) -> [u64; REGISTERS] {
    let machine = &context.uc_mcontext;
    let mut registers = [0; REGISTERS];
    registers[..31].copy_from_slice(&machine.regs);
    registers[31] = machine.sp;
    registers[32] = machine.pc;
    registers[33] = machine.pstate;
    registers[34] = machine.fault_address;
    registers
}

/// The stack pointer among `registers`.
pub fn stack_pointer(registers: &[u64; REGISTERS]) -> u64 {
    registers[31]
}
