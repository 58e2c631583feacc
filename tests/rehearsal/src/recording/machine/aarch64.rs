//! AAPCS64.

use std::arch::naked_asm;

/// Distance between two slots' code.
pub const THUNK_BYTES: usize = 8;

/// Registers and stack of a call, on either side of it.
#[repr(C)]
pub struct Frame {
    /// x0 to x8; the last is where a result in memory goes.
    pub integers: [u64; 10],
    /// q0 to q7.
    pub floats: [[u64; 2]; 8],
    /// The arguments on the stack.
    pub stack: *const u64,
    /// Entry: the slot that was called. Caller: words on the stack.
    pub number: u64,
    /// x0, x1.
    pub integer_results: [u64; 2],
    /// q0 to q3.
    pub float_results: [[u64; 2]; 4],
}

/// Calls `function` with the registers and the stack of `frame`, and leaves the results there.
///
/// # Safety
/// `function` takes what the frame holds; `frame.stack` has `frame.number` words.
#[unsafe(naked)]
pub unsafe extern "C-unwind" fn call(function: *const (), frame: *mut Frame) {
    naked_asm!(
        "stp x29, x30, [sp, #-32]!",
        "mov x29, sp",
        "str x19, [sp, #16]",
        "mov x16, x0",
        "mov x19, x1",
        "ldr x10, [x19, #216]",
        "ldr x11, [x19, #208]",
        "lsl x12, x10, #3",
        "add x12, x12, #15",
        "and x12, x12, #-16",
        "sub sp, sp, x12",
        "mov x13, sp",
        "2:",
        "cbz x10, 3f",
        "ldr x14, [x11], #8",
        "str x14, [x13], #8",
        "sub x10, x10, #1",
        "b 2b",
        "3:",
        "ldp q0, q1, [x19, #80]",
        "ldp q2, q3, [x19, #112]",
        "ldp q4, q5, [x19, #144]",
        "ldp q6, q7, [x19, #176]",
        "ldp x0, x1, [x19]",
        "ldp x2, x3, [x19, #16]",
        "ldp x4, x5, [x19, #32]",
        "ldp x6, x7, [x19, #48]",
        "ldr x8, [x19, #64]",
        "blr x16",
        "stp x0, x1, [x19, #224]",
        "stp q0, q1, [x19, #240]",
        "stp q2, q3, [x19, #272]",
        "mov sp, x29",
        "ldr x19, [sp, #16]",
        "ldp x29, x30, [sp], #32",
        "ret",
    )
}

/// Where every slot's code leads: saves the arguments, has them recorded, and returns what the recorder says.
#[unsafe(naked)]
unsafe extern "C-unwind" fn enter() {
    naked_asm!(
        "stp x29, x30, [sp, #-16]!", "mov x29, sp", "sub sp, sp, #304",
        "stp x0, x1, [sp]", "stp x2, x3, [sp, #16]", "stp x4, x5, [sp, #32]", "stp x6, x7, [sp, #48]", "str x8, [sp, #64]",
        "stp q0, q1, [sp, #80]", "stp q2, q3, [sp, #112]", "stp q4, q5, [sp, #144]", "stp q6, q7, [sp, #176]",
        "add x9, x29, #16", "str x9, [sp, #208]", "str x16, [sp, #216]",
        "mov x0, sp", "bl {record}",
        "ldp x0, x1, [sp, #224]", "ldp q0, q1, [sp, #240]", "ldp q2, q3, [sp, #272]",
        "mov sp, x29", "ldp x29, x30, [sp], #16", "ret",
        record = sym crate::recording::session::record,
    )
}

/// The first slot's code; the others follow. x16 is the one register that neither an argument nor a callee owns.
#[unsafe(naked)]
pub unsafe extern "C" fn thunks() -> *const u8 {
    naked_asm!(
        "adr x0, 2f", "ret",
        "2:",
        ".set agx_rehearsal_slot, 0",
        ".rept {slots}",
        ".long 0x52800010 | (agx_rehearsal_slot << 5)", // mov w16, #slot
        "b {enter}",
        ".set agx_rehearsal_slot, agx_rehearsal_slot + 1",
        ".endr",
        slots = const super::SLOTS,
        enter = sym enter,
    )
}
