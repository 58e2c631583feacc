//! The shape of the published end: which instruction is which, and that nothing of the function but the
//! end's own branches goes there.

use super::{Tail, TailRefusal};
use crate::audit::arm64::{Access, Instruction, Offset, Operation, Register, Registers, ZERO};
use crate::audit::race::callee::Callee;
use crate::audit::race::control_flow::{ControlFlow, When};
use crate::audit::race::destroy::Studied;
use crate::audit::race::impls::InImage;
use crate::audit::race::value::{Pointer, Value};
use crate::audit::{Code, Function};

/// A `destroyImpl` while its end is looked at.
pub(super) struct Finder<'c, 'a> {
    pub code: &'c Code<'a>,
    pub around: InImage<'c, 'a>,
    pub function: Function,
    pub studied: Studied,
    /// The number of the store.
    pub store: usize,
}

/// Numbers of instructions of the tail, from that of the store backwards.
const FREE: usize = 1;
const FREE_MOVE: usize = 2;
const UNLOCK_2: usize = 3;
const ARGUMENT_2: usize = 4;
const BRANCH: usize = 5;
const UNLOCK_1: usize = 6;
const ARGUMENT_1: usize = 7;

impl Finder<'_, '_> {
    pub(super) fn flow(&self) -> &ControlFlow {
        &self.studied.trace.flow
    }

    /// The instruction that stands `back` instructions before the store.
    fn back(&self, back: usize) -> Result<Instruction, TailRefusal> {
        let index = self.store.checked_sub(back);
        let instruction = index.and_then(|index| self.flow().instructions().get(index));
        instruction.copied().ok_or(TailRefusal::NoFunction)
    }

    /// The tail, but for what is live behind it.
    pub(super) fn shape(&mut self) -> Result<Tail, TailRefusal> {
        if self.store < ARGUMENT_1 {
            return Err(other(self.back(0)?, "the two ways to the store before it"));
        }
        let (store, free_move) = (self.back(0)?, self.back(FREE_MOVE)?);
        check_store(store)?;
        let impl_register = self.check_free(free_move)?;
        let unlock_target = self.check_unlocks()?;
        let arguments = [self.back(ARGUMENT_1)?, self.back(ARGUMENT_2)?];
        check_arguments(arguments, impl_register)?;
        let branch = self.back(BRANCH)?;
        if branch.operation().target() != Some(store.address)
            || !matches!(branch.operation(), Operation::Branch { .. })
        {
            return Err(other(branch, "the branch of path 1 to the store"));
        }
        let give_away = self.check_give_away(impl_register)?;
        let condition_branch = self.check_blocks()?;
        let free_target = self.back(FREE)?.operation().target();
        Ok(Tail {
            function: self.function,
            condition_branch,
            path1: arguments[0].address..arguments[1].address,
            path2: arguments[1].address..store.address,
            give_away,
            lock_argument: arguments,
            unlock_target,
            free_target: free_target.ok_or(TailRefusal::NoFunction)?,
            free_move,
            store,
            epilogue: store.address + 4,
            impl_register,
            branches_into: vec![
                (condition_branch.address, arguments[1].address),
                (branch.address, store.address),
            ],
            live_at_epilogue: Registers::NONE,
            flags_live_at_epilogue: false,
        })
    }

    /// Path 2's end: `mov x0, IMPL` and `bl free`. Returns the register.
    fn check_free(&mut self, free_move: Instruction) -> Result<Register, TailRefusal> {
        let free = self.back(FREE)?;
        let called = free.operation();
        let target = match called {
            Operation::Call { target } => Some(target),
            _ => None,
        };
        if target.map(|target| Callee::at(self.code, target)) != Some(Callee::Free) {
            return Err(other(free, "the call of `free` before the store"));
        }
        let Operation::Move {
            destination: 0,
            source,
            wide: true,
        } = free_move.operation()
        else {
            return Err(other(free_move, "`free`'s argument, which is moved to x0"));
        };
        if !(19..=28).contains(&source) {
            return Err(other(free_move, "_impl in a register that calls keep"));
        }
        match self.value_at(free_move.address, source) {
            Some(Value::Impl(Pointer {
                offset: 0,
                of_self: true,
                ..
            })) => Ok(source),
            _ => Err(other(free_move, "what _impl held, as `free`'s argument")),
        }
    }

    /// Both unlocks; returns what they call.
    fn check_unlocks(&self) -> Result<u64, TailRefusal> {
        let (first, second) = (self.back(UNLOCK_1)?, self.back(UNLOCK_2)?);
        let target = |instruction: Instruction| match instruction.operation() {
            Operation::Call { target } if Callee::at(self.code, target) == Callee::Unlock => {
                Ok(target)
            }
            _ => Err(other(instruction, "the call that unlocks")),
        };
        let (one, two) = (target(first)?, target(second)?);
        if one != two {
            return Err(TailRefusal::DifferentUnlocks {
                first: first.address,
                second: second.address,
            });
        }
        Ok(one)
    }

    /// Path 1 gives away the same register, and has it until the unlock.
    fn check_give_away(&self, impl_register: Register) -> Result<Instruction, TailRefusal> {
        let argument = self.store - ARGUMENT_1;
        let start = self
            .flow()
            .block_of(argument)
            .map_or(argument, |block| self.flow().blocks()[block].range.start);
        for index in (start..argument).rev() {
            let instruction = self.flow().instructions()[index];
            let gives = |(at, register): &(u64, Register)| {
                *at == instruction.address && *register == impl_register
            };
            if self.studied.given.iter().any(gives) {
                return Ok(instruction);
            }
            let effects = instruction.effects();
            if instruction.operation().calls() || effects.writes.has(impl_register) {
                break;
            }
        }
        let argument = self.flow().instructions()[argument];
        Err(other(
            argument,
            "the store of what _impl held to the free list, before path 1's unlock",
        ))
    }

