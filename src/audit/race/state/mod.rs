//! What is known before one instruction, and what it makes of it.

mod access;
#[cfg(test)]
mod tests;

use super::control_flow::When;
use super::fixpoint::State;
use super::value::{Checked, Loads, Pointer, Value};
use crate::audit::arm64::{Instruction, Operation, Register, ZERO};
use access::Memory;

/// What a function's surroundings say.
pub(super) trait Surroundings {
    /// Where the method's own object has `_impl`, in bytes, if the image says so.
    fn impl_at(&self) -> Option<i64>;

    /// Whether the offset of the method's own `_impl` is in `variable`.
    fn is_own(&self, variable: u64) -> bool;

    /// Whether the offset of some class's `_impl` is in the variable at `address`.
    fn is_impl_offset(&self, address: u64) -> bool;

    /// The pointer at `address`, where the loader writes it once and nobody afterwards.
    fn pointer(&self, address: u64) -> Option<u64>;
}

/// What an instruction does that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// An `_impl` is loaded.
    Loads(Pointer),
    /// Memory behind an `_impl` is touched.
    Dereferences {
        /// What was known before.
        pointer: Pointer,
        /// Bytes from what `_impl` points at; none where they are computed.
        at: Option<i64>,
        /// Or loaded.
        store: bool,
    },
    /// Something is written to an `_impl`.
    Sets {
        /// What.
        value: Value,
        /// Whether it is that of the method's object.
        of_self: bool,
        /// Whether all of it is written.
        whole: bool,
    },
    /// What an `_impl` held is written to some other memory than the stack.
    Gives(Pointer),
}

/// What is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    registers: [Value; 31],
    stack: Value,
    /// What was stored on the stack, by its distance from where the stack pointer was at first.
    slots: Vec<(i64, Value)>,
    /// What the flags compare with zero.
    compared: Option<Value>,
}

impl Known {
    /// At a function's start, when `register` holds `value`; of a method, x0 is the object.
    pub(super) fn entry(register: Register, value: Value) -> Self {
        let mut known = Known {
            registers: [Value::Other; 31],
            stack: Value::Stack(0),
            slots: Vec::new(),
            compared: None,
        };
        known.set(register, value);
        known
    }

    /// What a register holds; [`ZERO`] is zero.
    pub(super) fn register(&self, register: Register) -> Value {
        match self.registers.get(usize::from(register)) {
            Some(value) => *value,
            None => Value::Constant(0),
        }
    }

    /// What a base register holds; [`ZERO`] is the stack pointer.
    fn base(&self, register: Register) -> Value {
        match self.registers.get(usize::from(register)) {
            Some(value) => *value,
            None => self.stack,
        }
    }

    fn set(&mut self, register: Register, value: Value) {
        if let Some(place) = self.registers.get_mut(usize::from(register)) {
            *place = value;
        }
    }

    fn set_base(&mut self, register: Register, value: Value) {
        if register == ZERO {
            self.stack = value;
        } else {
            self.set(register, value);
        }
    }

    /// What is known after `instruction`; tells what it did.
    pub(super) fn step(
        &mut self,
        instruction: Instruction,
        around: &impl Surroundings,
        loads: &mut Loads,
    ) -> Vec<Event> {
        let operation = instruction.operation();
        let mut events = Vec::new();
        match operation {
            Operation::Load(access) => {
                let mut step = Memory::new(self, around, operation, &mut events);
                let value = step.loaded(instruction.address, access, 0, loads);
                step.finish(instruction);
                self.set(access.register, value);
            }
            Operation::LoadPair(access, second) => {
                let mut step = Memory::new(self, around, operation, &mut events);
                let first = step.loaded(instruction.address, access, 0, loads);
                let next = i64::from(access.size);
                let second_value = step.loaded(instruction.address, access, next, loads);
                step.finish(instruction);
                self.set(access.register, first);
                self.set(second, second_value);
            }
            Operation::Store(access) => {
                let mut step = Memory::new(self, around, operation, &mut events);
                step.stored(access, access.register, 0);
                step.finish(instruction);
            }
            Operation::StorePair(access, second) => {
                let mut step = Memory::new(self, around, operation, &mut events);
                step.stored(access, access.register, 0);
                step.stored(access, second, i64::from(access.size));
                step.finish(instruction);
            }
            Operation::OtherMemory { store, .. } => {
                let mut step = Memory::new(self, around, operation, &mut events);
                if store {
                    step.stored_otherwise(instruction.word);
                }
                step.finish(instruction);
            }
            _ => self.compute(instruction, operation, around),
        }
        events
    }

