//! What is known before one instruction, and what it makes of it.

use super::control_flow::When;
use super::fixpoint::State;
use super::value::{Checked, Loads, Pointer, Value};
use crate::audit::arm64::{Access, Extend, Instruction, Offset, Operation, Register, ZERO};

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
    /// At a function's start; of a method, x0 is the object.
    pub(super) fn entry(first: Value) -> Self {
        let mut registers = [Value::Other; 31];
        registers[0] = first;
        Known {
            registers,
            stack: Value::Stack(0),
            slots: Vec::new(),
            compared: None,
        }
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
                let step = Memory::new(self, around, operation, &mut events);
                if store && let Some(Value::Stack(at)) = step.address {
                    // 128 bits at most, four times.
                    step.known.forget_slots(at, 64);
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
        self.slots.retain(|(slot, _)| {
            let apart = slot.saturating_add(8) <= at || at.saturating_add(size) <= *slot;
            apart
        });
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

    /// What is known in addition on the way that a conditional branch goes.
    pub(super) fn branch(&mut self, operation: Operation, when: When) {
        let (value, not_null_when) = match operation {
            Operation::CompareBranch {
                register, nonzero, ..
            } => (self.register(register), nonzero),
            Operation::Conditional { condition, .. } => match (self.compared, condition) {
                // `ne` and `hi`; `eq` and `ls`.
                (Some(value), 1 | 8) => (value, true),
                (Some(value), 0 | 9) => (value, false),
                _ => return,
            },
            _ => return,
        };
        let taken = match when {
            When::Always => return,
            When::Taken => true,
            When::NotTaken => false,
        };
        if let Value::Impl(pointer) = value
            && pointer.offset == 0
            && taken == not_null_when
        {
            self.check(pointer, Checked::Tested);
        }
    }
}

/// One access to memory, while it is looked at.
struct Memory<'k, S> {
    known: &'k mut Known,
    around: &'k S,
    address: Option<Value>,
    /// The base register, and what it holds afterwards.
    moved: Option<(Register, Value)>,
    events: &'k mut Vec<Event>,
}

impl<'k, S: Surroundings> Memory<'k, S> {
    fn new(
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
                moved = Some((register, base.plus(bytes, around.impl_at())));
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
    fn loaded(&mut self, at: u64, access: Access, past: i64, loads: &mut Loads) -> Value {
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
    fn stored(&mut self, access: Access, register: Register, past: i64) {
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

    /// Moves the base register, and forgets what else the instruction writes.
    fn finish(self, instruction: Instruction) {
        self.known.forget(instruction);
        if let Some((register, value)) = self.moved {
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

impl State for Known {
    fn meet(&mut self, other: &Self) -> bool {
        let before = self.clone();
        for (mine, theirs) in self.registers.iter_mut().zip(other.registers) {
            *mine = mine.meet(theirs);
        }
        self.stack = self.stack.meet(other.stack);
        self.slots.retain_mut(|(at, value)| {
            let theirs = other.slots.iter().find(|(slot, _)| slot == at);
            *value = theirs.map_or(Value::Other, |(_, theirs)| value.meet(*theirs));
            *value != Value::Other
        });
        if self.compared != other.compared {
            self.compared = None;
        }
        *self != before
    }
}

/// As many values on the stack are watched.
const MOST_SLOTS: usize = 32;