    /// The paths are blocks of their own, and nothing else in the function goes there. Returns the
    /// branch to path 2.
    fn check_blocks(&self) -> Result<Instruction, TailRefusal> {
        let flow = self.flow();
        let block = |back: usize| flow.block_of(self.store - back);
        let (Some(first), Some(second), Some(last)) =
            (block(ARGUMENT_1), block(ARGUMENT_2), block(0))
        else {
            return Err(TailRefusal::NoFunction);
        };
        let blocks = flow.blocks();
        let starts = |block: usize, back: usize| blocks[block].range.start == self.store - back;
        // A block that begins elsewhere is entered by a branch that is not the tail's.
        if block(BRANCH) != Some(first) {
            return Err(self.entered(first + 1));
        }
        if !starts(second, ARGUMENT_2) || block(FREE) != Some(second) {
            return Err(self.entered(second + 1));
        }
        if !starts(last, 0) {
            return Err(other(self.back(0)?, "a block that begins with the store"));
        }
        for from in &blocks[last].predecessors {
            if *from != first && *from != second {
                return Err(self.branch_from(*from, last));
            }
        }
        let [condition] = blocks[second].predecessors[..] else {
            let from = blocks[second].predecessors.last();
            return Err(from.map_or(TailRefusal::NoFunction, |from| {
                self.branch_from(*from, second)
            }));
        };
        let goes = |to, when| {
            let mut edges = blocks[condition].successors.iter();
            edges.any(|edge| edge.to == to && edge.when == when)
        };
        let branch = flow.of_block(&blocks[condition]).last().copied();
        let branch = branch.ok_or(TailRefusal::NoFunction)?;
        if !goes(second, When::Taken) || !goes(first, When::NotTaken) {
            return Err(other(
                branch,
                "a conditional branch to path 2 that goes on to path 1",
            ));
        }
        Ok(branch)
    }

    /// Somebody branches to the start of `block`, which is within the tail.
    fn entered(&self, block: usize) -> TailRefusal {
        let blocks = self.flow().blocks();
        let from = blocks.get(block).and_then(|it| {
            let mut from = it.predecessors.iter();
            // The block before it only runs into it.
            from.find(|from| **from + 1 != block)
        });
        from.map_or(TailRefusal::NoFunction, |from| {
            self.branch_from(*from, block)
        })
    }

    fn branch_from(&self, from: usize, to: usize) -> TailRefusal {
        let (flow, blocks) = (self.flow(), self.flow().blocks());
        let to = blocks[to].range.start;
        match flow.of_block(&blocks[from]).last() {
            Some(from) => TailRefusal::OtherBranch {
                from: from.address,
                to: flow.instructions()[to].address,
            },
            None => TailRefusal::NoFunction,
        }
    }

    /// What a register holds before the instruction at `address`.
    fn value_at(&mut self, address: u64, register: Register) -> Option<Value> {
        let mut value = None;
        self.studied.trace.walk(&self.around, |step| {
            if step.instruction.address == address {
                value = Some(step.known.register(register));
            }
        });
        value
    }
}

/// The store must be one that means the same before the calls as after them.
fn check_store(store: Instruction) -> Result<(), TailRefusal> {
    let kept = |register: Register| (19..=28).contains(&register);
    match store.operation() {
        Operation::Store(Access {
            register: ZERO,
            base,
            size: 8,
            offset,
            ..
        }) if kept(base)
            && match offset {
                Offset::Immediate(_) => true,
                Offset::Register { index, .. } => kept(index),
                Offset::PreIndex(_) | Offset::PostIndex(_) => false,
            } =>
        {
            Ok(())
        }
        _ => Err(other(store, "a store of xzr by registers that calls keep")),
    }
}

/// The same word on both paths, which sets x0 and needs neither `_impl` nor memory that the store might
/// change.
fn check_arguments(
    arguments: [Instruction; 2],
    impl_register: Register,
) -> Result<(), TailRefusal> {
    let [first, second] = arguments;
    if first.word != second.word {
        return Err(TailRefusal::DifferentLockArguments { first, second });
    }
    let (operation, effects) = (first.operation(), first.effects());
    let from_stack = match operation.memory() {
        None => true,
        Some((base, Offset::Immediate(_), false)) => base == ZERO,
        Some(_) => false,
    };
    let only_sets_x0 = effects.known
        && effects.writes == Registers::one(0)
        && !effects.writes_flags
        && !effects.reads_flags
        && operation.falls_through()
        && !operation.calls()
        // An address that is counted from the instruction changes with its place.
        && !matches!(
            operation,
            Operation::Address { .. } | Operation::Page { .. } | Operation::LoadLiteral { .. }
        );
    if !only_sets_x0 || !from_stack {
        return Err(other(first, "one instruction that sets up the lock in x0"));
    }
    if effects.reads.has(impl_register) || effects.reads.has(0) {
        return Err(TailRefusal::LockFromImpl {
            argument: first,
            register: impl_register,
        });
    }
    Ok(())
}

fn other(found: Instruction, expected: &'static str) -> TailRefusal {
    TailRefusal::OtherShape { found, expected }
}
