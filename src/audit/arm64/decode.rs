//! What an instruction does.

use super::bits::{bit, field, is, register, signed, small};
use super::{Instruction, Operation, ZERO, memory};

pub(super) fn operation(instruction: Instruction) -> Operation {
    let word = instruction.word;
    // The first level of the encodings (C4.1): bits 28 to 25.
    match field(word, 25, 4) {
        0b1000 | 0b1001 => immediate(instruction),
        0b1010 | 0b1011 => branch(instruction),
        0b0100 | 0b0110 | 0b1100 | 0b1110 => memory::operation(instruction),
        0b0101 | 0b1101 => registers(word),
        0b0111 | 0b1111 => Operation::Other,
        // `udf`.
        0b0000 if field(word, 16, 16) == 0 => Operation::Trap,
        // Reserved, SVE and SME.
        _ => Operation::Unknown,
    }
}

fn immediate(Instruction { address, word }: Instruction) -> Operation {
    match field(word, 23, 3) {
        0b000 | 0b001 => {
            let distance = signed(word, 5, 19, 4) | i64::from(field(word, 29, 2));
            let register = register(word, 0);
            if bit(word, 31) {
                Operation::Page {
                    register,
                    page: (address & !0xfff).wrapping_add_signed(distance << 12),
                }
            } else {
                Operation::Address {
                    register,
                    target: address.wrapping_add_signed(distance),
                }
            }
        }
        0b010 => add_immediate(word),
        0b101 => move_wide(word),
        _ => Operation::Other,
    }
}

fn add_immediate(word: u32) -> Operation {
    let (destination, source) = (register(word, 0), register(word, 5));
    let immediate = u64::from(field(word, 10, 12)) << if bit(word, 22) { 12 } else { 0 };
    let (subtract, sets_flags, wide) = (bit(word, 30), bit(word, 29), bit(word, 31));
    // `mov` to and from the stack pointer.
    if immediate == 0 && !subtract && !sets_flags && (destination != ZERO && source != ZERO) {
        return Operation::Move {
            destination,
            source,
            wide,
        };
    }
    Operation::AddImmediate {
        destination,
        source,
        immediate,
        subtract,
        sets_flags,
        wide,
    }
}

fn move_wide(word: u32) -> Operation {
    let (wide, shift) = (bit(word, 31), field(word, 21, 2) * 16);
    if !wide && shift > 16 {
        return Operation::Unknown;
    }
    let destination = register(word, 0);
    let bits = u64::from(field(word, 5, 16)) << shift;
    match field(word, 29, 2) {
        0b00 if wide => Operation::MoveConstant {
            destination,
            value: !bits,
        },
        0b00 => Operation::MoveConstant {
            destination,
            value: !bits & u64::from(u32::MAX),
        },
        0b10 => Operation::MoveConstant {
            destination,
            value: bits,
        },
        0b11 => Operation::MoveKeep {
            destination,
            bits,
            mask: 0xffff << shift,
        },
        _ => Operation::Unknown,
    }
}

fn branch(Instruction { address, word }: Instruction) -> Operation {
    let near = |low, width| address.wrapping_add_signed(signed(word, low, width, 4));
    if is(word, 0x7c00_0000, 0x1400_0000) {
        let target = near(0, 26);
        return if bit(word, 31) {
            Operation::Call { target }
        } else {
            Operation::Branch { target }
        };
    }
    if is(word, 0x7e00_0000, 0x3400_0000) {
        return Operation::CompareBranch {
            register: register(word, 0),
            nonzero: bit(word, 24),
            target: near(5, 19),
        };
    }
    if is(word, 0x7e00_0000, 0x3600_0000) {
        return Operation::TestBranch {
            register: register(word, 0),
            bit: small(word, 31, 1) << 5 | small(word, 19, 5),
            nonzero: bit(word, 24),
            target: near(5, 14),
        };
    }
    if is(word, 0xff00_0000, 0x5400_0000) {
        let (target, condition) = (near(5, 19), small(word, 0, 4));
        return match condition {
            // `al` and `nv` are both "always".
            14 | 15 => Operation::Branch { target },
            condition => Operation::Conditional { target, condition },
        };
    }
    if is(word, 0xfe1f_0000, 0xd61f_0000) {
        return branch_to_register(word);
    }
    match field(word, 24, 8) {
        // `brk` and `hlt`; `svc`, `hvc` and `smc` go on.
        0xd4 if is(word, 0xffe0_001f, 0xd420_0000) || is(word, 0xffe0_001f, 0xd440_0000) => {
            Operation::Trap
        }
        0xd4 if is(word, 0xffe0_001c, 0xd400_0000) => Operation::Other,
        0xd5 => Operation::Other,
        _ => Operation::Unknown,
    }
}

