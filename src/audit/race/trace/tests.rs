//! Functions of random instructions: they are followed to an end, and what is known is true.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::audit::arm64::{Offset, Operation, ZERO};
use crate::audit::race::liveness;

struct Around;

impl Surroundings for Around {
    fn impl_at(&self) -> Option<i64> {
        Some(24)
    }

    fn is_own(&self, variable: u64) -> bool {
        variable == 0x8000
    }

    fn is_impl_offset(&self, address: u64) -> bool {
        address & 0xffff == 0x8000
    }

    fn pointer(&self, address: u64) -> Option<u64> {
        Some(address ^ 0x1000)
    }
}

/// Instructions as functions have them: most go on or branch nearby, some are anything at all.
fn word() -> impl Strategy<Value = u32> {
    let near = -12..12_i32;
    let bits = |distance: i32, width: u32| distance.cast_unsigned() & ((1 << width) - 1);
    let register = 0..32_u32;
    prop_oneof![
        2 => any::<u32>(),
        // b, bl; b.cond; cbz, cbnz; tbz, tbnz; br, ret.
        2 => (near.clone(), any::<bool>()).prop_map(move |(to, link)| 0x1400_0000 | u32::from(link) << 31 | bits(to, 26)),
        2 => (near.clone(), 0..14_u32).prop_map(move |(to, condition)| 0x5400_0000 | bits(to, 19) << 5 | condition),
        2 => (near.clone(), register.clone(), 0..2_u32).prop_map(move |(to, register, not)| 0xb400_0000 | not << 24 | bits(to, 19) << 5 | register),
        1 => (near, register.clone()).prop_map(move |(to, register)| 0x3600_0000 | bits(to, 14) << 5 | register),
        1 => register.clone().prop_map(|register| 0xd61f_0000 | register << 5),
        // add and sub with a constant; add; mov; movz, movk; adrp.
        4 => (0..0x80_u32, register.clone(), register.clone(), 0..2_u32).prop_map(|(number, n, d, sub)| 0x9100_0000 | sub << 30 | number << 10 | n << 5 | d),
        3 => (register.clone(), register.clone(), register.clone()).prop_map(|(m, n, d)| 0x8b00_0000 | m << 16 | n << 5 | d),
        3 => (register.clone(), register.clone()).prop_map(|(m, d)| 0xaa00_03e0 | m << 16 | d),
        2 => (any::<u16>(), register.clone(), 0..2_u32).prop_map(|(number, d, keep)| 0xd280_0000 | keep << 29 | u32::from(number) << 5 | d),
        1 => (0..16_u32, register.clone()).prop_map(|(page, d)| 0x9000_0000 | page << 5 | d),
        // cmp; ldr and str with a constant, after and before moving the base, with a register.
        2 => register.clone().prop_map(|n| 0xf100_001f | n << 5),
        4 => (0..8_u32, register.clone(), register.clone(), 0..2_u32).prop_map(|(number, n, t, load)| 0xf900_0000 | load << 22 | number << 10 | n << 5 | t),
        2 => (0..64_u32, register.clone(), register.clone(), 0..2_u32, 0..2_u32).prop_map(|(number, n, t, load, before)| 0xf800_0400 | load << 22 | number << 12 | before << 11 | n << 5 | t),
        2 => (register.clone(), register.clone(), register.clone(), 0..2_u32).prop_map(|(m, n, t, load)| 0xf820_6800 | load << 22 | m << 16 | n << 5 | t),
        // ldp and stp.
        2 => (0..16_u32, register.clone(), register.clone(), register, 0..2_u32).prop_map(|(number, second, n, t, load)| 0xa900_0000 | load << 22 | number << 15 | second << 10 | n << 5 | t),
    ]
}

fn flow(words: &[u32]) -> ControlFlow {
    let instructions = (START..)
        .step_by(4)
        .zip(words)
        .map(|(address, word)| Instruction::new(address, *word));
    ControlFlow::new(instructions.collect(), &|target| target % 24 == 0).expect("small")
}

const START: u64 = 0x1_0000;

/// A processor with memory of 64-bit words, which executes what it can.
struct Machine {
    registers: [u64; 32],
    memory: HashMap<u64, u64>,
}

impl Machine {
    fn read(&self, register: u8) -> u64 {
        if register == ZERO {
            0
        } else {
            self.registers[usize::from(register)]
        }
    }

    fn write(&mut self, register: u8, value: u64) {
        if register != ZERO {
            self.registers[usize::from(register)] = value;
        }
    }

