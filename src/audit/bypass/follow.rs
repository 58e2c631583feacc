//! The pages whose addresses registers have, from one instruction to the next.

use crate::audit::arm64::{Access, Instruction, Offset, Operation, Register, Registers, ZERO};

/// Which registers have the address of a page, and since which instruction.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pages: [Option<(u64, Instruction)>; ZERO as usize],
    known: Registers,
}

/// What a function that is called may change.
const CLOBBERED: Registers = Registers::range(0, 18).and(Registers::one(30));

/// An address that two instructions form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Formed {
    pub(super) address: u64,
    pub(super) page: Instruction,
    pub(super) loads: bool,
}

impl Pages {
    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.known = Registers::NONE;
    }

    /// Goes past an instruction; what it forms together with an earlier one.
    pub(super) fn step(
        &mut self,
        instruction: Instruction,
        operation: Operation,
    ) -> Option<Formed> {
        if let Operation::Page { register, page } = operation {
            if let Some(place) = self.pages.get_mut(usize::from(register)) {
                *place = Some((page, instruction));
                self.known = self.known.and(Registers::one(register));
            }
            return None;
        }
        if self.known.is_empty() {
            return None;
        }
        let formed = match operation {
            Operation::AddImmediate {
                source,
                immediate,
                subtract: false,
                sets_flags: false,
                wide: true,
                ..
            } => self.formed(source, immediate, false),
            // The page itself, as the compiler writes it where the offset is 0.
            Operation::Move {
                source, wide: true, ..
            } => self.formed(source, 0, false),
            Operation::Load(Access {
                base,
                offset: Offset::Immediate(within),
                size: 8,
                ..
            }) => u64::try_from(within)
                .ok()
                .and_then(|within| self.formed(base, within, true)),
            _ => None,
        };
        self.forget(instruction, operation);
        formed
    }

    fn formed(&self, base: Register, within: u64, loads: bool) -> Option<Formed> {
        if !self.known.has(base) {
            return None;
        }
        let (page, instruction) = self.pages[usize::from(base)]?;
        Some(Formed {
            address: page.wrapping_add(within),
            page: instruction,
            loads,
        })
    }

    fn forget(&mut self, instruction: Instruction, operation: Operation) {
        if !operation.falls_through() {
            return self.clear();
        }
        let written = instruction.effects().writes;
        self.known = self.known.without(written);
        if operation.calls() {
            self.known = self.known.without(CLOBBERED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[u32]) -> Vec<Option<(u64, bool)>> {
        let mut pages = Pages::default();
        (0u64..)
            .zip(words)
            .map(|(number, word)| {
                let instruction = Instruction::new(0x1000 + number * 4, *word);
                let formed = pages.step(instruction, instruction.operation());
                formed.map(|formed| (formed.address, formed.loads))
            })
            .collect()
    }

    const ADRP_X8: u32 = 0xb000_0008; // adrp x8, #0x1000
    const ADD_X9: u32 = 0x9100_4109; // add x9, x8, #0x10
    const LDR_X0: u32 = 0xf940_0900; // ldr x0, [x8, #0x10]

    #[test]
    fn a_page_and_what_is_within() {
        assert_eq!(run(&[ADRP_X8, ADD_X9]), [None, Some((0x2010, false))]);
        assert_eq!(run(&[ADRP_X8, LDR_X0]), [None, Some((0x2010, true))]);
        // With something between: mov x1, x2
        assert_eq!(
            run(&[ADRP_X8, 0xaa02_03e1, ADD_X9])[2],
            Some((0x2010, false))
        );
    }

    #[test]
    fn what_changes_the_register_ends_it() {
        // mov x8, x2
        assert_eq!(run(&[ADRP_X8, 0xaa02_03e8, ADD_X9])[2], None);
        // bl, then x8 is anything
        assert_eq!(run(&[ADRP_X8, 0x9400_0001, ADD_X9])[2], None);
        // ret
        assert_eq!(run(&[ADRP_X8, 0xd65f_03c0, ADD_X9])[2], None);
        // An instruction that is not known.
        assert_eq!(run(&[ADRP_X8, 0x0420_0000, ADD_X9])[2], None);
    }

    #[test]
    fn what_a_call_keeps_is_kept() {
        // adrp x20, #0x1000; bl; add x9, x20, #0x10
        let words = [0xb000_0014, 0x9400_0001, 0x9100_4289];
        assert_eq!(run(&words)[2], Some((0x2010, false)));
    }
}