    /// Instructions that touch no memory.
    fn compute(
        &mut self,
        instruction: Instruction,
        operation: Operation,
        around: &impl Surroundings,
    ) {
        let effects = instruction.effects();
        let (destination, value) = match operation {
            Operation::Address { register, target } => (register, Value::Constant(target)),
            Operation::Page { register, page } => (register, Value::Constant(page)),
            Operation::MoveConstant { destination, value } => (destination, Value::Constant(value)),
            Operation::MoveKeep {
                destination,
                bits,
                mask,
            } => match self.register(destination) {
                Value::Constant(number) => (destination, Value::Constant(number & !mask | bits)),
                _ => (destination, Value::Other),
            },
            Operation::Move {
                destination,
                source,
                wide,
            } => match self.register(source) {
                // The offset of an instance variable has 32 bits.
                value @ (Value::Constant(0) | Value::ImplOffset { .. }) => (destination, value),
                value if wide => (destination, value),
                _ => (destination, Value::Other),
            },
            Operation::AddImmediate { .. } => {
                self.add_immediate(instruction, operation, around);
                return;
            }
            Operation::Add {
                destination,
                first,
                second,
                subtract: false,
                sets_flags: false,
                wide: true,
            } => (
                destination,
                self.register(first).plus_register(
                    self.register(second),
                    around.impl_at(),
                    |variable| around.is_own(variable),
                ),
            ),
            Operation::LoadLiteral { register, .. } => (register, Value::Other),
            Operation::Call { .. } | Operation::IndirectCall { .. } => {
                for register in (0..=18).chain([30]) {
                    self.set(register, Value::Other);
                }
                self.compared = None;
                return;
            }
            _ => (ZERO, Value::Other),
        };
        self.forget(instruction);
        if effects.writes_flags {
            self.compared = None;
        }
        self.set(destination, value);
    }

    fn add_immediate(
        &mut self,
        instruction: Instruction,
        operation: Operation,
        around: &impl Surroundings,
    ) {
        let Operation::AddImmediate {
            destination,
            source,
            immediate,
            subtract,
            sets_flags,
            wide,
        } = operation
        else {
            return;
        };
        let before = self.base(source);
        let bytes = immediate.cast_signed();
        let bytes = if subtract { -bytes } else { bytes };
        let value = if wide {
            before.plus(bytes, around.impl_at())
        } else {
            Value::Other
        };
        self.forget(instruction);
        if sets_flags {
            self.compared = (wide && immediate == 0).then_some(before);
            self.set(destination, value);
        } else {
            self.set_base(destination, value);
        }
    }

    /// Nothing is known any longer of what the instruction writes.
    fn forget(&mut self, instruction: Instruction) {
        let writes = instruction.effects().writes;
        for register in writes.iter() {
            self.set(register, Value::Other);
        }
        if writes.has_stack() {
            self.stack = Value::Other;
        }
    }

    fn forget_slots(&mut self, at: i64, size: i64) {
        self.slots
            .retain(|(slot, _)| slot.saturating_add(8) <= at || at.saturating_add(size) <= *slot);
    }

    /// Every copy of the value that is in a register or on the stack is known to be better checked.
    fn check(&mut self, checked: Pointer, how: Checked) {
        let places = self
            .registers
            .iter_mut()
            .chain(self.slots.iter_mut().map(|(_, value)| value));
        for place in places {
            if let Value::Impl(pointer) = place
                && pointer.loads == checked.loads
            {
                pointer.checked = pointer.checked.max(how);
            }
        }
    }

    /// The `_impl` that is known not to be NULL on the way that a conditional branch goes.
    pub(super) fn tested(&self, operation: Operation, when: When) -> Option<Pointer> {
        let (value, not_null_when) = match operation {
            Operation::CompareBranch {
                register, nonzero, ..
            } => (self.register(register), nonzero),
            Operation::Conditional { condition, .. } => match condition {
                // `ne` and `hi`; `eq` and `ls`.
                1 | 8 => (self.compared?, true),
                0 | 9 => (self.compared?, false),
                _ => return None,
            },
            _ => return None,
        };
        let taken = match when {
            When::Always => return None,
            When::Taken => true,
            When::NotTaken => false,
        };
        match value {
            Value::Impl(pointer) if pointer.offset == 0 && taken == not_null_when => Some(pointer),
            _ => None,
        }
    }

    /// What is known when the pointer is not NULL.
    pub(super) fn with_tested(&self, pointer: Pointer) -> Self {
        let mut known = self.clone();
        known.check(pointer, Checked::Tested);
        known
    }
}

impl State for Known {
    fn meet(&mut self, other: &Self) -> bool {
        let mut changed = false;
        let mut keep = |mine: &mut Value, theirs: Value| {
            let met = mine.meet(theirs);
            changed |= *mine != met;
            *mine = met;
        };
        for (mine, theirs) in self.registers.iter_mut().zip(other.registers) {
            keep(mine, theirs);
        }
        keep(&mut self.stack, other.stack);
        for (at, value) in &mut self.slots {
            let theirs = other.slots.iter().find(|(slot, _)| slot == at);
            keep(value, theirs.map_or(Value::Other, |(_, theirs)| *theirs));
        }
        self.slots.retain(|(_, value)| *value != Value::Other);
        if self.compared.is_some() && self.compared != other.compared {
            self.compared = None;
            changed = true;
        }
        changed
    }
}
