//! Apple arm64: eight general registers, eight floating ones, packed words on the stack. A result in memory goes where x8
//! points, for which the forwarder's own result must have the very size.

use super::{Integers, Passed, Pool, forward, forwarder, shared_forwarder, table};
use agx_policy::abi::Returns;

/// v0 to v3. The bits are moved, never computed with, so that `float`s in the low halves survive.
#[repr(C)]
#[derive(Clone, Copy)]
struct Floats(f64, f64, f64, f64);

impl Passed for Floats {
    const ZERO: Self = Self(0.0, 0.0, 0.0, 0.0);

    fn object(self) -> u64 {
        0
    }
}

/// So many words in memory.
#[repr(C)]
#[derive(Clone, Copy)]
struct Memory<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Passed for Memory<WORDS> {
    const ZERO: Self = Self([0; WORDS]);

    fn object(self) -> u64 {
        0
    }
}

/// The stubs of a shared forwarder. x16 may be changed between a call and its function (AAPCS64, "IP0").
macro_rules! stub {
    ($name:ident, $common:ident) => {
        /// # Safety
        /// Called by the runtime as the method whose original is in the slot.
        #[unsafe(naked)]
        unsafe extern "C-unwind" fn $name<const SLOT: usize>() {
            core::arch::naked_asm!(
                "mov w16, #{slot}",
                "fmov s0, w16",
                "b {common}",
                slot = const SLOT,
                common = sym $common,
            )
        }
    };
}

shared_forwarder!(plain, plain_common, (a, b, c, d, e, f, g, h), ());
shared_forwarder!(
    stack4,
    stack4_common,
    (a, b, c, d, e, f, g, h),
    (s0, s1, s2, s3)
);
forwarder!(floats12, Integers, a, (a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64, h: u64,
    x0: f64, x1: f64, x2: f64, x3: f64, x4: f64, x5: f64, x6: f64, x7: f64,
    s0: u64, s1: u64, s2: u64, s3: u64, s4: u64, s5: u64, s6: u64, s7: u64, s8: u64, s9: u64, s10: u64, s11: u64));
forwarder!(to_floats, Floats, a, (a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64, h: u64,
    x0: f64, x1: f64, x2: f64, x3: f64, x4: f64, x5: f64, x6: f64, x7: f64, s0: u64, s1: u64, s2: u64, s3: u64));
forwarder!(to_three, Memory<3>, a, (a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64, h: u64,
    x0: f64, x1: f64, x2: f64, x3: f64, x4: f64, x5: f64, x6: f64, x7: f64, s0: u64, s1: u64, s2: u64, s3: u64));
forwarder!(to_four, Memory<4>, a, (a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64, h: u64,
    x0: f64, x1: f64, x2: f64, x3: f64, x4: f64, x5: f64, x6: f64, x7: f64, s0: u64, s1: u64, s2: u64, s3: u64));
forwarder!(to_six, Memory<6>, a, (a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64, h: u64,
    x0: f64, x1: f64, x2: f64, x3: f64, x4: f64, x5: f64, x6: f64, x7: f64, s0: u64, s1: u64, s2: u64, s3: u64));

const STACK4: usize = 448;
const FLOATS12: usize = STACK4 + 48;
const TO_FLOATS: usize = FLOATS12 + 48;
const TO_THREE: usize = TO_FLOATS + 16;
const TO_FOUR: usize = TO_THREE + 16;
const TO_SIX: usize = TO_FOUR + 16;
/// All slots.
pub const SLOTS: usize = TO_SIX + 16;

/// The shapes, those that copy least first: a method takes the first that carries it and has room. Capacities follow the
/// class dumps of macOS 14.6 and 15.6, with room for as much again.
pub static POOLS: [Pool; 7] = [
    Pool {
        returns: Returns::Integers,
        floats: false,
        stack_words: 0,
        first: 0,
        table: table!(plain, 0, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27),
    },
    Pool {
        returns: Returns::Integers,
        floats: false,
        stack_words: 4,
        first: STACK4,
        table: table!(stack4, STACK4, 0 1 2),
    },
    Pool {
        returns: Returns::Integers,
        floats: true,
        stack_words: 12,
        first: FLOATS12,
        table: table!(floats12, FLOATS12, 0 1 2),
    },
    Pool {
        returns: Returns::Floats,
        floats: true,
        stack_words: 4,
        first: TO_FLOATS,
        table: table!(to_floats, TO_FLOATS, 0),
    },
    Pool {
        returns: Returns::Memory(24),
        floats: true,
        stack_words: 4,
        first: TO_THREE,
        table: table!(to_three, TO_THREE, 0),
    },
    Pool {
        returns: Returns::Memory(32),
        floats: true,
        stack_words: 4,
        first: TO_FOUR,
        table: table!(to_four, TO_FOUR, 0),
    },
    Pool {
        returns: Returns::Memory(48),
        floats: true,
        stack_words: 4,
        first: TO_SIX,
        table: table!(to_six, TO_SIX, 0),
    },
];
