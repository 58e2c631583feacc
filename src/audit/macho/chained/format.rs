//! The formats of chained fix-ups: what a slot's bits say (`mach-o/fixup-chains.h`).

use super::super::super::Why;
use super::super::pointer::{Authentication, Key};

/// `DYLD_CHAINED_PTR_...`, those of files that a process loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Format {
    /// arm64e; `by_offset`: plain targets are offsets from the image's start and not addresses;
    /// signed ones always are. Imports have 24 bits in `wide`, otherwise 16.
    Arm64e {
        stride: u64,
        by_offset: bool,
        wide: bool,
    },
    /// All other 64-bit processors.
    Plain64 { by_offset: bool },
    /// 32-bit ones, whose slots can hold numbers as well: those above `last_pointer`.
    Plain32 { last_pointer: u32 },
    /// 32-bit firmware.
    Firmware32,
}

/// A slot, understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Slot {
    /// An address of the image.
    Rebase {
        address: u64,
        authentication: Option<Authentication>,
    },
    /// An import, by its place in the table.
    Bind {
        ordinal: u32,
        addend: i64,
        authentication: Option<Authentication>,
    },
    /// A number that stands in the chain, and no pointer.
    Number(u64),
}

impl Format {
    /// By its number. `last_pointer` is the segment's `max_valid_pointer`.
    pub(in super::super) fn of_number(number: u16, last_pointer: u32) -> Result<Self, Why> {
        let arm64e = |stride, by_offset, wide| Format::Arm64e {
            stride,
            by_offset,
            wide,
        };
        let refused = |meaning| Err(Why::PointerFormat { number, meaning });
        Ok(match number {
            1 => arm64e(8, false, false),
            2 => Format::Plain64 { by_offset: false },
            3 => Format::Plain32 { last_pointer },
            5 => Format::Firmware32,
            6 => Format::Plain64 { by_offset: true },
            7 => arm64e(4, true, false),
            9 => arm64e(8, true, false),
            10 => arm64e(4, false, false),
            12 => arm64e(8, true, true),
            4 => return refused("32-bit pointers of the shared cache, relative to it"),
            8 | 11 => return refused("pointers of a kernel collection, relative to it"),
            13 => return refused("arm64e pointers of the shared cache, relative to it"),
            14 => return refused("arm64e pointers by segment, of firmware"),
            _ => return refused("unknown"),
        })
    }

    /// How many bytes a slot has.
    pub(in super::super) fn width(self) -> u64 {
        match self {
            Format::Arm64e { .. } | Format::Plain64 { .. } => 8,
            Format::Plain32 { .. } | Format::Firmware32 => 4,
        }
    }

    /// The distance to the next slot of the chain in bytes; 0 where the chain ends.
    pub(in super::super) fn next(self, raw: u64) -> u64 {
        match self {
            Format::Arm64e { stride, .. } => bits(raw, 51, 11) * stride,
            Format::Plain64 { .. } => bits(raw, 51, 12) * 4,
            Format::Plain32 { .. } => bits(raw, 26, 5) * 4,
            Format::Firmware32 => bits(raw, 26, 6) * 4,
        }
    }

    /// What the slot says, in an image that begins at `base`.
    pub(in super::super) fn decode(self, raw: u64, base: u64) -> Slot {
        match self {
            Format::Arm64e {
                by_offset, wide, ..
            } => arm64e(raw, base, by_offset, wide),
            Format::Plain64 { by_offset } => plain_64(raw, base, by_offset),
            Format::Plain32 { last_pointer } => plain_32(raw, last_pointer),
            Format::Firmware32 => rebase(bits(raw, 0, 26)),
        }
    }
}

fn arm64e(raw: u64, base: u64, by_offset: bool, wide: bool) -> Slot {
    let bind = bits(raw, 62, 1) == 1;
    let signed = bits(raw, 63, 1) == 1;
    let authentication = signed.then(|| Authentication {
        key: Key::of_bits(bits(raw, 49, 2)),
        // Sixteen bits fit.
        diversity: u16::try_from(bits(raw, 32, 16)).unwrap_or_default(),
        by_address: bits(raw, 48, 1) == 1,
    });
    match (bind, signed) {
        (true, _) => Slot::Bind {
            ordinal: ordinal(bits(raw, 0, if wide { 24 } else { 16 })),
            // Signed imports have the signature's parts where others have the addend.
            addend: if signed {
                0
            } else {
                sign_extended(bits(raw, 32, 19), 19)
            },
            authentication,
        },
        (false, true) => Slot::Rebase {
            address: base.wrapping_add(bits(raw, 0, 32)),
            authentication,
        },
        (false, false) => {
            let target = bits(raw, 0, 43);
            rebase(if by_offset {
                base.wrapping_add(target)
            } else {
                target
            })
        }
    }
}

fn plain_64(raw: u64, base: u64, by_offset: bool) -> Slot {
    if bits(raw, 63, 1) == 1 {
        return Slot::Bind {
            ordinal: ordinal(bits(raw, 0, 24)),
            addend: bits(raw, 24, 8).cast_signed(),
            authentication: None,
        };
    }
    let target = bits(raw, 0, 36);
    rebase(if by_offset {
        base.wrapping_add(target)
    } else {
        target
    })
}

