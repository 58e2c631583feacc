//! A function with what is known before each of its instructions.

#[cfg(test)]
mod tests;

use super::callee::Callee;
use super::control_flow::{ControlFlow, MOST_INSTRUCTIONS, TooLarge};
use super::fixpoint::{self, Unsettled};
use super::state::{Event, Known, Surroundings};
use super::value::{Checked, Loads, Pointer, Value};
use crate::audit::arm64::{Instruction, Register};
use crate::audit::{Code, Function};

/// Why a function was not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowed {
    /// It is too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// It is too entangled.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
}

/// A function that was followed.
#[derive(Debug)]
pub(super) struct Trace {
    pub flow: ControlFlow,
    pub loads: Loads,
    /// What is known at the start of each block; none of one that is not reached.
    entries: Vec<Option<Known>>,
}

/// One instruction of a function that was followed.
pub(super) struct Step<'t> {
    pub instruction: Instruction,
    /// What is known before it.
    pub known: &'t Known,
    /// What it does.
    pub events: &'t [Event],
}

impl Trace {
    /// Follows a function that is entered with `first` in x0.
    pub(super) fn of(
        flow: ControlFlow,
        first: Value,
        around: &impl Surroundings,
    ) -> Result<Self, NotFollowed> {
        Trace::from(flow, Known::entry(0, first), Loads::default(), around)
    }

    /// Follows a function that is entered with an `_impl` in `register`, which is the first of its loads.
    pub(super) fn with_impl(
        flow: ControlFlow,
        register: Register,
        around: &impl Surroundings,
    ) -> Result<Self, NotFollowed> {
        let mut loads = Loads::default();
        let first = loads.bit(0).map_or(Value::Other, |bit| {
            Value::Impl(Pointer {
                loads: bit,
                offset: 0,
                checked: Checked::No,
                of_self: false,
            })
        });
        Trace::from(flow, Known::entry(register, first), loads, around)
    }

    fn from(
        flow: ControlFlow,
        entry: Known,
        mut loads: Loads,
        around: &impl Surroundings,
    ) -> Result<Self, NotFollowed> {
        let entries = fixpoint::forward(&flow, entry, |number, mut known, go| {
            let block = &flow.blocks()[number];
            let instructions = flow.of_block(block);
            for instruction in instructions {
                known.step(*instruction, around, &mut loads);
            }
            let last = instructions.last().map(|last| last.operation());
            for edge in &block.successors {
                match last.and_then(|last| known.tested(last, edge.when)) {
                    Some(pointer) => go(*edge, &known.with_tested(pointer)),
                    None => go(*edge, &known),
                }
            }
        })?;
        Ok(Trace {
            flow,
            loads,
            entries,
        })
    }

    /// Goes through the instructions that are reached, in the order of their addresses.
    pub(super) fn walk(&mut self, around: &impl Surroundings, mut see: impl FnMut(&Step<'_>)) {
        for (block, entry) in self.flow.blocks().iter().zip(&self.entries) {
            let Some(mut known) = entry.clone() else {
                continue;
            };
            for index in block.range.clone() {
                let instruction = self.flow.instructions()[index];
                let mut after = known.clone();
                let events = after.step(instruction, around, &mut self.loads);
                see(&Step {
                    instruction,
                    known: &known,
                    events: &events,
                });
                known = after;
            }
        }
    }

    /// How many instructions are not reached from the function's start: code that an exception
    /// enters, or none at all.
    pub(super) fn unreached(&self) -> usize {
        let blocks = self.flow.blocks().iter().zip(&self.entries);
        blocks
            .filter(|(_, entry)| entry.is_none())
            .map(|(block, _)| block.range.len())
            .sum()
    }
}

/// The blocks of a function of the image.
pub(super) fn flow_of(code: &Code<'_>, function: Function) -> Result<ControlFlow, TooLarge> {
    let instructions = code
        .instructions(function.addresses())
        .take(MOST_INSTRUCTIONS + 1)
        .collect();
    ControlFlow::new(instructions, &|target| {
        Callee::at(code, target) == Callee::Stops
    })
}
