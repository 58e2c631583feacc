//! What a register may be known to hold.

/// What is known of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing.
    Other,
    /// A number, or an address of the image.
    Constant(u64),
    /// The method's object, and bytes past it.
    Object(i64),
    /// Bytes past the stack pointer that the function was entered with.
    Stack(i64),
    /// The offset of an instance variable, which was loaded from the variable that has it. Only those
    /// called `_impl` are told from other numbers.
    ImplOffset {
        /// Where the variable with the offset stands.
        variable: u64,
    },
    /// The address of an `_impl` within its object.
    ImplField {
        /// Whether it is the method's object.
        of_self: bool,
    },
    /// What an `_impl` held.
    Impl(Pointer),
}

/// What an `_impl` held, and bytes past it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pointer {
    /// Which loads may have brought it: a bit each, by their order in [`Loads`].
    pub loads: u64,
    /// Bytes.
    pub offset: i64,
    /// What is known of it.
    pub checked: Checked,
    /// Whether it is that of the method's object.
    pub of_self: bool,
}

/// What is known of a pointer that may be NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Checked {
    /// Nothing.
    No,
    /// It was dereferenced, which NULL would not have survived.
    Dereferenced,
    /// It was compared with NULL and is another one.
    Tested,
}

impl Value {
    /// What both agree on.
    pub(super) fn meet(self, other: Value) -> Value {
        match (self, other) {
            (one, other) if one == other => one,
            (Value::ImplField { .. }, Value::ImplField { .. }) => {
                Value::ImplField { of_self: false }
            }
            (Value::Impl(one), Value::Impl(other)) if one.offset == other.offset => {
                Value::Impl(Pointer {
                    loads: one.loads | other.loads,
                    offset: one.offset,
                    checked: one.checked.min(other.checked),
                    of_self: one.of_self && other.of_self,
                })
            }
            _ => Value::Other,
        }
    }

    /// The sum with a number.
    pub(super) fn plus(self, bytes: i64, impl_at: Option<i64>) -> Value {
        match self {
            Value::Constant(number) => Value::Constant(number.wrapping_add_signed(bytes)),
            Value::Object(past) => Value::object(past.wrapping_add(bytes), impl_at),
            Value::Stack(past) => Value::Stack(past.wrapping_add(bytes)),
            Value::Impl(pointer) => Value::Impl(Pointer {
                offset: pointer.offset.wrapping_add(bytes),
                ..pointer
            }),
            value if bytes == 0 => value,
            Value::ImplField { of_self: true } => match impl_at {
                Some(at) => Value::object(at.wrapping_add(bytes), impl_at),
                None => Value::Other,
            },
            _ => Value::Other,
        }
    }

    /// The object's address and bytes past it; `impl_at` is where its `_impl` begins.
    pub(super) fn object(past: i64, impl_at: Option<i64>) -> Value {
        if impl_at == Some(past) {
            Value::ImplField { of_self: true }
        } else {
            Value::Object(past)
        }
    }

    /// The sum of two registers; `own` says whether an offset is that of the method's own `_impl`.
    pub(super) fn plus_register(
        self,
        other: Value,
        impl_at: Option<i64>,
        own: impl Fn(u64) -> bool,
    ) -> Value {
        match (self, other) {
            (Value::Object(0), Value::ImplOffset { variable })
            | (Value::ImplOffset { variable }, Value::Object(0)) => Value::ImplField {
                of_self: own(variable),
            },
            (Value::ImplOffset { .. }, _) | (_, Value::ImplOffset { .. }) => {
                Value::ImplField { of_self: false }
            }
            (value, Value::Constant(bytes)) | (Value::Constant(bytes), value) => {
                value.plus(bytes.cast_signed(), impl_at)
            }
            _ => Value::Other,
        }
    }
}

/// The places where an `_impl` is loaded, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Loads(Vec<u64>);

impl Loads {
    /// The bit of the load at `address`; none when there are too many.
    pub(super) fn bit(&mut self, address: u64) -> Option<u64> {
        let known = self.0.iter().position(|load| *load == address);
        let index = known.unwrap_or(self.0.len());
        if index >= 64 {
            return None;
        }
        if known.is_none() {
            self.0.push(address);
        }
        Some(1 << index)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The addresses that `bits` stand for.
    pub(super) fn addresses(&self, bits: u64) -> impl Iterator<Item = u64> + '_ {
        self.0
            .iter()
            .enumerate()
            .filter(move |(index, _)| bits >> index & 1 != 0)
            .map(|(_, address)| *address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: Pointer = Pointer {
        loads: 1,
        offset: 0,
        checked: Checked::No,
        of_self: true,
    };

    #[test]
    fn ways_agree_on_what_both_know() {
        let tested = Value::Impl(Pointer {
            loads: 2,
            checked: Checked::Tested,
            ..FRESH
        });
        assert_eq!(
            tested.meet(Value::Impl(FRESH)),
            Value::Impl(Pointer { loads: 3, ..FRESH })
        );
        assert_eq!(tested.meet(Value::Constant(0)), Value::Other);
        assert_eq!(Value::Object(8).meet(Value::Object(8)), Value::Object(8));
    }

    #[test]
    fn the_field_is_found_by_its_offset_and_by_the_variable_that_has_it() {
        let own = |variable| variable == 0x1000;
        let offset = Value::ImplOffset { variable: 0x1000 };
        let field = Value::ImplField { of_self: true };
        assert_eq!(Value::Object(0).plus_register(offset, None, own), field);
        assert_eq!(offset.plus_register(Value::Object(0), None, own), field);
        assert_eq!(
            Value::Other.plus_register(offset, None, own),
            Value::ImplField { of_self: false }
        );
        assert_eq!(Value::Object(8).plus(0x18, Some(0x20)), field);
        assert_eq!(field.plus(-0x20, Some(0x20)), Value::Object(0));
        assert_eq!(
            Value::Object(0).plus_register(Value::Constant(0x20), Some(0x20), own),
            field
        );
    }

    #[test]
    fn the_65th_load_has_no_bit() {
        let mut loads = Loads::default();
        for address in 0..64 {
            assert_eq!(loads.bit(address), Some(1 << address));
        }
        assert_eq!(loads.bit(64), None);
        assert_eq!(loads.bit(63), Some(1 << 63));
        assert_eq!(loads.addresses(0b101).collect::<Vec<_>>(), [0, 2]);
    }
}
