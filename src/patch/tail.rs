//! The tails of `destroyImpl`, as the audit finds them.

use super::layout::{Parts, UNLOCKS};
use super::published;
use super::{Kind, Refusal};
use crate::audit::arm64::{Instruction, Operation, ZERO};
use crate::audit::{Code, Objc};

/// The selector.
pub const DESTROY: &str = "destroyImpl";

/// The methods of that name: class, and where the code begins.
pub fn methods<'o>(objc: &'o Objc<'_>) -> impl Iterator<Item = (&'o str, u64)> {
    objc.classes.iter().flat_map(|class| {
        let methods = class.instance_methods.iter();
        methods
            .filter(|method| method.selector == Some(DESTROY))
            .filter_map(|method| Some((class.name?, method.implementation?)))
    })
}

/// The parts of the tail of the method at `address`.
pub fn parts(code: &Code<'_>, address: u64, kind: Kind) -> Result<Parts, Refusal> {
    if kind == Kind::Published {
        let parts = published_parts();
        let function = code.function_at(address);
        return if function.is_some_and(|it| it.addresses().contains(&parts.condition.address)) {
            Ok(parts)
        } else {
            Err(Refusal::Tail("the published edits leave it as it is".to_owned()))
        };
    }
    let function = code.function_at(address).ok_or_else(|| Refusal::Tail("no function".into()))?;
    let body: Vec<Instruction> = code.instructions(function.addresses()).collect();
    let at = |word: u64| body.iter().find(|i| i.address == word).copied();
    for slots in body.windows(8) {
        let Operation::Branch { target } = slots[2].operation() else { continue };
        let Operation::Call { target: unlock } = slots[1].operation() else { continue };
        let Operation::Call { target: free } = slots[6].operation() else { continue };
        if target != slots[7].address || slots[3].word != slots[0].word { continue }
        if !code.name_of(unlock).is_some_and(|n| UNLOCKS.contains(&n)) { continue }
        let Operation::Store(s) = slots[7].operation() else { continue };
        if s.register != ZERO { continue }
        let Operation::Move { source, .. } = slots[5].operation() else { continue };
        let condition = body.iter().find(|i| i.operation().target() == Some(slots[3].address));
        return Ok(Parts {
            condition: *condition.ok_or_else(|| Refusal::Tail("no branch".into()))?,
            give_away: at(slots[0].address - 4).ok_or_else(|| Refusal::Tail("no".into()))?,
            lock_argument: slots[0],
            unlock,
            free_argument: slots[5],
            free,
            store: slots[7],
            epilogue: slots[7].address + 4,
            pointer: source,
        });
    }
    Err(Refusal::Tail("the tail is not recognised".to_owned()))
}

/// The published build's tail: its words are compared before anything is changed.
fn published_parts() -> Parts {
    let edits = &published::EDITS;
    Parts {
        condition: edits[0].before(),
        give_away: Instruction::new(edits[1].address - 4, 0xf90d_3534),
        lock_argument: edits[1].before(),
        unlock: 0x6d_49e4,
        free_argument: edits[6].before(),
        free: 0x6d_46c4,
        store: edits[8].before(),
        epilogue: published::EPILOGUE,
        pointer: 20,
    }
}