    /// Executes an instruction that is no branch; none where it cannot.
    fn execute(&mut self, operation: Operation) -> Option<()> {
        match operation {
            Operation::Move {
                destination,
                source,
                wide: true,
            } => self.write(destination, self.read(source)),
            Operation::MoveConstant { destination, value } => self.write(destination, value),
            Operation::MoveKeep {
                destination,
                bits,
                mask,
            } => self.write(destination, self.read(destination) & !mask | bits),
            Operation::Page { register, page } => self.write(register, page),
            Operation::AddImmediate {
                destination,
                source,
                immediate,
                subtract,
                sets_flags: false,
                wide: true,
            } => {
                let before = self.registers[usize::from(source)];
                self.registers[usize::from(destination)] = if subtract {
                    before.wrapping_sub(immediate)
                } else {
                    before.wrapping_add(immediate)
                };
            }
            Operation::Add {
                destination,
                first,
                second,
                subtract: false,
                sets_flags: false,
                wide: true,
            } => self.write(
                destination,
                self.read(first).wrapping_add(self.read(second)),
            ),
            Operation::Load(access) | Operation::Store(access) if access.size == 8 => {
                let base = self.registers[usize::from(access.base)];
                let (at, after) = match access.offset {
                    Offset::Immediate(bytes) => (base.wrapping_add_signed(bytes), None),
                    Offset::PreIndex(bytes) => {
                        let at = base.wrapping_add_signed(bytes);
                        (at, Some(at))
                    }
                    Offset::PostIndex(bytes) => (base, Some(base.wrapping_add_signed(bytes))),
                    Offset::Register { .. } => return None,
                };
                if at % 8 != 0 || after.is_some() && access.base == access.register {
                    return None;
                }
                let value = self.read(access.register);
                if let Some(after) = after {
                    self.registers[usize::from(access.base)] = after;
                }
                if let Operation::Load(_) = operation {
                    let loaded = self.memory.get(&at).copied();
                    self.write(access.register, loaded.unwrap_or(at.wrapping_mul(77)));
                } else {
                    self.memory.insert(at, value);
                }
            }
            _ => return None,
        }
        Some(())
    }
}

/// Where the machine's stack and object are.
const STACK: u64 = 0x7000_0000;
const OBJECT: u64 = 0x5000_0000;

fn holds(value: Value, number: u64) -> bool {
    match value {
        Value::Constant(constant) => constant == number,
        Value::Object(past) => OBJECT.wrapping_add_signed(past) == number,
        Value::Stack(past) => STACK.wrapping_add_signed(past) == number,
        Value::ImplField { of_self: true } => OBJECT + 24 == number,
        Value::ImplField { .. } | Value::ImplOffset { .. } | Value::Impl(_) | Value::Other => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn functions_of_any_instructions_are_followed(words in prop::collection::vec(word(), 0..120)) {
        let flow = flow(&words);
        let ranges: Vec<usize> = flow.blocks().iter().flat_map(|it| it.range.clone()).collect();
        prop_assert_eq!(ranges, (0..words.len()).collect::<Vec<_>>());
        for (number, block) in flow.blocks().iter().enumerate() {
            for edge in &block.successors {
                prop_assert!(flow.blocks()[edge.to].predecessors.contains(&number));
            }
        }
        let takes = |_| crate::audit::arm64::Registers::NONE;
        for (index, instruction) in flow.instructions().iter().enumerate() {
            let live = liveness::live_before(&flow, index, &takes);
            let reads = instruction.effects().reads;
            prop_assert!(reads.without(live.registers).is_empty());
        }
        liveness::taken_by_callee(&flow);
        if let Ok(mut trace) = Trace::of(flow, Value::Object(0), &Around) {
            trace.walk(&Around, |_| {});
        }
    }

    /// A machine that goes one of the ways never holds anything but what is known. It stops at what
    /// it cannot execute: calls, and memory that two addresses may name.
    #[test]
    fn what_is_known_holds(words in prop::collection::vec(word(), 0..40), turns in any::<u64>()) {
        let flow = flow(&words);
        let mut states = HashMap::new();
        let Ok(mut trace) = Trace::of(flow, Value::Object(0), &Quiet) else { return Ok(()) };
        trace.walk(&Quiet, |step| {
            states.insert(step.instruction.address, step.known.clone());
        });
        let mut machine = Machine { registers: [0; 32], memory: HashMap::new() };
        for (number, register) in (0..).zip(&mut machine.registers) {
            *register = 0x3000_0000 + number * 0x10_0000;
        }
        machine.registers[0] = OBJECT;
        machine.registers[31] = STACK;
        let (mut at, mut turns) = (START, turns);
        for _ in 0..200 {
            let Some(index) = trace.flow.index_of(at) else { break };
            let instruction = trace.flow.instructions()[index];
            let known = states.get(&at).expect("it was reached");
            for register in 0..31 {
                let number = machine.registers[usize::from(register)];
                let value = known.register(register);
                prop_assert!(holds(value, number), "x{register} at {at:#x}: {value:?}, {number:#x}");
            }
            turns = turns.rotate_left(1);
            let operation = instruction.operation();
            at = match operation {
                Operation::Branch { target } => target,
                Operation::Conditional { target, .. }
                | Operation::CompareBranch { target, .. }
                | Operation::TestBranch { target, .. } if turns & 1 != 0 => target,
                Operation::Conditional { .. }
                | Operation::CompareBranch { .. }
                | Operation::TestBranch { .. } => at + 4,
                _ if machine.execute(operation).is_some() => at + 4,
                _ => break,
            };
        }
    }
}

/// Nothing of the image is loaded.
struct Quiet;

impl Surroundings for Quiet {
    fn impl_at(&self) -> Option<i64> {
        Some(24)
    }

    fn is_own(&self, _: u64) -> bool {
        false
    }

    fn is_impl_offset(&self, _: u64) -> bool {
        false
    }

    fn pointer(&self, _: u64) -> Option<u64> {
        None
    }
}
