//! Loads and stores.

use super::bits::{bit, field, is, register, signed, small};
use super::{Access, Extend, Instruction, Offset, Operation};

pub(super) fn operation(Instruction { address, word }: Instruction) -> Operation {
    match Form::of(word) {
        Form::Literal if bit(word, 26) || field(word, 30, 2) == 3 => Operation::Other,
        Form::Literal => Operation::LoadLiteral {
            register: register(word, 0),
            target: address.wrapping_add_signed(signed(word, 5, 19, 4)),
        },
        Form::Pair => pair(word),
        Form::Single(offset) => single(word, offset),
        Form::Ordered { load } => ordered(word, load),
        Form::Authenticated => {
            let immediate = signed(word, 12, 9, 8) & 0xff8 | signed(word, 22, 1, 1) << 12;
            let offset = if bit(word, 11) {
                Offset::PreIndex(immediate)
            } else {
                Offset::Immediate(immediate)
            };
            Operation::Load(Access {
                register: register(word, 0),
                base: register(word, 5),
                offset,
                size: 8,
                signed: false,
            })
        }
        Form::Atomic | Form::Exclusive => Operation::OtherMemory {
            base: register(word, 5),
            offset: Offset::Immediate(0),
            store: true,
        },
        Form::Vectors => Operation::OtherMemory {
            base: register(word, 5),
            offset: if bit(word, 23) {
                Offset::PostIndex(0)
            } else {
                Offset::Immediate(0)
            },
            store: !bit(word, 22),
        },
        Form::Unknown => Operation::Unknown,
    }
}

/// How a load or store is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// From a place near the instruction.
    Literal,
    /// Two registers.
    Pair,
    /// One register.
    Single(Offset),
    /// `ldar`, `stlr`, `ldapr` and theirs: one register, nothing added to the base.
    Ordered {
        /// Or store.
        load: bool,
    },
    /// `ldraa`, `ldrab`.
    Authenticated,
    /// `ldadd`, `swp` and theirs.
    Atomic,
    /// `ldxr`, `stxr`, `cas` and theirs.
    Exclusive,
    /// `ld1` and theirs.
    Vectors,
    /// None of these.
    Unknown,
}

impl Form {
    pub(super) fn of(word: u32) -> Self {
        let vector = bit(word, 26);
        match (field(word, 28, 2), bit(word, 24)) {
            (0b00, _) if vector => {
                // Several structures, or one; bit 31 is clear in both.
                if bit(word, 31) {
                    Form::Unknown
                } else {
                    Form::Vectors
                }
            }
            (0b00, false) => {
                // o2 and o1: `ldar`, `stlr` and theirs have no second register.
                if bit(word, 23) && !bit(word, 21) {
                    Form::Ordered {
                        load: bit(word, 22),
                    }
                } else {
                    Form::Exclusive
                }
            }
            (0b01, false) => Form::Literal,
            // `ldapur`, `stlur`.
            (0b01, true) if is(word, 0x0420_0c00, 0) => {
                Form::Single(Offset::Immediate(signed(word, 12, 9, 1)))
            }
            (0b10, _) => Form::Pair,
            (0b11, true) => Form::Single(Offset::Immediate(
                i64::from(field(word, 10, 12)) << scale(word),
            )),
            (0b11, false) => Form::of_single(word, vector),
            _ => Form::Unknown,
        }
    }

    fn of_single(word: u32, vector: bool) -> Self {
        let near = signed(word, 12, 9, 1);
        match (bit(word, 21), field(word, 10, 2)) {
            // Unscaled, and unprivileged.
            (false, 0b00) => Form::Single(Offset::Immediate(near)),
            (false, 0b10) if !vector => Form::Single(Offset::Immediate(near)),
            (false, 0b01) => Form::Single(Offset::PostIndex(near)),
            (false, 0b11) => Form::Single(Offset::PreIndex(near)),
            (true, 0b10) => {
                let extend = match field(word, 13, 3) {
                    0b010 => Extend::Uxtw,
                    0b011 => Extend::Lsl,
                    0b110 => Extend::Sxtw,
                    0b111 => Extend::Sxtx,
                    _ => return Form::Unknown,
                };
                let shift = if bit(word, 12) { scale(word) } else { 0 };
                Form::Single(Offset::Register {
                    index: register(word, 16),
                    shift,
                    extend,
                })
            }
            (true, 0b00) if vector => Form::Unknown,
            (true, 0b00) => match (bit(word, 15), field(word, 12, 3), field(word, 16, 5)) {
                // `ldapr`.
                (true, 0b100, 31) => Form::Ordered { load: true },
                // The arithmetic ones, and `swp`.
                (false, _, _) | (true, 0b000, _) => Form::Atomic,
                _ => Form::Unknown,
            },
            (true, _) if !vector && field(word, 30, 2) == 3 => Form::Authenticated,
            _ => Form::Unknown,
        }
    }
}

/// By how many bits the offset of a single register's access is scaled.
fn scale(word: u32) -> u8 {
    let size = small(word, 30, 2);
    // 128 bits of a vector register.
    if bit(word, 26) && bit(word, 23) {
        4
    } else {
        size
    }
}

fn single(word: u32, offset: Offset) -> Operation {
    let size = 1 << field(word, 30, 2);
    let base = register(word, 5);
    if bit(word, 26) {
        return Operation::OtherMemory {
            base,
            offset,
            store: !bit(word, 22),
        };
    }
    let access = Access {
        register: register(word, 0),
        base,
        offset,
        size,
        signed: bit(word, 23),
    };
    match (field(word, 22, 2), size) {
        (0b00, _) => Operation::Store(access),
        // `prfm`: it reads nothing that could fault.
        (0b10, 8) => Operation::Other,
        (0b11, 4 | 8) => Operation::Unknown,
        _ => Operation::Load(access),
    }
}

