//! Loads and stores.

use super::{Event, Known, Surroundings};
use crate::audit::arm64::{Access, Extend, Instruction, Offset, Operation, Register};
use crate::audit::race::value::{Checked, Loads, Pointer, Value};

/// One access to memory, while it is looked at.
pub(super) struct Memory<'k, S> {
    pub known: &'k mut Known,
    around: &'k S,
    pub address: Option<Value>,
    /// The base register, and by how many bytes it is moved.
    moved: Option<(Register, i64)>,
    events: &'k mut Vec<Event>,
}

impl<'k, S: Surroundings> Memory<'k, S> {
    /// Looks at where it goes, and whether that is behind an `_impl`.
    pub(super) fn new(
        known: &'k mut Known,
        around: &'k S,
        operation: Operation,
        events: &'k mut Vec<Event>,
    ) -> Self {
        let (mut address, mut moved) = (None, None);
        if let Some((register, offset, store)) = operation.memory() {
            let base = known.base(register);
            let at = known.address(base, offset, around);
            if let Offset::PreIndex(bytes) | Offset::PostIndex(bytes) = offset {
                moved = Some((register, bytes));
            }
            let pointer = match (at, base) {
                (Value::Impl(pointer), _) => Some((pointer, Some(pointer.offset))),
                // A computed distance from it.
                (Value::Other, Value::Impl(pointer)) => Some((pointer, None)),
                _ => None,
            };
            if let Some((pointer, at)) = pointer {
                events.push(Event::Dereferences { pointer, at, store });
                known.check(pointer, Checked::Dereferenced);
            }
            address = Some(at);
        }
        Memory {
            known,
            around,
            address,
            moved,
            events,
        }
    }

    /// What a register holds that was loaded from `past` bytes behind the address.
    pub(super) fn loaded(
        &mut self,
        at: u64,
        access: Access,
        past: i64,
        loads: &mut Loads,
    ) -> Value {
        let Some(address) = self.address else {
            return Value::Other;
        };
        match address.plus(past, self.around.impl_at()) {
            Value::ImplField { of_self } if access.size == 8 => {
                let Some(bit) = loads.bit(at) else {
                    return Value::Other;
                };
                let pointer = Pointer {
                    loads: bit,
                    offset: 0,
                    checked: Checked::No,
                    of_self,
                };
                self.events.push(Event::Loads(pointer));
                Value::Impl(pointer)
            }
            Value::Constant(address) if self.around.is_impl_offset(address) && access.size >= 4 => {
                Value::ImplOffset { variable: address }
            }
            Value::Constant(address) if access.size == 8 => self
                .around
                .pointer(address)
                .map_or(Value::Other, Value::Constant),
            Value::Stack(at) if access.size == 8 => self
                .known
                .slots
                .iter()
                .find(|(slot, _)| *slot == at)
                .map_or(Value::Other, |(_, value)| *value),
            _ => Value::Other,
        }
    }

    /// A register is stored `past` bytes behind the address.
    pub(super) fn stored(&mut self, access: Access, register: Register, past: i64) {
        let value = self.known.register(register);
        let Some(address) = self.address else {
            return;
        };
        match address.plus(past, self.around.impl_at()) {
            Value::ImplField { of_self } => self.events.push(Event::Sets {
                value,
                of_self,
                whole: access.size == 8,
            }),
            Value::Stack(at) => {
                self.known.forget_slots(at, i64::from(access.size));
                if access.size == 8 && value != Value::Other && self.known.slots.len() < MOST_SLOTS
                {
                    self.known.slots.push((at, value));
                }
            }
            Value::Object(past) if self.overlaps(past, i64::from(access.size)) => {
                self.events.push(Event::Sets {
                    value: Value::Other,
                    of_self: true,
                    whole: false,
                });
            }
            _ => {
                if let Value::Impl(pointer) = value
                    && pointer.offset == 0
                    && access.size == 8
                {
                    self.events.push(Event::Gives(pointer));
                }
            }
        }
    }

    /// Something is stored that is no general register.
    pub(super) fn stored_otherwise(&mut self, word: u32) {
        let size = width(word);
        match self.address {
            Some(Value::Stack(at)) => self.known.forget_slots(at, size),
            Some(Value::ImplField { of_self }) => self.events.push(Event::Sets {
                value: Value::Other,
                of_self,
                whole: false,
            }),
            Some(Value::Object(past)) if self.overlaps(past, size) => {
                self.events.push(Event::Sets {
                    value: Value::Other,
                    of_self: true,
                    whole: false,
                });
            }
            _ => {}
        }
    }

    /// Whether `size` bytes of the object from `past` on have a part of `_impl`.
    fn overlaps(&self, past: i64, size: i64) -> bool {
        let at = self.around.impl_at();
        at.is_some_and(|at| past < at.saturating_add(8) && at < past.saturating_add(size))
    }

    /// Moves the base register, and forgets what else the instruction writes.
    pub(super) fn finish(self, instruction: Instruction) {
        let impl_at = self.around.impl_at();
        let moved = self
            .moved
            .map(|(register, bytes)| (register, self.known.base(register).plus(bytes, impl_at)));
        self.known.forget(instruction);
        if let Some((register, value)) = moved {
            self.known.set_base(register, value);
        }
    }
}

impl Known {
    fn address(&self, base: Value, offset: Offset, around: &impl Surroundings) -> Value {
        match offset {
            Offset::Immediate(bytes) | Offset::PreIndex(bytes) => {
                base.plus(bytes, around.impl_at())
            }
            Offset::PostIndex(_) => base,
            Offset::Register {
                index,
                shift,
                extend,
            } => {
                let index = match (self.register(index), extend) {
                    // It has 32 bits, which are not negative.
                    (offset @ Value::ImplOffset { .. }, _) if shift == 0 => offset,
                    (Value::Constant(number), Extend::Lsl | Extend::Sxtx) => {
                        Value::Constant(number << shift)
                    }
                    (Value::Constant(number), Extend::Uxtw) => {
                        Value::Constant((number & u64::from(u32::MAX)) << shift)
                    }
                    (object @ Value::Object(_), Extend::Lsl | Extend::Sxtx) if shift == 0 => object,
                    _ => Value::Other,
                };
                base.plus_register(index, around.impl_at(), |variable| around.is_own(variable))
            }
        }
    }
}

/// How many bytes are touched at most by an access that is not one of general registers.
fn width(word: u32) -> i64 {
    let (vector, size) = (word >> 26 & 1 != 0, word >> 30);
    match word >> 28 & 3 {
        // A pair of vector registers.
        0b10 if vector => 8 << size,
        // One: 128 bits by a bit of its own.
        0b11 if vector && word >> 23 & 1 != 0 => 16,
        0b11 => 1 << size,
        // Pairs of exclusive ones; structures in up to four vector registers.
        _ if vector => 64,
        _ => 16,
    }
}

/// As many values on the stack are watched.
const MOST_SLOTS: usize = 32;
