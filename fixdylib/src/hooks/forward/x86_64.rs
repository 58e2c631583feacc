//! System V, x86-64: six integer registers, eight floating ones. A hidden pointer to the result is the first argument and
//! comes back in rax, so that it is passed on like an integer.

use std::arch::naked_asm;
use std::mem::offset_of;

use super::{Pool, forward, shared_forwarder};
use crate::runtime::Imp;
use agx_policy::abi::MOST_STACK_WORDS;

/// Distance between two stubs.
pub const STUB_BYTES: usize = 16;

/// Registers and stack of a call, and its results.
#[repr(C)]
pub struct Frame {
    /// rdi, rsi, rdx, rcx, r8, r9.
    integers: [u64; 6],
    /// xmm0 to xmm7.
    floats: [[u64; 2]; 8],
    /// The arguments on the stack.
    stack: *const u64,
    /// The slot that was called.
    pub number: u64,
    /// rax, rdx.
    pub integer_results: [u64; 2],
    /// xmm0, xmm1.
    float_results: [[u64; 2]; 2],
    /// Words of arguments on the stack.
    pub words: u64,
    /// Keeps the stack aligned to 16 bytes.
    pad: u64,
}

impl Frame {
    /// The receiver; it comes after the pointer to a result `in_memory`.
    pub fn receiver(&self, in_memory: bool) -> u64 {
        self.integers[usize::from(in_memory)]
    }

    /// The result of a call that is not made.
    ///
    /// # Safety
    /// The frame is a call's whose result has so many bytes in memory.
    pub unsafe fn return_zeros(&mut self, result_bytes: usize) {
        self.integer_results = [0; 2];
        self.float_results = [[0; 2]; 2];
        if result_bytes > 0 {
            let room = self.integers[0];
            // SAFETY: promised by the caller.
            unsafe { (room as *mut u8).write_bytes(0, result_bytes) };
            self.integer_results[0] = room;
        }
    }
}

/// The stubs of a shared forwarder. eax belongs to nobody here: it counts vector registers for variadic functions alone.
macro_rules! plain_stubs {
    ($stubs:ident, $common:ident, $first:expr, $count:expr) => {
        /// Where the stubs begin.
        #[unsafe(naked)]
        unsafe extern "C" fn $stubs() -> *const u8 {
            naked_asm!(
                "lea rax, [rip + 2f]",
                "ret",
                ".balign 16",
                "2:",
                ".set agx_fix_slot, {first}",
                ".rept {count}",
                ".byte 0xb8", // mov eax, slot
                ".long agx_fix_slot",
                "movd xmm0, eax",
                "jmp {common}",
                ".balign 16",
                ".set agx_fix_slot, agx_fix_slot + 1",
                ".endr",
                first = const $first,
                count = const $count,
                common = sym $common,
            )
        }
    };
}

/// Where the stubs of [`full_entry`] begin. r11 is the one register that neither an argument nor a callee owns.
#[unsafe(naked)]
unsafe extern "C" fn full_stubs() -> *const u8 {
    naked_asm!(
        "lea rax, [rip + 2f]",
        "ret",
        ".balign 16",
        "2:",
        ".set agx_fix_slot, {first}",
        ".rept {count}",
        ".byte 0x41, 0xbb", // mov r11d, slot
        ".long agx_fix_slot",
        "jmp {entry}",
        ".balign 16",
        ".set agx_fix_slot, agx_fix_slot + 1",
        ".endr",
        first = const FULL,
        count = const FULL_COUNT,
        entry = sym full_entry,
    )
}

/// # Safety
/// Jumped to by a stub, which was called by the runtime as the method whose original is in the slot that r11 names.
#[unsafe(naked)]
unsafe extern "C-unwind" fn full_entry() {
    naked_asm!(
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "sub rsp, {size}",
        "mov [rsp], rdi",
        "mov [rsp + 8], rsi",
        "mov [rsp + 16], rdx",
        "mov [rsp + 24], rcx",
        "mov [rsp + 32], r8",
        "mov [rsp + 40], r9",
        "movups [rsp + {floats}], xmm0",
        "movups [rsp + {floats} + 16], xmm1",
        "movups [rsp + {floats} + 32], xmm2",
        "movups [rsp + {floats} + 48], xmm3",
        "movups [rsp + {floats} + 64], xmm4",
        "movups [rsp + {floats} + 80], xmm5",
        "movups [rsp + {floats} + 96], xmm6",
        "movups [rsp + {floats} + 112], xmm7",
        "lea rax, [rbp + 16]",
        "mov [rsp + {stack}], rax",
        "mov [rsp + {number}], r11",
        "mov rdi, rsp",
        "call {run}",
        "mov rax, [rsp + {integer_results}]",
        "mov rdx, [rsp + {integer_results} + 8]",
        "movups xmm0, [rsp + {float_results}]",
        "movups xmm1, [rsp + {float_results} + 16]",
        "leave",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
        size = const size_of::<Frame>(),
        floats = const offset_of!(Frame, floats),
        stack = const offset_of!(Frame, stack),
        number = const offset_of!(Frame, number),
        integer_results = const offset_of!(Frame, integer_results),
        float_results = const offset_of!(Frame, float_results),
        run = sym super::full::run,
    )
}

