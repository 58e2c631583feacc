//! Sets of registers.

use std::fmt;

use super::{Register, ZERO};

/// A set of general registers and the stack pointer.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Registers(u32);

impl Registers {
    /// No register.
    pub const NONE: Registers = Registers(0);
    /// All of them, and the stack pointer.
    pub const ALL: Registers = Registers(u32::MAX);
    /// The stack pointer alone.
    pub const STACK: Registers = Registers(1 << ZERO);

    /// One general register; none for the zero register.
    pub const fn one(register: Register) -> Self {
        if register >= ZERO {
            Registers::NONE
        } else {
            Registers(1 << register)
        }
    }

    /// One general register, or the stack pointer.
    pub const fn or_stack(register: Register) -> Self {
        if register >= ZERO {
            Registers::STACK
        } else {
            Registers(1 << register)
        }
    }

    /// The general registers from `first` to `last`, both of them among it.
    pub const fn range(first: Register, last: Register) -> Self {
        let upto = (1u64 << (last + 1)) - 1;
        let below = (1u64 << first) - 1;
        #[allow(clippy::cast_possible_truncation)] // Registers end at 31.
        Registers((upto & !below) as u32)
    }

    /// Those of both sets.
    #[must_use]
    pub const fn and(self, other: Registers) -> Self {
        Registers(self.0 | other.0)
    }

    /// Those of this set that are not in the other.
    #[must_use]
    pub const fn without(self, other: Registers) -> Self {
        Registers(self.0 & !other.0)
    }

    /// Whether a general register is in it; the zero register never is.
    pub const fn has(self, register: Register) -> bool {
        register < ZERO && self.0 >> register & 1 != 0
    }

    /// Whether the stack pointer is in it.
    pub const fn has_stack(self) -> bool {
        self.0 >> ZERO != 0
    }

    /// Whether it has none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The general registers in it.
    pub fn iter(self) -> impl Iterator<Item = Register> {
        (0..ZERO).filter(move |register| self.has(*register))
    }
}

impl fmt::Display for Registers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let general = self.iter().map(|register| format!("x{register}"));
        let stack = self.has_stack().then(|| "sp".to_owned());
        let names: Vec<String> = general.chain(stack).collect();
        formatter.write_str(&names.join(", "))
    }
}

impl fmt::Debug for Registers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{{{self}}}")
    }
}

/// What an instruction needs and changes of the general registers and the flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effects {
    /// What it may read.
    pub reads: Registers,
    /// What it writes.
    pub writes: Registers,
    /// Whether it may read the flags.
    pub reads_flags: bool,
    /// Whether it writes the flags.
    pub writes_flags: bool,
    /// Whether all that is known. If not, it is said to read and write everything.
    pub known: bool,
}

impl Effects {
    pub(super) const UNKNOWN: Effects = Effects {
        reads: Registers::ALL,
        writes: Registers::ALL,
        reads_flags: true,
        writes_flags: true,
        known: false,
    };

    pub(super) const fn none() -> Self {
        Effects::of(Registers::NONE, Registers::NONE)
    }

    pub(super) const fn of(reads: Registers, writes: Registers) -> Self {
        Effects {
            reads,
            writes,
            reads_flags: false,
            writes_flags: false,
            known: true,
        }
    }

    #[must_use]
    pub(super) const fn reading_flags(self, reads_flags: bool) -> Self {
        Effects {
            reads_flags,
            ..self
        }
    }

    #[must_use]
    pub(super) const fn writing_flags(self, writes_flags: bool) -> Self {
        Effects {
            writes_flags,
            ..self
        }
    }
}
