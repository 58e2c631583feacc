//! System V, x86-64.

use std::arch::naked_asm;

/// Distance between two slots' code.
pub const THUNK_BYTES: usize = 16;

/// Registers and stack of a call, on either side of it.
#[repr(C)]
pub struct Frame {
    /// rdi, rsi, rdx, rcx, r8, r9.
    pub integers: [u64; 6],
    /// xmm0 to xmm7.
    pub floats: [[u64; 2]; 8],
    /// The arguments on the stack.
    pub stack: *const u64,
    /// Entry: the slot that was called. Caller: words on the stack.
    pub number: u64,
    /// rax, rdx.
    pub integer_results: [u64; 2],
    /// xmm0, xmm1.
    pub float_results: [[u64; 2]; 2],
}

/// Calls `function` with the registers and the stack of `frame`, and leaves the results there.
///
/// # Safety
/// `function` takes what the frame holds; `frame.stack` has `frame.number` words.
#[unsafe(naked)]
pub unsafe extern "C-unwind" fn call(function: *const (), frame: *mut Frame) {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rbx",
        "push r12",
        "mov r11, rdi",
        "mov rbx, rsi",
        "mov rcx, [rbx+184]",
        "lea rax, [rcx*8+15]",
        "and rax, -16",
        "sub rsp, rax",
        "mov rsi, [rbx+176]",
        "mov rdi, rsp",
        "cld",
        "rep movsq",
        "movups xmm0, [rbx+48]",
        "movups xmm1, [rbx+64]",
        "movups xmm2, [rbx+80]",
        "movups xmm3, [rbx+96]",
        "movups xmm4, [rbx+112]",
        "movups xmm5, [rbx+128]",
        "movups xmm6, [rbx+144]",
        "movups xmm7, [rbx+160]",
        "mov rdi, [rbx]",
        "mov rsi, [rbx+8]",
        "mov rdx, [rbx+16]",
        "mov rcx, [rbx+24]",
        "mov r8, [rbx+32]",
        "mov r9, [rbx+40]",
        "mov eax, 8",
        "call r11",
        "mov [rbx+192], rax",
        "mov [rbx+200], rdx",
        "movups [rbx+208], xmm0",
        "movups [rbx+224], xmm1",
        "lea rsp, [rbp-16]",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// Where every slot's code leads: saves the arguments, has them recorded, and returns what the recorder says.
#[unsafe(naked)]
unsafe extern "C-unwind" fn enter() {
    naked_asm!(
        "push rbp", "mov rbp, rsp", "sub rsp, 240",
        "mov [rsp], rdi", "mov [rsp+8], rsi", "mov [rsp+16], rdx", "mov [rsp+24], rcx", "mov [rsp+32], r8", "mov [rsp+40], r9",
        "movups [rsp+48], xmm0", "movups [rsp+64], xmm1", "movups [rsp+80], xmm2", "movups [rsp+96], xmm3",
        "movups [rsp+112], xmm4", "movups [rsp+128], xmm5", "movups [rsp+144], xmm6", "movups [rsp+160], xmm7",
        "lea rax, [rbp+16]", "mov [rsp+176], rax", "mov [rsp+184], r11",
        "mov rdi, rsp", "call {record}",
        "mov rax, [rsp+192]", "mov rdx, [rsp+200]", "movups xmm0, [rsp+208]", "movups xmm1, [rsp+224]",
        "leave", "ret",
        record = sym crate::recording::session::record,
    )
}

/// The first slot's code; the others follow. r11 is the one register that neither an argument nor a callee owns.
#[unsafe(naked)]
pub unsafe extern "C" fn thunks() -> *const u8 {
    naked_asm!(
        "lea rax, [rip + 2f]", "ret",
        ".balign 16",
        "2:",
        ".set agx_rehearsal_slot, 0",
        ".rept {slots}",
        ".byte 0x41, 0xbb", ".long agx_rehearsal_slot", // mov r11d, slot
        "jmp {enter}",
        ".balign 16",
        ".set agx_rehearsal_slot, agx_rehearsal_slot + 1",
        ".endr",
        slots = const super::SLOTS,
        enter = sym enter,
    )
}
