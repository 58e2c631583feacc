//! Forwarders: functions that take every register and some words of the stack, and pass them on as they came.
//!
//! What a register means does not matter to them; only how many words of the stack are copied, whether the floating
//! registers count, and where the result is. A hook has to know its slot. Where floating registers do not count, each slot
//! has a stub of three instructions that puts its number into the first of them and jumps to the one forwarder of the
//! shape. Where they do, every register is taken, and the forwarder is made once for every slot.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::{POOLS, SLOTS};
#[cfg(target_arch = "x86_64")]
pub use x86_64::{POOLS, SLOTS};

use crate::runtime::Imp;
use agx_policy::abi::Returns;

/// A function's address in a table.
#[derive(Clone, Copy)]
pub struct Entry(pub *const ());

// SAFETY: the address of a function may be read from any thread.
unsafe impl Sync for Entry {}

/// Forwarders in a row of a table.
const ROW: usize = 16;

/// The forwarders of one shape.
pub struct Pool {
    /// Where the result is.
    pub returns: Returns,
    /// Whether floating registers are passed on.
    pub floats: bool,
    /// Words of the stack that are passed on.
    pub stack_words: usize,
    /// Number of the first slot.
    pub first: usize,
    table: &'static [[Entry; ROW]],
}

impl Pool {
    /// How many there are.
    pub fn capacity(&self) -> usize {
        self.table.len() * ROW
    }

    /// The code of one.
    pub fn forwarder(&self, index: usize) -> Imp {
        self.table[index / ROW][index % ROW].0.cast()
    }
}

/// What a forwarder returns.
trait Passed: Copy {
    /// What a call that is not made returns.
    const ZERO: Self;

    /// The first integer register, where an object is returned; 0 for other kinds.
    fn object(self) -> u64;
}

/// Two integer registers; also nothing, or one.
#[repr(C)]
#[derive(Clone, Copy)]
struct Integers(u64, u64);

impl Passed for Integers {
    const ZERO: Self = Self(0, 0);

    fn object(self) -> u64 {
        self.0
    }
}

/// A call of the hook `$slot`: enter, the original with all arguments, leave.
macro_rules! forward {
    ($slot:expr, $result:ty, $receiver:ident, ($($argument:ident: $kind:ty),*)) => {{
        let slot: usize = $slot;
        let call = $crate::hooks::engine::enter(slot, $receiver);
        if call.has($crate::hooks::engine::fact::SKIPPED) {
            return <$result as $crate::hooks::forward::Passed>::ZERO;
        }
        let open = $crate::hooks::engine::Open { number: slot, receiver: $receiver, call };
        // SAFETY: the original takes its arguments from these registers and stack words, as the shape of its type
        // encoding says; what it does not take, it does not read.
        let result = unsafe {
            let original: unsafe extern "C-unwind" fn($($kind),*) -> $result =
                std::mem::transmute($crate::hooks::slots::get(slot).original());
            original($($argument),*)
        };
        std::mem::forget(open);
        $crate::hooks::engine::leave(slot, $receiver, call, $crate::hooks::forward::Passed::object(result));
        result
    }};
}

/// One forwarder for each slot: its result, which argument is the receiver, and all arguments.
macro_rules! forwarder {
    ($name:ident, $result:ty, $receiver:ident, ($($argument:ident: $kind:ty),*)) => {
        /// # Safety
        /// Called by the runtime as the method whose original is in the slot.
        unsafe extern "C-unwind" fn $name<const SLOT: usize>($($argument: $kind),*) -> $result {
            forward!(SLOT, $result, $receiver, ($($argument: $kind),*))
        }
    };
}

/// One forwarder for all slots of a shape, `$common`, and its stubs, `$name`: the receiver, which is the first argument,
/// the other arguments in registers, and those on the stack.
macro_rules! shared_forwarder {
    ($name:ident, $common:ident, ($receiver:ident $(, $register:ident)*), ($($word:ident),*)) => {
        /// # Safety
        /// Jumped to by a stub, which was called by the runtime as the method whose original is in the slot. The slot's
        /// number is in the low half of the first floating register.
        unsafe extern "C-unwind" fn $common(
            $receiver: u64, $($register: u64,)* slot: f64, $($word: u64,)*
        ) -> $crate::hooks::forward::Integers {
            let slot = slot.to_bits() as u32 as usize;
            forward!(slot, $crate::hooks::forward::Integers, $receiver,
                ($receiver: u64 $(, $register: u64)* $(, $word: u64)*))
        }
        stub!($name, $common);
    };
}

/// A table of forwarders for slots from `$first` on, one row of sixteen for each `$row`.
macro_rules! table {
    ($name:ident, $first:expr, $($row:literal)*) => {{
        static TABLE: &[[$crate::hooks::forward::Entry; 16]] = &[$(table!(@row $name, $first + $row * 16)),*];
        TABLE
    }};
    (@row $name:ident, $base:expr) => {
        table!(@cells $name, $base, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    (@cells $name:ident, $base:expr, $($cell:literal)*) => {
        [$($crate::hooks::forward::Entry($name::<{ $base + $cell }> as *const ())),*]
    };
}

use {forward, forwarder, shared_forwarder, table};
