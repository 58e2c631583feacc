//! Forwarders: functions that take every register and some words of the stack, and pass them on as they came.
//!
//! What a register means does not matter to them; only how many words of the stack are copied, whether the floating
//! registers count, and where the result is. A hook has to know its slot: each slot has a stub of a few instructions that
//! puts the slot's number into a register that carries nothing, and jumps to the one forwarder of its pool. Where no
//! floating register counts, that register is the first of them, and the forwarder is plain Rust. [`full`] carries all
//! else: it saves the registers to memory and loads them again for the original.
//!
//! The stubs of a pool stand in a row, so that a hook is known by its address.

#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod machine;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod machine;

mod full;

pub use machine::{POOLS, SLOTS};

use crate::runtime::Imp;
use agx_policy::abi::{Returns, Shape};

/// The forwarders of one shape.
pub struct Pool {
    /// Whether floating registers, and any kind of result, are passed on; otherwise integer registers only.
    pub full: bool,
    /// Words of the stack that are passed on.
    pub stack_words: usize,
    /// Number of the first slot.
    pub first: usize,
    /// How many there are.
    pub capacity: usize,
    /// Where the stubs begin. They stand [`STUB_BYTES`](machine::STUB_BYTES) apart.
    stubs: unsafe extern "C" fn() -> *const u8,
}

impl Pool {
    /// Whether a method of this shape can go through it.
    pub fn carries(&self, shape: Shape) -> bool {
        let plain = shape.returns == Returns::Integers && !shape.floats;
        (self.full || plain) && shape.stack_words <= self.stack_words
    }

    fn stubs(&self) -> *const u8 {
        // SAFETY: the function takes nothing, changes nothing, and returns an address inside itself.
        unsafe { (self.stubs)() }
    }

    /// The code of one, below its capacity.
    pub fn forwarder(&self, index: usize) -> Imp {
        self.stubs()
            .wrapping_add(index * machine::STUB_BYTES)
            .cast()
    }

    /// Which of its forwarders this code is.
    pub fn index_of(&self, code: Imp) -> Option<usize> {
        let distance = code.addr().checked_sub(self.stubs().addr())?;
        let index = distance / machine::STUB_BYTES;
        (distance.is_multiple_of(machine::STUB_BYTES) && index < self.capacity).then_some(index)
    }
}

/// What the plain forwarders return: the integer registers. Also nothing, or one of them.
#[repr(C)]
#[derive(Clone, Copy)]
struct Integers(u64, u64);

/// A call of the hook `$slot`: enter, the original with all arguments, leave.
macro_rules! forward {
    ($slot:expr, $receiver:ident, ($($argument:ident),*)) => {{
        let slot: usize = $slot;
        let call = $crate::hooks::quick::enter(slot, $receiver);
        if call.has($crate::hooks::engine::fact::SKIPPED) {
            return $crate::hooks::forward::Integers(0, 0);
        }
        let open = $crate::hooks::engine::Open { number: slot, receiver: $receiver, call };
        // SAFETY: the original takes its arguments from these registers and stack words, as the shape of its type
        // encoding says; what it does not take, it does not read.
        let result = unsafe {
            let original: unsafe extern "C-unwind" fn($(forward!(@word $argument)),*)
                -> $crate::hooks::forward::Integers =
                std::mem::transmute($crate::hooks::slots::get(slot).original());
            original($($argument),*)
        };
        std::mem::forget(open);
        $crate::hooks::quick::leave(slot, $receiver, call, result.0);
        result
    }};
    (@word $argument:ident) => { u64 };
}

/// One forwarder for all slots of a pool, `$common`, and its stubs, `$stubs`: the receiver, which is the first argument,
/// the other arguments in registers, and those on the stack.
macro_rules! shared_forwarder {
    ($stubs:ident, $common:ident, $first:expr, $count:expr, ($receiver:ident $(, $register:ident)*), ($($word:ident),*)) => {
        /// # Safety
        /// Jumped to by a stub, which was called by the runtime as the method whose original is in the slot. The slot's
        /// number is in the low half of the first floating register.
        unsafe extern "C-unwind" fn $common(
            $receiver: u64, $($register: u64,)* slot: f64, $($word: u64,)*
        ) -> $crate::hooks::forward::Integers {
            let slot = slot.to_bits() as u32 as usize;
            forward!(slot, $receiver, ($receiver $(, $register)* $(, $word)*))
        }
        plain_stubs!($stubs, $common, $first, $count);
    };
}

use {forward, shared_forwarder};

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