/// Calls `function` with the registers and the stack of `frame`, and leaves its results there.
///
/// # Safety
/// `function` takes what the frame holds, and `frame.stack` has `frame.words` words.
#[unsafe(naked)]
pub unsafe extern "C-unwind" fn invoke(function: Imp, frame: *mut Frame) {
    naked_asm!(
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "push rbx",
        ".cfi_offset rbx, -24",
        "sub rsp, 8",
        "mov r11, rdi",
        "mov rbx, rsi",
        "mov rcx, [rbx + {words}]",
        "lea rax, [rcx * 8 + 15]",
        "and rax, -16",
        "sub rsp, rax",
        "mov rsi, [rbx + {stack}]",
        "test rcx, rcx",
        "jz 3f",
        "2:",
        "mov rax, [rsi + rcx * 8 - 8]",
        "mov [rsp + rcx * 8 - 8], rax",
        "dec rcx",
        "jnz 2b",
        "3:",
        "movups xmm0, [rbx + {floats}]",
        "movups xmm1, [rbx + {floats} + 16]",
        "movups xmm2, [rbx + {floats} + 32]",
        "movups xmm3, [rbx + {floats} + 48]",
        "movups xmm4, [rbx + {floats} + 64]",
        "movups xmm5, [rbx + {floats} + 80]",
        "movups xmm6, [rbx + {floats} + 96]",
        "movups xmm7, [rbx + {floats} + 112]",
        "mov rdi, [rbx]",
        "mov rsi, [rbx + 8]",
        "mov rdx, [rbx + 16]",
        "mov rcx, [rbx + 24]",
        "mov r8, [rbx + 32]",
        "mov r9, [rbx + 40]",
        "mov eax, 8",
        "call r11",
        "mov [rbx + {integer_results}], rax",
        "mov [rbx + {integer_results} + 8], rdx",
        "movups [rbx + {float_results}], xmm0",
        "movups [rbx + {float_results} + 16], xmm1",
        "mov rbx, [rbp - 8]",
        "leave",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
        words = const offset_of!(Frame, words),
        stack = const offset_of!(Frame, stack),
        floats = const offset_of!(Frame, floats),
        integer_results = const offset_of!(Frame, integer_results),
        float_results = const offset_of!(Frame, float_results),
    )
}

shared_forwarder!(
    plain_stubs,
    plain_common,
    0,
    PLAIN_COUNT,
    (a, b, c, d, e, f),
    ()
);
shared_forwarder!(
    stack2_stubs,
    stack2_common,
    STACK2,
    STACK2_COUNT,
    (a, b, c, d, e, f),
    (s0, s1)
);
shared_forwarder!(
    stack6_stubs,
    stack6_common,
    STACK6,
    STACK6_COUNT,
    (a, b, c, d, e, f),
    (s0, s1, s2, s3, s4, s5)
);
shared_forwarder!(
    stack12_stubs,
    stack12_common,
    STACK12,
    STACK12_COUNT,
    (a, b, c, d, e, f),
    (s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11)
);

const PLAIN_COUNT: usize = 1792;
const STACK2_COUNT: usize = 256;
const STACK6_COUNT: usize = 192;
const STACK12_COUNT: usize = 128;
const FULL_COUNT: usize = 192;
const STACK2: usize = PLAIN_COUNT;
const STACK6: usize = STACK2 + STACK2_COUNT;
const STACK12: usize = STACK6 + STACK6_COUNT;
const FULL: usize = STACK12 + STACK12_COUNT;
/// All slots.
pub const SLOTS: usize = FULL + FULL_COUNT;

/// The shapes, those that copy least first: a method takes the first that carries it and has room. Capacities are for two
/// drivers with the classes of the dumps of macOS 14.6 and 15.6, and a quarter more, as a test counts.
pub static POOLS: [Pool; 5] = [
    Pool {
        full: false,
        stack_words: 0,
        first: 0,
        capacity: PLAIN_COUNT,
        stubs: plain_stubs,
    },
    Pool {
        full: false,
        stack_words: 2,
        first: STACK2,
        capacity: STACK2_COUNT,
        stubs: stack2_stubs,
    },
    Pool {
        full: false,
        stack_words: 6,
        first: STACK6,
        capacity: STACK6_COUNT,
        stubs: stack6_stubs,
    },
    Pool {
        full: false,
        stack_words: 12,
        first: STACK12,
        capacity: STACK12_COUNT,
        stubs: stack12_stubs,
    },
    Pool {
        full: true,
        stack_words: MOST_STACK_WORDS,
        first: FULL,
        capacity: FULL_COUNT,
        stubs: full_stubs,
    },
];
