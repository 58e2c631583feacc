//! System V, x86-64: six integer registers, eight floating ones. A hidden pointer to the result is the first argument
//! and comes back in rax, so that it is passed on like an integer.

use super::{Integers, Passed, Pool, forward, forwarder, shared_forwarder, table};
use agx_policy::abi::Returns;

/// xmm0 and xmm1. The bits are moved, never computed with, so that a `float` in the low half survives.
#[repr(C)]
#[derive(Clone, Copy)]
struct Floats(f64, f64);

impl Passed for Floats {
    const ZERO: Self = Self(0.0, 0.0);

    fn object(self) -> u64 {
        0
    }
}

/// rax and xmm0, whichever comes first in the structure.
#[repr(C)]
#[derive(Clone, Copy)]
struct Mixed(u64, f64);

impl Passed for Mixed {
    const ZERO: Self = Self(0, 0.0);

    fn object(self) -> u64 {
        0
    }
}

/// The stubs of a shared forwarder. eax belongs to nobody here: it counts vector registers for variadic functions alone.
macro_rules! stub {
    ($name:ident, $common:ident) => {
        /// # Safety
        /// Called by the runtime as the method whose original is in the slot.
        #[unsafe(naked)]
        unsafe extern "C-unwind" fn $name<const SLOT: usize>() {
            core::arch::naked_asm!(
                "mov eax, {slot}",
                "movd xmm0, eax",
                "jmp {common}",
                slot = const SLOT,
                common = sym $common,
            )
        }
    };
}

shared_forwarder!(plain, plain_common, (a, b, c, d, e, f), ());
shared_forwarder!(stack2, stack2_common, (a, b, c, d, e, f), (s0, s1));
shared_forwarder!(
    stack6,
    stack6_common,
    (a, b, c, d, e, f),
    (s0, s1, s2, s3, s4, s5)
);
shared_forwarder!(
    stack12,
    stack12_common,
    (a, b, c, d, e, f),
    (s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11)
);
forwarder!(floats, Integers, a, (a: u64, b: u64, c: u64, d: u64, e: u64, f: u64,
    x0: f64, x1: f64, x2: f64, x3: f64, x4: f64, x5: f64, x6: f64, x7: f64));
forwarder!(floats16, Integers, a, (a: u64, b: u64, c: u64, d: u64, e: u64, f: u64,
    x0: f64, x1: f64, x2: f64, x3: f64, x4: f64, x5: f64, x6: f64, x7: f64,
    s0: u64, s1: u64, s2: u64, s3: u64, s4: u64, s5: u64, s6: u64, s7: u64, s8: u64, s9: u64, s10: u64, s11: u64,
    s12: u64, s13: u64, s14: u64, s15: u64));
forwarder!(to_floats, Floats, a, (a: u64, b: u64, c: u64, d: u64, e: u64, f: u64,
    x0: f64, x1: f64, x2: f64, x3: f64, x4: f64, x5: f64, x6: f64, x7: f64,
    s0: u64, s1: u64, s2: u64, s3: u64, s4: u64, s5: u64));
forwarder!(to_mixed, Mixed, a, (a: u64, b: u64, c: u64, d: u64, e: u64, f: u64,
    x0: f64, x1: f64, x2: f64, x3: f64, x4: f64, x5: f64, x6: f64, x7: f64,
    s0: u64, s1: u64, s2: u64, s3: u64, s4: u64, s5: u64));
forwarder!(to_memory, Integers, b, (a: u64, b: u64, c: u64, d: u64, e: u64, f: u64,
    x0: f64, x1: f64, x2: f64, x3: f64, x4: f64, x5: f64, x6: f64, x7: f64,
    s0: u64, s1: u64, s2: u64, s3: u64, s4: u64, s5: u64, s6: u64, s7: u64, s8: u64, s9: u64, s10: u64, s11: u64));

const STACK2: usize = 384;
const STACK6: usize = STACK2 + 48;
const STACK12: usize = STACK6 + 48;
const FLOATS: usize = STACK12 + 32;
const FLOATS16: usize = FLOATS + 32;
const TO_FLOATS: usize = FLOATS16 + 16;
const TO_MIXED: usize = TO_FLOATS + 16;
const TO_MEMORY: usize = TO_MIXED + 16;
/// All slots.
pub const SLOTS: usize = TO_MEMORY + 16;

/// The shapes, those that copy least first: a method takes the first that carries it and has room. Capacities follow the
/// class dumps of macOS 14.6 and 15.6, with room for as much again.
pub static POOLS: [Pool; 9] = [
    Pool {
        returns: Returns::Integers,
        floats: false,
        stack_words: 0,
        first: 0,
        table: table!(plain, 0, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23),
    },
    Pool {
        returns: Returns::Integers,
        floats: false,
        stack_words: 2,
        first: STACK2,
        table: table!(stack2, STACK2, 0 1 2),
    },
    Pool {
        returns: Returns::Integers,
        floats: false,
        stack_words: 6,
        first: STACK6,
        table: table!(stack6, STACK6, 0 1 2),
    },
    Pool {
        returns: Returns::Integers,
        floats: false,
        stack_words: 12,
        first: STACK12,
        table: table!(stack12, STACK12, 0 1),
    },
    Pool {
        returns: Returns::Integers,
        floats: true,
        stack_words: 0,
        first: FLOATS,
        table: table!(floats, FLOATS, 0 1),
    },
    Pool {
        returns: Returns::Integers,
        floats: true,
        stack_words: 16,
        first: FLOATS16,
        table: table!(floats16, FLOATS16, 0),
    },
    Pool {
        returns: Returns::Floats,
        floats: true,
        stack_words: 6,
        first: TO_FLOATS,
        table: table!(to_floats, TO_FLOATS, 0),
    },
    Pool {
        returns: Returns::Mixed,
        floats: true,
        stack_words: 6,
        first: TO_MIXED,
        table: table!(to_mixed, TO_MIXED, 0),
    },
    Pool {
        returns: Returns::Memory(0),
        floats: true,
        stack_words: 12,
        first: TO_MEMORY,
        table: table!(to_memory, TO_MEMORY, 0),
    },
];
