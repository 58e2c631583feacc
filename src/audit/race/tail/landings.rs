//! What of an image leads to a range of its instructions.

use std::ops::Range;

use crate::audit::arm64::{Operation, ZERO};
use crate::audit::{Code, Pointer};

/// Something that leads there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landing {
    /// A branch or a call.
    Branch {
        /// The instruction.
        from: u64,
        /// Where it goes.
        to: u64,
    },
    /// Code that forms an address (`adr`, `adrp` with `add`).
    Address {
        /// The last of its instructions.
        from: u64,
        /// The address.
        to: u64,
    },
    /// A pointer that the loader adjusts.
    Pointer {
        /// Where it stands.
        slot: u64,
        /// Where it leads.
        to: u64,
    },
}

/// All that leads to an instruction in `range`. Running into it does not count.
pub(super) fn into(code: &Code<'_>, range: Range<u64>) -> Vec<Landing> {
    let mut found = Vec::new();
    for section in code.sections() {
        // The page in each register, as the instructions stand.
        let mut pages: [Option<u64>; 31] = [None; 31];
        for instruction in code.instructions(section.clone()) {
            let from = instruction.address;
            let operation = instruction.operation();
            match operation {
                Operation::Page { register, page } => {
                    if let Some(place) = pages.get_mut(usize::from(register)) {
                        *place = Some(page);
                    }
                }
                Operation::Address { target: to, .. } if range.contains(&to) => {
                    found.push(Landing::Address { from, to });
                }
                Operation::AddImmediate {
                    source,
                    immediate,
                    subtract: false,
                    wide: true,
                    ..
                } if source != ZERO => {
                    let page = pages.get(usize::from(source)).copied().flatten();
                    let to = page.and_then(|page| page.checked_add(immediate));
                    if let Some(to) = to.filter(|to| range.contains(to)) {
                        found.push(Landing::Address { from, to });
                    }
                }
                _ => {
                    if let Some(to) = operation.target().filter(|to| range.contains(to)) {
                        found.push(Landing::Branch { from, to });
                    }
                }
            }
        }
    }
    let binary = code.binary();
    found.extend(
        binary
            .pointers()
            .filter_map(|slot| match binary.pointer_at(slot) {
                Ok(Pointer::Address { address, .. }) if range.contains(&address) => {
                    Some(Landing::Pointer { slot, to: address })
                }
                _ => None,
            }),
    );
    found
}
