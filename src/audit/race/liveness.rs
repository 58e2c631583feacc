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

#[cfg(test)]
mod tests {
    use super::*;

    /// Words and texts: LLVM's assembler.
    fn flow(words: &[u32]) -> ControlFlow {
        let instructions = (0x1000..)
            .step_by(4)
            .zip(words)
            .map(|(address, word)| Instruction::new(address, *word));
        ControlFlow::new(instructions.collect(), &|_| false).expect("small")
    }

    fn convention(_: u64) -> Registers {
        Registers::NONE
    }

    const FUNCTION: [u32; 6] = [
        0xa9be_4ff4, // stp x20, x19, [sp, #-0x20]!
        0xaa00_03f4, // mov x20, x0
        0x97ff_fff5, // bl
        0xaa14_03e0, // mov x0, x20
        0xa8c2_4ff4, // ldp x20, x19, [sp], #0x20
        0xd65f_03c0, // ret
    ];

    #[test]
    fn a_register_is_live_until_it_is_written() {
        let flow = flow(&FUNCTION);
        let live = |index| live_before(&flow, index, &convention);
        // The caller's x20 is saved first, restored last, and between them it is the function's own.
        let x20: Vec<bool> = (0..6).map(|at| live(at).registers.has(20)).collect();
        assert_eq!(x20, [true, false, true, true, false, true]);
        // The parameter, until it is moved; then what the call takes, and the result.
        let x0: Vec<bool> = (0..6).map(|at| live(at).registers.has(0)).collect();
        assert_eq!(x0, [true, true, true, false, true, true]);
        assert!((0..6).all(|at| !live(at).flags && live(at).registers.has_stack()));
        // x9 is nobody's parameter; x8 is that of the call.
        assert!(!live(2).registers.has(9) && live(2).registers.has(8));
        assert!(!live(3).registers.has(8));
    }

    #[test]
    fn flags_are_live_between_their_writer_and_their_reader() {
        let flow = flow(&[
            0xf100_0e9f, // cmp x20, #3
            0x5400_0068, // b.hi 0x1010
            0x9100_2281, // add x1, x20, #8
            0xd65f_03c0, // ret
            0x1a9f_97e0, // cset w0, hi
            0xd65f_03c0, // ret
        ]);
        let flags: Vec<bool> = (0..6)
            .map(|at| live_before(&flow, at, &convention).flags)
            .collect();
        assert_eq!(flags, [false, true, false, false, true, false]);
    }

    #[test]
    fn a_fragment_takes_what_a_function_does_not() {
        assert_eq!(taken_by_callee(&flow(&FUNCTION)), Registers::NONE);
        // ldr x8, [x20]; str x8, [x19]; ret
        let fragment = flow(&[0xf940_0288, 0xf900_0268, 0xd65f_03c0]);
        assert_eq!(taken_by_callee(&fragment), Registers::range(19, 20));
        let outer = flow(&[0x9400_0000, 0xd65f_03c0]);
        let takes = |_| Registers::one(12);
        assert!(live_before(&outer, 0, &takes).registers.has(12));
        // cset w0, hi; ret
        let reads_flags = flow(&[0x1a9f_97e0, 0xd65f_03c0]);
        assert_eq!(taken_by_callee(&reads_flags), Registers::ALL);
    }

    #[test]
    fn all_is_live_before_what_is_not_known() {
        let unknown = flow(&[0xaa00_03f4, 0x0400_0000]);
        let live = live_before(&unknown, 1, &convention);
        assert_eq!((live.registers, live.flags), (Registers::ALL, true));
        let live = live_before(&unknown, 0, &convention);
        assert!(!live.registers.has(20) && live.registers.has(12));
        assert_eq!(live_before(&unknown, 2, &convention), Live::ALL);
    }

    #[test]
    fn a_loop_settles() {
        // 0x1000: cbz x21, 0x100c; mov x21, x22; b 0x1000; ret
        let flow = flow(&[0xb400_0075, 0xaa16_03f5, 0x17ff_fffe, 0xd65f_03c0]);
        let live = live_before(&flow, 2, &convention);
        assert!(live.registers.has(21) && live.registers.has(22));
    }
}
