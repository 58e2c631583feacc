//! The tail, laid out anew.
//!
//! The published tail gives `_impl` to a free list or frees it, unlocks on each of the two paths, and
//! stores NULL behind both. Eight instructions follow the store into the list, and six are enough: once
//! the first path has given the pointer away, its register may be zero, `free` of which does nothing,
//! and both paths can share the store, the unlocking and `free`.
//!
//! | slot | instruction |
//! |---|---|
//! | 0 | `mov impl, xzr`, on the way on which it was given away |
//! | 1 | `str xzr, [self, offset]`: where the other way comes in |
//! | 2 | what makes the lock's address |
//! | 3 | `bl unlock` |
//! | 4 | `mov x0, impl` |
//! | 5 | `bl free` |
//! | 6, 7 | `nop` |

use super::{Edit, Refusal, encode};
use crate::audit::arm64::{Instruction, Operation, Register};

/// What a tail consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The branch that is taken where the list is full.
    pub condition: Instruction,
    /// Where the part of the first way begins that follows the giving away.
    pub first: u64,
    /// What makes the lock's address.
    pub lock_argument: Instruction,
    /// What unlocks.
    pub unlock: u64,
    /// What moves the pointer to where `free` expects it.
    pub free_argument: Instruction,
    /// `free`.
    pub free: u64,
    /// The store of NULL, last of the tail.
    pub store: Instruction,
    /// What follows.
    pub epilogue: u64,
    /// The register that has the pointer.
    pub pointer: Register,
}

/// How many of the slots there must be.
const NEEDED: usize = 6;

/// What of the tail changes, in the order of addresses; `code` is the old one.
pub fn rebuild(
    parts: &Parts,
    code: &dyn Fn(u64) -> Option<Instruction>,
) -> Result<Vec<Edit>, Refusal> {
    for moved in [parts.store, parts.lock_argument, parts.free_argument] {
        if is_relative(moved) {
            return Err(Refusal::Unfit {
                address: moved.address,
                why: "it depends on where it stands, and would have to move",
            });
        }
    }
    let first = parts.first;
    let slots: Vec<u64> = (first..=parts.store.address).step_by(4).collect();
    if slots.len() < NEEDED || slots.len() > MOST || parts.epilogue != parts.store.address + 4 {
        return Err(Refusal::Unfit {
            address: first,
            why: "there is not the room that the rebuilt tail needs",
        });
    }
    let mut words = vec![
        encode::zero(parts.pointer),
        parts.store.word,
        parts.lock_argument.word,
        encode::call(slots[3], parts.unlock)?,
        parts.free_argument.word,
        encode::call(slots[5], parts.free)?,
    ];
    words.resize(slots.len(), encode::NOP);
    let condition = parts.condition;
    let branch = encode::retarget(condition.word, condition.address, slots[1])?;
    let new = std::iter::once((condition.address, branch)).chain(slots.into_iter().zip(words));
    let mut edits = Vec::new();
    for (address, word) in new {
        let old = code(address).ok_or(Refusal::Unfit {
            address,
            why: "no instruction is there",
        })?;
        if old.word != word {
            edits.push(Edit {
                address,
                old: old.word,
                new: word,
            });
        }
    }
    Ok(edits)
}

/// Whether the same word elsewhere would do something else.
fn is_relative(instruction: Instruction) -> bool {
    let operation = instruction.operation();
    operation.target().is_some()
        || matches!(
            operation,
            Operation::Address { .. }
                | Operation::Page { .. }
                | Operation::LoadLiteral { .. }
                | Operation::Unknown
        )
}

/// A tail with more room than this is another one.
const MOST: usize = 16;