fn branch_to_register(word: u32) -> Operation {
    let register = register(word, 5);
    let authenticated = match field(word, 10, 6) {
        0b00_0000 if field(word, 0, 5) == 0 => false,
        0b00_0010 | 0b00_0011 => true,
        _ => return Operation::Unknown,
    };
    match field(word, 21, 4) {
        0b0000 => Operation::IndirectBranch {
            register,
            authenticated,
        },
        0b0001 => Operation::IndirectCall {
            register,
            authenticated,
        },
        0b0010 => Operation::Return { authenticated },
        0b1000 if authenticated => Operation::IndirectBranch {
            register,
            authenticated,
        },
        0b1001 if authenticated => Operation::IndirectCall {
            register,
            authenticated,
        },
        _ => Operation::Unknown,
    }
}

fn registers(word: u32) -> Operation {
    let (destination, first, second) = (register(word, 0), register(word, 5), register(word, 16));
    let wide = bit(word, 31);
    // `orr` of the zero register and one that is not shifted.
    if is(word, 0x7fe0_ffe0, 0x2a00_03e0) {
        return Operation::Move {
            destination,
            source: second,
            wide,
        };
    }
    if is(word, 0x1fe0_fc00, 0x0b00_0000) {
        return Operation::Add {
            destination,
            first,
            second,
            subtract: bit(word, 30),
            sets_flags: bit(word, 29),
            wide,
        };
    }
    Operation::Other
}

#[cfg(test)]
mod tests {
    use super::super::{Access, Offset};
    use super::*;

    fn at(address: u64, word: u32) -> Operation {
        Instruction::new(address, word).operation()
    }

    #[test]
    fn the_published_tail_is_read() {
        // Words and addresses: the published disassembly of AGXMetalG16X 329.2.
        let published = [
            (
                0x2b_e05c,
                0x5400_0108,
                Operation::Conditional {
                    target: 0x2b_e07c,
                    condition: 8,
                },
            ),
            (
                0x2b_e070,
                0x8b15_0320,
                Operation::Add {
                    destination: 0,
                    first: 25,
                    second: 21,
                    subtract: false,
                    sets_flags: false,
                    wide: true,
                },
            ),
            (
                0x2b_e074,
                0x9410_5a5c,
                Operation::Call { target: 0x6d_49e4 },
            ),
            (
                0x2b_e078,
                0x1400_0005,
                Operation::Branch { target: 0x2b_e08c },
            ),
            (
                0x2b_e080,
                0x9410_5a59,
                Operation::Call { target: 0x6d_49e4 },
            ),
            (
                0x2b_e084,
                0xaa14_03e0,
                Operation::Move {
                    destination: 0,
                    source: 20,
                    wide: true,
                },
            ),
            (
                0x2b_e088,
                0x9410_598f,
                Operation::Call { target: 0x6d_46c4 },
            ),
            (
                0x2b_e08c,
                0xf838_6a7f,
                Operation::Store(Access {
                    register: ZERO,
                    base: 19,
                    offset: Offset::Register {
                        index: 24,
                        shift: 0,
                        extend: super::super::Extend::Lsl,
                    },
                    size: 8,
                    signed: false,
                }),
            ),
        ];
        for (address, word, expected) in published {
            assert_eq!(at(address, word), expected, "{address:#x}");
        }
    }

    #[test]
    fn distances_have_signs() {
        assert_eq!(at(0x1000, 0x17ff_ffff), Operation::Branch { target: 0xffc });
        assert_eq!(at(0x1000, 0x97ff_fc00), Operation::Call { target: 0 });
        // adr x1, #-1
        assert_eq!(
            at(0x1000, 0x70ff_ffe1),
            Operation::Address {
                register: 1,
                target: 0xfff
            }
        );
        // adrp x1, #-0x1000
        assert_eq!(
            at(0x5678, 0xf0ff_ffe1),
            Operation::Page {
                register: 1,
                page: 0x4000
            }
        );
        // tbnz w3, #31, #-4
        assert_eq!(
            at(0x1000, 0x37ff_ffe3),
            Operation::TestBranch {
                register: 3,
                bit: 31,
                nonzero: true,
                target: 0xffc
            }
        );
    }
}
