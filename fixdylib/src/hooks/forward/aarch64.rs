//! Apple arm64: eight general registers, eight floating ones, packed words on the stack. A result in memory goes where x8
//! points.

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
    /// x0 to x8.
    integers: [u64; 9],
    /// The slot that was called.
    pub number: u64,
    /// q0 to q7.
    floats: [[u64; 2]; 8],
    /// The arguments on the stack.
    stack: *const u64,
    /// Words of arguments on the stack.
    pub words: u64,
    /// x0, x1.
    pub integer_results: [u64; 2],
    /// q0 to q3.
    float_results: [[u64; 2]; 4],
}

impl Frame {
    /// The receiver.
    pub fn receiver(&self, _in_memory: bool) -> u64 {
        self.integers[0]
    }

    /// The result of a call that is not made.
    ///
    /// # Safety
    /// The frame is a call's whose result has so many bytes in memory.
    pub unsafe fn return_zeros(&mut self, result_bytes: usize) {
        self.integer_results = [0; 2];
        self.float_results = [[0; 2]; 4];
        // SAFETY: promised by the caller.
        unsafe { (self.integers[8] as *mut u8).write_bytes(0, result_bytes) };
    }
}

/// The stubs of a shared forwarder. x16 may be changed between a call and its function (AAPCS64, "IP0").
macro_rules! plain_stubs {
    ($stubs:ident, $common:ident, $first:expr, $count:expr) => {
        /// Where the stubs begin.
        #[unsafe(naked)]
        unsafe extern "C" fn $stubs() -> *const u8 {
            naked_asm!(
                "adr x0, 2f",
                "ret",
                ".balign 16",
                "2:",
                ".set agx_fix_slot, {first}",
                ".rept {count}",
                ".long 0x52800010 | (agx_fix_slot << 5)", // mov w16, slot
                "fmov s0, w16",
                "b {common}",
                "nop",
                ".set agx_fix_slot, agx_fix_slot + 1",
                ".endr",
                first = const $first,
                count = const $count,
                common = sym $common,
            )
        }
    };
}

/// Where the stubs of [`full_entry`] begin.
#[unsafe(naked)]
unsafe extern "C" fn full_stubs() -> *const u8 {
    naked_asm!(
        "adr x0, 2f",
        "ret",
        ".balign 16",
        "2:",
        ".set agx_fix_slot, {first}",
        ".rept {count}",
        ".long 0x52800010 | (agx_fix_slot << 5)", // mov w16, slot
        "b {entry}",
        "nop",
        "nop",
        ".set agx_fix_slot, agx_fix_slot + 1",
        ".endr",
        first = const FULL,
        count = const FULL_COUNT,
        entry = sym full_entry,
    )
}