fn ordered(word: u32, load: bool) -> Operation {
    let access = Access {
        register: register(word, 0),
        base: register(word, 5),
        offset: Offset::Immediate(0),
        size: 1 << field(word, 30, 2),
        signed: false,
    };
    if load {
        Operation::Load(access)
    } else {
        Operation::Store(access)
    }
}

fn pair(word: u32) -> Operation {
    let (vector, load) = (bit(word, 26), bit(word, 22));
    let (size, signed_load) = match (vector, field(word, 30, 2)) {
        (false, 0b00) => (4, false),
        (false, 0b01) => (4, true),
        (false, 0b10) => (8, false),
        (true, opc @ 0..=2) => (4 << opc, false),
        _ => return Operation::Unknown,
    };
    // `stgp` stores 64-bit registers and a tag, in units of 16.
    let tagged = signed_load && !load;
    let (size, unit) = if tagged {
        (8, 16)
    } else {
        (size, i64::from(size))
    };
    let immediate = signed(word, 15, 7, unit);
    let offset = match field(word, 23, 2) {
        0b01 => Offset::PostIndex(immediate),
        0b11 => Offset::PreIndex(immediate),
        _ => Offset::Immediate(immediate),
    };
    let base = register(word, 5);
    if vector {
        return Operation::OtherMemory {
            base,
            offset,
            store: !load,
        };
    }
    let access = Access {
        register: register(word, 0),
        base,
        offset,
        size,
        signed: signed_load && load,
    };
    let second = register(word, 10);
    if load {
        Operation::LoadPair(access, second)
    } else {
        Operation::StorePair(access, second)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ZERO;
    use super::*;

    fn of(word: u32) -> Operation {
        Instruction::new(0x1000, word).operation()
    }

    fn access(register: u8, base: u8, offset: Offset, size: u8) -> Access {
        Access {
            register,
            base,
            offset,
            size,
            signed: false,
        }
    }

    // Words: `llvm-mc -triple arm64e-apple-macos -show-encoding`.
    #[test]
    fn single_registers() {
        let rows = [
            // str x20, [x9, #0x1a68]
            (
                0xf90d_3534,
                Operation::Store(access(20, 9, Offset::Immediate(0x1a68), 8)),
            ),
            // ldr w1, [sp, #4]
            (
                0xb940_07e1,
                Operation::Load(access(1, ZERO, Offset::Immediate(4), 4)),
            ),
            // ldr x0, [x0, #-8]!
            (
                0xf85f_8c00,
                Operation::Load(access(0, 0, Offset::PreIndex(-8), 8)),
            ),
            // ldr x0, [x1], #16
            (
                0xf841_0420,
                Operation::Load(access(0, 1, Offset::PostIndex(16), 8)),
            ),
            // strb w3, [x4, #7]
            (
                0x3900_1c83,
                Operation::Store(access(3, 4, Offset::Immediate(7), 1)),
            ),
            // ldar x0, [x1]
            (
                0xc8df_fc20,
                Operation::Load(access(0, 1, Offset::Immediate(0), 8)),
            ),
            // stlr wzr, [x2]
            (
                0x889f_fc5f,
                Operation::Store(access(ZERO, 2, Offset::Immediate(0), 4)),
            ),
            // ldapr x0, [x1]
            (
                0xf8bf_c020,
                Operation::Load(access(0, 1, Offset::Immediate(0), 8)),
            ),
            // ldraa x0, [x1, #-8]
            (
                0xf87f_f420,
                Operation::Load(access(0, 1, Offset::Immediate(-8), 8)),
            ),
            // ldr x1, [x0, w8, sxtw #3]
            (
                0xf868_d801,
                Operation::Load(access(
                    1,
                    0,
                    Offset::Register {
                        index: 8,
                        shift: 3,
                        extend: Extend::Sxtw,
                    },
                    8,
                )),
            ),
            // ldrsw x8, [x8, #0x300]
            (
                0xb983_0108,
                Operation::Load(Access {
                    signed: true,
                    ..access(8, 8, Offset::Immediate(0x300), 4)
                }),
            ),
            // prfm pldl1keep, [x0]
            (0xf980_0000, Operation::Other),
            // ldr q0, [x1, #16]
            (
                0x3dc0_0420,
                Operation::OtherMemory {
                    base: 1,
                    offset: Offset::Immediate(16),
                    store: false,
                },
            ),
        ];
        for (word, expected) in rows {
            assert_eq!(of(word), expected, "{word:#x}");
        }
    }

    #[test]
    fn two_registers() {
        // stp x29, x30, [sp, #-16]!
        assert_eq!(
            of(0xa9bf_7bfd),
            Operation::StorePair(access(29, ZERO, Offset::PreIndex(-16), 8), 30)
        );
        // ldp x20, x19, [sp, #32]
        assert_eq!(
            of(0xa942_4ff4),
            Operation::LoadPair(access(20, ZERO, Offset::Immediate(32), 8), 19)
        );
        // stp q0, q1, [x2]
        assert_eq!(
            of(0xad00_0440),
            Operation::OtherMemory {
                base: 2,
                offset: Offset::Immediate(0),
                store: true
            }
        );
    }

    #[test]
    fn from_near_by() {
        // ldr x1, #-8
        assert_eq!(
            of(0x58ff_ffc1),
            Operation::LoadLiteral {
                register: 1,
                target: 0xff8
            }
        );
    }
}
