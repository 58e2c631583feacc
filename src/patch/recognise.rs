//! Tails that were patched before: by this program, or by the published edits.

use super::layout;
use super::{Kind, encode};
use crate::audit::Code;
use crate::audit::arm64::{Instruction, Operation, ZERO};

/// What is known of a method's tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It is patched.
    Patched(Kind),
    /// It has the race, and could be patched.
    Race,
    /// Neither is recognised.
    Unrecognised(String),
}

/// The patched tail in the method that begins at `address`, where it has one.
pub(super) fn patched(code: &Code<'_>, address: u64) -> Option<Kind> {
    let function = code.function_at(address)?;
    let body: Vec<Instruction> = code.instructions(function.addresses()).take(LONGEST).collect();
    let branches: Vec<u64> = body
        .iter()
        .filter_map(|instruction| match instruction.operation() {
            Operation::Conditional { target, .. } | Operation::CompareBranch { target, .. } => {
                Some(target)
            }
            _ => None,
        })
        .collect();
    let calls = |instruction: &Instruction, what: &[&str]| match instruction.operation() {
        Operation::Call { target } => code.name_of(target).is_some_and(|name| what.contains(&name)),
        _ => false,
    };
    body.windows(SLOTS).find_map(|slots| {
        let enters = |slot: usize| branches.contains(&slots[slot].address);
        let stores = |slot: usize| {
            matches!(slots[slot].operation(), Operation::Store(access) if access.register == ZERO && access.size == 8)
        };
        let unlocks = |slot: usize| calls(&slots[slot], layout::UNLOCKS);
        let pointer = slots[0].word & 31;
        let rebuilt = slots[0].word == encode::zero(u8::try_from(pointer).unwrap_or(ZERO))
            && stores(1)
            && enters(1)
            && unlocks(3)
            && slots[4].word == 0xaa00_03e0 | pointer << 16
            && calls(&slots[5], &["_free"]);
        let leaves = matches!(slots[3].operation(), Operation::Branch { target } if target == slots[7].address + 4);
        let published = stores(0)
            && unlocks(2)
            && leaves
            && enters(4)
            && slots[4].word == slots[0].word
            && slots[5].word == slots[1].word
            && unlocks(6)
            && slots[7].word == encode::NOP;
        if rebuilt {
            Some(Kind::Rebuilt)
        } else {
            published.then_some(Kind::Published)
        }
    })
}

/// Slots of the published tail.
const SLOTS: usize = 8;

/// The published method has some 60 instructions.
const LONGEST: usize = 4096;