/// # Safety
/// Jumped to by a stub, which was called by the runtime as the method whose original is in the slot that x16 names.
#[unsafe(naked)]
unsafe extern "C-unwind" fn full_entry() {
    naked_asm!(
        ".cfi_startproc",
        "stp x29, x30, [sp, #-16]!",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset w30, -8",
        ".cfi_offset w29, -16",
        "mov x29, sp",
        ".cfi_def_cfa w29, 16",
        "sub sp, sp, #{size}",
        "stp x0, x1, [sp]",
        "stp x2, x3, [sp, #16]",
        "stp x4, x5, [sp, #32]",
        "stp x6, x7, [sp, #48]",
        "stp x8, x16, [sp, #64]",
        "stp q0, q1, [sp, #{floats}]",
        "stp q2, q3, [sp, #{floats} + 32]",
        "stp q4, q5, [sp, #{floats} + 64]",
        "stp q6, q7, [sp, #{floats} + 96]",
        "add x9, x29, #16",
        "str x9, [sp, #{stack}]",
        "mov x0, sp",
        "bl {run}",
        "ldp x0, x1, [sp, #{integer_results}]",
        "ldp q0, q1, [sp, #{float_results}]",
        "ldp q2, q3, [sp, #{float_results} + 32]",
        "mov sp, x29",
        ".cfi_def_cfa wsp, 16",
        "ldp x29, x30, [sp], #16",
        ".cfi_def_cfa_offset 0",
        ".cfi_restore w30",
        ".cfi_restore w29",
        "ret",
        ".cfi_endproc",
        size = const size_of::<Frame>(),
        floats = const offset_of!(Frame, floats),
        stack = const offset_of!(Frame, stack),
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
        "stp x29, x30, [sp, #-32]!",
        ".cfi_def_cfa_offset 32",
        ".cfi_offset w30, -24",
        ".cfi_offset w29, -32",
        "mov x29, sp",
        ".cfi_def_cfa w29, 32",
        "str x19, [sp, #16]",
        ".cfi_offset w19, -16",
        "mov x16, x0",
        "mov x19, x1",
        "ldp x11, x10, [x19, #{stack}]",
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
        "ldp q0, q1, [x19, #{floats}]",
        "ldp q2, q3, [x19, #{floats} + 32]",
        "ldp q4, q5, [x19, #{floats} + 64]",
        "ldp q6, q7, [x19, #{floats} + 96]",
        "ldp x0, x1, [x19]",
        "ldp x2, x3, [x19, #16]",
        "ldp x4, x5, [x19, #32]",
        "ldp x6, x7, [x19, #48]",
        "ldr x8, [x19, #64]",
        "blr x16",
        "stp x0, x1, [x19, #{integer_results}]",
        "stp q0, q1, [x19, #{float_results}]",
        "stp q2, q3, [x19, #{float_results} + 32]",
        "mov sp, x29",
        ".cfi_def_cfa wsp, 32",
        "ldr x19, [sp, #16]",
        "ldp x29, x30, [sp], #32",
        ".cfi_def_cfa_offset 0",
        ".cfi_restore w19",
        ".cfi_restore w30",
        ".cfi_restore w29",
        "ret",
        ".cfi_endproc",
        stack = const offset_of!(Frame, stack),
        floats = const offset_of!(Frame, floats),
        integer_results = const offset_of!(Frame, integer_results),
        float_results = const offset_of!(Frame, float_results),
    )
}

/// The stack's address and its words are loaded by one instruction, and quadwords from multiples of sixteen.
const _: () = assert!(
    offset_of!(Frame, words) == offset_of!(Frame, stack) + 8
        && offset_of!(Frame, number) == 72
        && offset_of!(Frame, floats).is_multiple_of(16)
        && offset_of!(Frame, float_results).is_multiple_of(16)
        && size_of::<Frame>().is_multiple_of(16)
);

shared_forwarder!(
    plain_stubs,
    plain_common,
    0,
    PLAIN_COUNT,
    (a, b, c, d, e, f, g, h),
    ()
);
shared_forwarder!(
    stack4_stubs,
    stack4_common,
    STACK4,
    STACK4_COUNT,
    (a, b, c, d, e, f, g, h),
    (s0, s1, s2, s3)
);

const PLAIN_COUNT: usize = 2048;
const STACK4_COUNT: usize = 256;
const FULL_COUNT: usize = 192;
const STACK4: usize = PLAIN_COUNT;
const FULL: usize = STACK4 + STACK4_COUNT;
/// All slots.
pub const SLOTS: usize = FULL + FULL_COUNT;

/// The shapes, those that copy least first: a method takes the first that carries it and has room. Capacities are for two
/// drivers with the classes of the dumps of macOS 14.6 and 15.6, and a quarter more, as a test counts.
pub static POOLS: [Pool; 3] = [
    Pool {
        full: false,
        stack_words: 0,
        first: 0,
        capacity: PLAIN_COUNT,
        stubs: plain_stubs,
    },
    Pool {
        full: false,
        stack_words: 4,
        first: STACK4,
        capacity: STACK4_COUNT,
        stubs: stack4_stubs,
    },
    Pool {
        full: true,
        stack_words: MOST_STACK_WORDS,
        first: FULL,
        capacity: FULL_COUNT,
        stubs: full_stubs,
    },
];
