//! Which registers and flags an instruction's successors may still need.
//!
//! The calling convention is Apple's for arm64: a call takes x0 to x8 and keeps x19 to x29 and the stack
//! pointer; a function gives back x0 and x1.

use super::control_flow::{Block, ControlFlow, Exit};
use crate::audit::arm64::{Instruction, Operation, Registers};

/// What may still be read before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Live {
    /// The general registers and the stack pointer.
    pub registers: Registers,
    /// The flags.
    pub flags: bool,
}

/// What a called function takes besides its parameters, by where it begins.
pub type Takes<'a> = &'a dyn Fn(u64) -> Registers;

/// What is live before the instruction with the number `index`; `takes` says what a called function
/// reads besides x0 to x8 and the stack pointer. What is not known is live.
pub fn live_before(flow: &ControlFlow, index: usize, takes: Takes<'_>) -> Live {
    let Some(number) = flow.block_of(index) else {
        return Live::ALL;
    };
    let analysis = Analysis {
        flow,
        takes,
        given_back: RETURN,
        saves_read: true,
    };
    let starts = analysis.starts();
    let block = &flow.blocks()[number];
    let rest = &flow.instructions()[index..block.range.end];
    analysis.before(rest, analysis.at_end(block, &starts))
}

/// The registers that a function which is called reads although the convention says that it keeps them:
/// a fragment that an outliner has made does. Saving a register on the stack does not count.
pub fn taken_by_callee(flow: &ControlFlow) -> Registers {
    let analysis = Analysis {
        flow,
        takes: &|_| Registers::NONE,
        given_back: Registers::range(0, 1),
        saves_read: false,
    };
    match analysis.starts().first() {
        // Nothing that follows the convention reads the caller's flags.
        Some(live) if !live.flags => live
            .registers
            .without(PARAMETERS)
            .without(Registers::range(29, 30)),
        _ => Registers::ALL,
    }
}

struct Analysis<'a> {
    flow: &'a ControlFlow,
    takes: Takes<'a>,
    /// What is needed when the function returns.
    given_back: Registers,
    /// Whether saving a register on the stack reads it.
    saves_read: bool,
}

impl Analysis<'_> {
    /// What is live at the start of each block.
    fn starts(&self) -> Vec<Live> {
        let mut starts = vec![Live::NONE; self.flow.blocks().len()];
        for _ in 0..MOST_TURNS {
            let mut changed = false;
            // Backwards, a block is done before those that go to it; only loops take another turn.
            for (number, block) in self.flow.blocks().iter().enumerate().rev() {
                let end = self.at_end(block, &starts);
                let start = self.before(self.flow.of_block(block), end);
                changed |= start != starts[number];
                starts[number] = start;
            }
            if !changed {
                return starts;
            }
        }
        vec![Live::ALL; starts.len()]
    }

    fn at_end(&self, block: &Block, starts: &[Live]) -> Live {
        let leaving = match block.exit {
            None | Some(Exit::Stops) => Live::NONE,
            Some(Exit::Return) => Live {
                registers: self.given_back,
                flags: false,
            },
            Some(Exit::TailCall(target)) => Live {
                registers: self
                    .given_back
                    .and(PARAMETERS)
                    .and(target.map_or(Registers::NONE, self.takes)),
                flags: false,
            },
            Some(Exit::Computed | Exit::Unknown | Exit::RunsOut) => Live::ALL,
        };
        block
            .successors
            .iter()
            .fold(leaving, |live, edge| live.or(starts[edge.to]))
    }

    /// What is live before `instructions`, when `live` is after them.
    fn before(&self, instructions: &[Instruction], mut live: Live) -> Live {
        for instruction in instructions.iter().rev() {
            let mut effects = instruction.effects();
            let operation = instruction.operation();
            if !effects.known {
                live = Live::ALL;
                continue;
            }
            if operation.calls() {
                let more = match operation {
                    Operation::Call { target } => (self.takes)(target),
                    _ => Registers::NONE,
                };
                effects.reads = effects.reads.and(PARAMETERS).and(more);
                effects.writes = effects.writes.and(CLOBBERED);
                effects.writes_flags = true;
            } else if !self.saves_read && saves(operation) {
                effects.reads = Registers::STACK;
            }
            live = Live {
                registers: live.registers.without(effects.writes).and(effects.reads),
                flags: effects.reads_flags || live.flags && !effects.writes_flags,
            };
        }
        live
    }
}

/// Whether it puts registers that a function has to keep on the stack, and nothing else.
fn saves(operation: Operation) -> bool {
    let kept = |register| KEPT.has(register);
    match operation {
        Operation::StorePair(access, second) => {
            access.base == 31 && access.size == 8 && kept(access.register) && kept(second)
        }
        Operation::Store(access) => access.base == 31 && access.size == 8 && kept(access.register),
        _ => false,
    }
}

impl Live {
    const NONE: Live = Live {
        registers: Registers::NONE,
        flags: false,
    };
    const ALL: Live = Live {
        registers: Registers::ALL,
        flags: true,
    };

    #[must_use]
    fn or(self, other: Live) -> Live {
        Live {
            registers: self.registers.and(other.registers),
            flags: self.flags || other.flags,
        }
    }
}

/// x0 to x8, and the stack pointer.
const PARAMETERS: Registers = Registers::range(0, 8).and(Registers::STACK);

/// x0 to x18 and the link register, which a call writes itself. x18 is the system's.
const CLOBBERED: Registers = Registers::range(0, 18).and(Registers::one(30));

/// What a function gives back to its caller as it was: x19 to x29.
const KEPT: Registers = Registers::range(19, 29);

/// What is needed when a function returns.
const RETURN: Registers = Registers::range(0, 1).and(KEPT).and(Registers::STACK);

/// A loop within a loop takes three.
const MOST_TURNS: usize = 64;