fn plain_32(raw: u64, last_pointer: u32) -> Slot {
    if bits(raw, 31, 1) == 1 {
        return Slot::Bind {
            ordinal: ordinal(bits(raw, 0, 20)),
            addend: bits(raw, 20, 6).cast_signed(),
            authentication: None,
        };
    }
    let target = bits(raw, 0, 26);
    let last = u64::from(last_pointer);
    if target > last {
        // What is no pointer is stored around the middle of the room that pointers leave.
        let bias = u64::midpoint(0x0400_0000, last);
        return Slot::Number(target.wrapping_sub(bias) & 0xffff_ffff);
    }
    rebase(target)
}

fn rebase(address: u64) -> Slot {
    Slot::Rebase {
        address,
        authentication: None,
    }
}

fn ordinal(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// `count` bits from the bit `from`.
fn bits(raw: u64, from: u32, count: u32) -> u64 {
    (raw >> from) & ((1 << count) - 1)
}

fn sign_extended(value: u64, count: u32) -> i64 {
    value.cast_signed() << (64 - count) >> (64 - count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: u64 = 0x1_0000_0000;

    fn format(number: u16) -> Format {
        Format::of_number(number, 0x0010_0000).expect("a format that is read")
    }

    #[test]
    fn plain_64_bit_pointers_by_address_and_by_offset() {
        let raw = 3 << 51 | 0x12_3456;
        assert_eq!(format(2).next(raw), 12);
        assert_eq!(format(2).decode(raw, BASE), rebase(0x12_3456));
        assert_eq!(format(6).decode(raw, BASE), rebase(BASE + 0x12_3456));
        assert_eq!(
            format(6).decode(1 << 63 | 5 << 24 | 0x4d, BASE),
            Slot::Bind {
                ordinal: 0x4d,
                addend: 5,
                authentication: None
            }
        );
    }

    #[test]
    fn the_top_byte_of_a_tagged_pointer_is_not_of_its_address() {
        assert_eq!(
            format(6).decode(0x80 << 36 | 0x40, BASE),
            rebase(BASE + 0x40)
        );
        assert_eq!(
            format(9).decode(0x80 << 43 | 0x40, BASE),
            rebase(BASE + 0x40)
        );
    }

    #[test]
    fn signed_pointers_have_their_key_and_diversity() {
        let authentication = Some(Authentication {
            key: Key::DA,
            diversity: 0x6ae1,
            by_address: true,
        });
        let signature = 1 << 63 | 2 << 49 | 1 << 48 | 0x6ae1 << 32;
        for number in [1, 7, 9, 10, 12] {
            assert_eq!(
                format(number).decode(signature | 0x4000, BASE),
                Slot::Rebase {
                    address: BASE + 0x4000,
                    authentication
                },
                "format {number}"
            );
        }
        let bind = signature | 1 << 62 | 0x12_0003;
        assert_eq!(
            format(9).decode(bind, BASE),
            Slot::Bind {
                ordinal: 3,
                addend: 0,
                authentication
            }
        );
        assert_eq!(
            format(12).decode(bind, BASE),
            Slot::Bind {
                ordinal: 0x12_0003,
                addend: 0,
                authentication
            }
        );
    }

    #[test]
    fn arm64e_pointers_that_are_not_signed() {
        assert_eq!(format(1).decode(BASE + 8, BASE), rebase(BASE + 8));
        assert_eq!(format(10).decode(BASE + 8, BASE), rebase(BASE + 8));
        assert_eq!(format(9).decode(8, BASE), rebase(BASE + 8));
        assert_eq!(
            format(9).decode(1 << 62 | 0x7_ffff << 32 | 9, BASE),
            Slot::Bind {
                ordinal: 9,
                addend: -1,
                authentication: None
            }
        );
        assert_eq!(format(9).next(2 << 51), 16);
        assert_eq!(format(7).next(2 << 51), 8);
    }

    #[test]
    fn numbers_among_32_bit_pointers() {
        assert_eq!(format(3).decode(0x4000, 0), rebase(0x4000));
        assert_eq!(format(3).next(0x1f << 26), 124);
        assert_eq!(format(3).decode(0x0208_0007, 0), Slot::Number(7));
        assert_eq!(
            format(3).decode(1 << 31 | 2 << 20 | 5, 0),
            Slot::Bind {
                ordinal: 5,
                addend: 2,
                authentication: None
            }
        );
        assert_eq!(format(5).decode(0x3f << 26 | 0x40, 0), rebase(0x40));
        assert_eq!(format(5).next(0x3f << 26 | 0x40), 252);
    }

    #[test]
    fn formats_of_kernels_and_caches_are_refused_by_name() {
        for number in [4, 8, 11, 13, 14] {
            let refused = Format::of_number(number, 0);
            assert!(
                matches!(refused, Err(Why::PointerFormat { number: told, meaning })
                    if told == number && meaning != "unknown"),
                "{refused:?}"
            );
        }
        assert!(Format::of_number(0, 0).is_err() && Format::of_number(15, 0).is_err());
    }
}
