//! What of an image leads to its instructions.

use std::ops::Range;

use crate::audit::arm64::{Operation, ZERO};
use crate::audit::{Code, Pointer};

/// Something that leads to an instruction.
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

impl Landing {
    fn to(self) -> u64 {
        match self {
            Landing::Branch { to, .. }
            | Landing::Address { to, .. }
            | Landing::Pointer { to, .. } => to,
        }
    }
}

/// All of an image, in the order of where they lead.
#[derive(Debug)]
pub(in crate::audit::race) struct Landings(Vec<Landing>);

impl Landings {
    pub(in crate::audit::race) fn of(code: &Code<'_>) -> Self {
        let mut found = Vec::new();
        for section in code.sections() {
            in_section(code, section.clone(), &mut found);
        }
        let binary = code.binary();
        found.extend(
            binary
                .pointers()
                .filter_map(|slot| match binary.pointer_at(slot) {
                    Ok(Pointer::Address { address: to, .. }) if code.is_code(to) => {
                        Some(Landing::Pointer { slot, to })
                    }
                    _ => None,
                }),
        );
        found.sort_by_key(|landing| landing.to());
        Landings(found)
    }

    /// All that leads to an instruction in `range`. Running into it does not count.
    pub(super) fn into(&self, range: &Range<u64>) -> &[Landing] {
        let before = |address: u64| self.0.partition_point(|landing| landing.to() < address);
        &self.0[before(range.start)..before(range.end)]
    }
}

fn in_section(code: &Code<'_>, section: Range<u64>, found: &mut Vec<Landing>) {
    // The page in each register, as the instructions stand.
    let mut pages: [Option<u64>; 31] = [None; 31];
    for instruction in code.instructions(section) {
        let from = instruction.address;
        let operation = instruction.operation();
        let landing = match operation {
            Operation::Page { register, page } => {
                if let Some(place) = pages.get_mut(usize::from(register)) {
                    *place = Some(page);
                }
                None
            }
            Operation::Address { target: to, .. } => Some(Landing::Address { from, to }),
            Operation::AddImmediate {
                source,
                immediate,
                subtract: false,
                wide: true,
                ..
            } if source != ZERO => {
                let page = pages.get(usize::from(source)).copied().flatten();
                let to = page.and_then(|page| page.checked_add(immediate));
                to.map(|to| Landing::Address { from, to })
            }
            _ => operation.target().map(|to| Landing::Branch { from, to }),
        };
        found.extend(landing.filter(|landing| code.is_code(landing.to())));
    }
}
