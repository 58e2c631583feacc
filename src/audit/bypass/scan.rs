//! One pass over all instructions of an image.

use std::collections::HashMap;

use super::follow::Pages;
use super::{Found, How, LookedAt, Wanted};
use crate::audit::Code;
use crate::audit::arm64::{Instruction, Operation};

/// Tells `found` of every branch, call, address and load that comes to one of the `wanted` addresses.
pub(super) fn scan(
    code: &Code<'_>,
    wanted: &HashMap<u64, Wanted>,
    looked_at: &mut LookedAt,
    progress: &mut dyn FnMut(u64),
    found: &mut dyn FnMut(Found),
) {
    let ends = wanted
        .keys()
        .copied()
        .min()
        .zip(wanted.keys().copied().max());
    // Nearly every address is outside: compared first, looked up then.
    let (first, last) = ends.unwrap_or((u64::MAX, 0));
    let wanted = |place: u64| {
        if (first..=last).contains(&place) {
            wanted.get(&place).copied()
        } else {
            None
        }
    };
    for section in code.sections() {
        let mut pages = Pages::default();
        let mut seen = 0;
        for instruction in code.instructions(section.clone()) {
            seen += 1;
            if seen % PROGRESS == 0 {
                progress(PROGRESS * 4);
            }
            let operation = instruction.operation();
            if operation == Operation::Unknown {
                looked_at.undecoded += 1;
            }
            let mut tell = |place: u64, how: How, instructions: &[Instruction]| {
                if let Some(wanted) = wanted(place) {
                    found(Found {
                        wanted,
                        place,
                        how,
                        instructions: instructions.to_vec(),
                    });
                }
            };
            match operation {
                Operation::Call { target } => tell(target, How::Call, &[instruction]),
                Operation::Address { target, .. } => tell(target, How::Form, &[instruction]),
                Operation::LoadLiteral { target, .. } => tell(target, How::Load, &[instruction]),
                _ => {
                    if let Some(target) = operation.target() {
                        tell(target, How::Branch, &[instruction]);
                    }
                }
            }
            if let Some(formed) = pages.step(instruction, operation) {
                let how = if formed.loads { How::Load } else { How::Form };
                tell(formed.address, how, &[formed.page, instruction]);
            }
        }
        progress(seen % PROGRESS * 4);
        looked_at.instructions += seen;
        looked_at.unread += (section.end - section.start) - seen * 4;
    }
}

/// After how many instructions progress is told: a megabyte.
const PROGRESS: u64 = 256 * 1024;
