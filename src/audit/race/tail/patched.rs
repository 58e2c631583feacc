//! The forms that an end of `destroyImpl` has after a patch.

use std::fmt;

use crate::audit::Code;
use crate::audit::arm64::{Instruction, Operation, Register, ZERO};
use crate::audit::race::callee::Callee;
use crate::audit::race::control_flow::ControlFlow;

/// By which patch it has its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patched {
    /// As agxrun orders it: path 1 clears its register and goes on to path 2, which frees NULL then.
    Cleared,
    /// As the published patch orders it: a store on each path, and no `free`.
    Published,
}

impl fmt::Display for Patched {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Patched::Cleared => "by agxrun",
            Patched::Published => "as published, with its leak",
        })
    }
}

/// The form, when NULL is stored at the addresses `stores`.
pub(super) fn form(code: &Code<'_>, flow: &ControlFlow, stores: &[u64]) -> Option<Patched> {
    let from = |address: u64, back: usize, size: usize| {
        let start = flow.index_of(address)?.checked_sub(back)?;
        flow.instructions().get(start..start + size)
    };
    match *stores {
        [store] => cleared(code, from(store, 1, 8)?).then_some(Patched::Cleared),
        [first, second] if first + 16 == second => {
            published(code, from(first, 0, 8)?).then_some(Patched::Published)
        }
        _ => None,
    }
}

fn cleared(code: &Code<'_>, window: &[Instruction]) -> bool {
    let [clear, _, _, unlock, argument, free, rest @ ..] = window else {
        return false;
    };
    let Some(register) = moved_to_x0(*argument) else {
        return false;
    };
    let clears = Operation::Move {
        destination: register,
        source: ZERO,
        wide: true,
    };
    clear.operation() == clears
        && calls(code, *unlock, Callee::Unlock)
        && calls(code, *free, Callee::Free)
        && rest.iter().all(|it| it.word == NOP)
}

fn published(code: &Code<'_>, window: &[Instruction]) -> bool {
    let [
        store,
        argument,
        unlock,
        branch,
        store_2,
        argument_2,
        unlock_2,
        nop,
    ] = window
    else {
        return false;
    };
    store.word == store_2.word
        && argument.word == argument_2.word
        && calls(code, *unlock, Callee::Unlock)
        && unlock.operation() == unlock_2.operation()
        && branch.operation()
            == Operation::Branch {
                target: nop.address + 4,
            }
        && nop.word == NOP
}

fn moved_to_x0(instruction: Instruction) -> Option<Register> {
    match instruction.operation() {
        Operation::Move {
            destination: 0,
            source,
            wide: true,
        } => Some(source),
        _ => None,
    }
}

fn calls(code: &Code<'_>, instruction: Instruction, callee: Callee) -> bool {
    match instruction.operation() {
        Operation::Call { target } => Callee::at(code, target) == callee,
        _ => false,
    }
}

const NOP: u32 = 0xd503_201f;
