//! Which registers an instruction reads and writes.

use super::bits::{bit, field, is, register};
use super::memory::Form;
use super::{Effects, Offset, Registers};

pub(super) fn of(word: u32) -> Effects {
    match field(word, 25, 4) {
        0b1000 | 0b1001 => immediate(word),
        0b1010 | 0b1011 => branch(word),
        0b0100 | 0b0110 | 0b1100 | 0b1110 => memory(word),
        0b0101 | 0b1101 => registers(word),
        0b0111 | 0b1111 => vectors(word),
        0b0000 if field(word, 16, 16) == 0 => Effects::none(),
        _ => Effects::UNKNOWN,
    }
}

/// The register in the lowest five bits, the one from bit 5, 10 and 16.
struct Fields {
    d: Registers,
    n: Registers,
    a: Registers,
    m: Registers,
}

fn fields(word: u32) -> Fields {
    let one = |low| Registers::one(register(word, low));
    Fields {
        d: one(0),
        n: one(5),
        a: one(10),
        m: one(16),
    }
}

fn or_stack(word: u32, low: u32) -> Registers {
    Registers::or_stack(register(word, low))
}

fn immediate(word: u32) -> Effects {
    let Fields { d, n, m, .. } = fields(word);
    let sets_flags = bit(word, 29);
    match field(word, 23, 3) {
        0b000 | 0b001 => Effects::of(Registers::NONE, d),
        0b010 => {
            let d = if sets_flags { d } else { or_stack(word, 0) };
            Effects::of(or_stack(word, 5), d).writing_flags(sets_flags)
        }
        // `and`, `orr`, `eor` may change the stack pointer; `ands` sets the flags.
        0b100 if field(word, 29, 2) == 0b11 => Effects::of(n, d).writing_flags(true),
        0b100 => Effects::of(n, or_stack(word, 0)),
        0b101 => match field(word, 29, 2) {
            0b01 => Effects::UNKNOWN,
            // `movk` keeps what it does not replace.
            0b11 => Effects::of(d, d),
            _ => Effects::of(Registers::NONE, d),
        },
        0b110 => match field(word, 29, 2) {
            0b11 => Effects::UNKNOWN,
            // `bfm` keeps what it does not replace.
            0b01 => Effects::of(n.and(d), d),
            _ => Effects::of(n, d),
        },
        0b111 if is(word, 0x6020_0000, 0) => Effects::of(n.and(m), d),
        // Tags, and what has come since.
        _ => Effects::UNKNOWN,
    }
}

fn branch(word: u32) -> Effects {
    let Fields { d, n, .. } = fields(word);
    let link = Registers::one(30);
    if is(word, 0x7c00_0000, 0x1400_0000) {
        let writes = if bit(word, 31) { link } else { Registers::NONE };
        return Effects::of(Registers::NONE, writes);
    }
    if is(word, 0x7c00_0000, 0x3400_0000) {
        return Effects::of(d, Registers::NONE);
    }
    if is(word, 0xff00_0000, 0x5400_0000) {
        return Effects::none().reading_flags(true);
    }
    if is(word, 0xfe1f_0000, 0xd61f_0000) {
        let modifier = match field(word, 21, 4) {
            // The modifier of an authenticated one is in the lowest field, and may be the stack pointer.
            0b1000 | 0b1001 => or_stack(word, 0),
            // `retaa` authenticates against the stack pointer.
            0b0010 if field(word, 10, 6) != 0 => Registers::STACK.and(link),
            0b0000..=0b0010 => Registers::NONE,
            _ => return Effects::UNKNOWN,
        };
        let links = field(word, 21, 4) & 0b0111 == 0b0001;
        let writes = if links { link } else { Registers::NONE };
        return Effects::of(n.and(modifier), writes);
    }
    if is(word, 0xffe0_001f, 0xd420_0000) || is(word, 0xffe0_001f, 0xd440_0000) {
        return Effects::none();
    }
    system(word)
}

fn system(word: u32) -> Effects {
    let d = Registers::one(register(word, 0));
    if is(word, 0xffff_f01f, 0xd503_201f) {
        return hint(field(word, 5, 7));
    }
    // Barriers.
    if is(word, 0xffff_f01f, 0xd503_301f) {
        return Effects::none();
    }
    // Registers of the system; the flags are one of them.
    let flags = is(word, 0xffdf_ffe0, 0xd51b_4200);
    match field(word, 20, 12) {
        0xd53 => Effects::of(Registers::NONE, d).reading_flags(flags),
        0xd51 => Effects::of(d, Registers::NONE).writing_flags(flags),
        // `sys` such as `dc` and `ic`.
        0xd50 if field(word, 19, 1) == 1 && !bit(word, 21) => Effects::of(d, Registers::NONE),
        // `cfinv`, `axflag`, `xaflag` are the only ones of these for programs.
        _ => Effects::UNKNOWN,
    }
}

/// The hints that do something to registers: those of pointer authentication.
fn hint(number: u32) -> Effects {
    let (x16, x17, link) = (Registers::one(16), Registers::one(17), Registers::one(30));
    match number {
        // pacia1716, pacib1716, autia1716, autib1716
        8 | 10 | 12 | 14 => Effects::of(x16.and(x17), x17),
        // xpaclri; paciaz, pacibz, autiaz, autibz
        7 | 24 | 26 | 28 | 30 => Effects::of(link, link),
        // paciasp, pacibsp, autiasp, autibsp
        25 | 27 | 29 | 31 => Effects::of(link.and(Registers::STACK), link),
        // chkfeat
        40 => Effects::of(x16, x16),
        _ => Effects::none(),
    }
}

fn memory(word: u32) -> Effects {
    let Fields { d, a, m, .. } = fields(word);
    let base = or_stack(word, 5);
    let (vector, load) = (bit(word, 26), bit(word, 22));
    match Form::of(word) {
        Form::Literal => {
            let writes = if vector || field(word, 30, 2) == 3 {
                Registers::NONE
            } else {
                d
            };
            Effects::of(Registers::NONE, writes)
        }
        Form::Pair if field(word, 30, 2) == 3 => Effects::UNKNOWN,
        Form::Pair => {
            let values = if vector { Registers::NONE } else { d.and(a) };
            let changed = if bit(word, 23) { base } else { Registers::NONE };
            access(base, values, load, changed)
        }
        Form::Single(offset) => {
            let index = match offset {
                Offset::Register { index, .. } => Registers::one(index),
                _ => Registers::NONE,
            };
            let changed = match offset {
                Offset::PreIndex(_) | Offset::PostIndex(_) => base,
                _ => Registers::NONE,
            };
            if vector {
                return access(base.and(index), Registers::NONE, load, changed);
            }
            match (field(word, 22, 2), field(word, 30, 2)) {
                (0b00, _) => access(base.and(index), d, false, changed),
                // `prfm`
                (0b10, 3) => Effects::of(base.and(index), Registers::NONE),
                (0b11, 2 | 3) => Effects::UNKNOWN,
                _ => access(base.and(index), d, true, changed),
            }
        }
        Form::Ordered { load } => access(base, d, load, Registers::NONE),
        Form::Authenticated => {
            let changed = if bit(word, 11) { base } else { Registers::NONE };
            access(base, d, true, changed)
        }
        Form::Atomic => Effects::of(base.and(m), d),
        Form::Exclusive => exclusive(word, base),
        Form::Vectors => {
            if !bit(word, 23) {
                return Effects::of(base, Registers::NONE);
            }
            // 31 stands for the size of what was moved.
            Effects::of(base.and(m), base)
        }
        Form::Unknown => Effects::UNKNOWN,
    }
}

fn access(address: Registers, values: Registers, load: bool, changed: Registers) -> Effects {
    if load {
        Effects::of(address, values.and(changed))
    } else {
        Effects::of(address.and(values), changed)
    }
}

fn exclusive(word: u32, base: Registers) -> Effects {
    let Fields { d, a, m, .. } = fields(word);
    let load = bit(word, 22);
    match (bit(word, 23), bit(word, 21), bit(word, 31)) {
        // `cas`: compares with and replaces the register from bit 16.
        (true, true, _) => Effects::of(base.and(m).and(d), m),
        // `casp`: pairs of registers that follow each other.
        (false, true, false) => {
            let next = |low| {
                let first = register(word, low);
                Registers::one(first).and(Registers::one(first.saturating_add(1)))
            };
            Effects::of(base.and(next(16)).and(next(0)), next(16))
        }
        // `ldxp`, `stxp`; `ldxr`, `stxr`.
        (false, pair, _) => {
            let values = if pair { d.and(a) } else { d };
            if load {
                Effects::of(base, values)
            } else {
                Effects::of(base.and(values), m)
            }
        }
        (true, false, _) => Effects::UNKNOWN,
    }
}

fn registers(word: u32) -> Effects {
    let Fields { d, n, a, m } = fields(word);
    let sets_flags = bit(word, 29);
    if !bit(word, 28) {
        // Logical; arithmetic on shifted and extended registers.
        if !bit(word, 24) {
            let flags = field(word, 29, 2) == 0b11;
            return Effects::of(n.and(m), d).writing_flags(flags);
        }
        if bit(word, 21) {
            let d = if sets_flags { d } else { or_stack(word, 0) };
            return Effects::of(or_stack(word, 5).and(m), d).writing_flags(sets_flags);
        }
        return Effects::of(n.and(m), d).writing_flags(sets_flags);
    }
    if bit(word, 24) {
        return Effects::of(n.and(m).and(a), d);
    }
    match field(word, 21, 3) {
        // `adc`, `sbc`
        0b000 if field(word, 10, 6) == 0 => Effects::of(n.and(m), d)
            .reading_flags(true)
            .writing_flags(sets_flags),
        // `rmif`, `setf8`, `setf16` change some of the flags and keep the others.
        0b000 => Effects::of(n, Registers::NONE)
            .reading_flags(true)
            .writing_flags(true),
        // `ccmp`, `ccmn`
        0b010 => {
            let second = if bit(word, 11) { Registers::NONE } else { m };
            Effects::of(n.and(second), Registers::NONE)
                .reading_flags(true)
                .writing_flags(true)
        }
        // `csel` and theirs
        0b100 => Effects::of(n.and(m), d).reading_flags(true),
        // One source; authentication changes a register by another, which may be the stack pointer.
        0b110 if bit(word, 30) => {
            if field(word, 16, 5) == 1 {
                Effects::of(d.and(or_stack(word, 5)), d)
            } else {
                Effects::of(n, d)
            }
        }
        // Two sources; tags may be those of the stack pointer.
        0b110 => Effects::of(or_stack(word, 5).and(m), or_stack(word, 0)).writing_flags(sets_flags),
        _ => Effects::UNKNOWN,
    }
}

/// Instructions of floating point and vectors read or write a general register in a few cases only.
fn vectors(word: u32) -> Effects {
    let Fields { d, n, .. } = fields(word);
    let (reads, writes) = (
        Effects::of(n, Registers::NONE),
        Effects::of(Registers::NONE, d),
    );
    // Conversions to and from integers and fixed-point numbers, and `fmov`.
    let whole = is(word, 0x5f20_fc00, 0x1e20_0000);
    let fixed = is(word, 0x5f20_0000, 0x1e00_0000);
    if whole || fixed {
        // `fjcvtzs` sets the flags.
        let flags = is(word, 0xffff_fc00, 0x1e7e_0000);
        return match field(word, 16, 3) {
            0b010 | 0b011 => reads,
            0b111 if whole => reads,
            _ => writes.writing_flags(flags),
        };
    }
    // `fcmp`, `fccmp`, `fcsel`.
    if is(word, 0x5f20_fc00, 0x1e20_2000) {
        return Effects::none().writing_flags(true);
    }
    if is(word, 0x5f20_0c00, 0x1e20_0400) {
        return Effects::none().reading_flags(true).writing_flags(true);
    }
    if is(word, 0x5f20_0c00, 0x1e20_0c00) {
        return Effects::none().reading_flags(true);
    }
    // Elements of vectors: `dup`, `ins`, `smov`, `umov`.
    if is(word, 0xbfe0_8400, 0x0e00_0400) {
        return match field(word, 11, 4) {
            0b0001 | 0b0011 => reads,
            0b0101 | 0b0111 => writes,
            _ => Effects::none(),
        };
    }
    Effects::none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(numbers: &[u8]) -> Registers {
        let one = |all: Registers, number: &u8| all.and(Registers::or_stack(*number));
        numbers.iter().fold(Registers::NONE, one)
    }

    // Words: `llvm-mc -triple arm64e-apple-macos -show-encoding`; 31 is the stack pointer here.
    #[test]
    fn registers_are_told() {
        let rows: &[(u32, &[u8], &[u8])] = &[
            (0x8b15_0320, &[25, 21], &[0]),      // add x0, x25, x21
            (0xf838_6a7f, &[19, 24], &[]),       // str xzr, [x19, x24]
            (0xf90d_3534, &[20, 9], &[]),        // str x20, [x9, #0x1a68]
            (0xaa14_03e0, &[20], &[0]),          // mov x0, x20
            (0x9400_0000, &[], &[30]),           // bl
            (0xd73f_0a30, &[17, 16], &[30]),     // blraa x17, x16
            (0xd71f_0a3f, &[17, 31], &[]),       // braa x17, sp
            (0xd65f_0fff, &[30, 31], &[]),       // retab
            (0xd65f_03c0, &[30], &[]),           // ret
            (0xd503_237f, &[30, 31], &[30]),     // pacibsp
            (0xd503_201f, &[], &[]),             // nop
            (0xa9bf_7bfd, &[29, 30, 31], &[31]), // stp x29, x30, [sp, #-16]!
            (0xa8c1_7bfd, &[31], &[29, 30, 31]), // ldp x29, x30, [sp], #16
            (0xf85f_8c00, &[0], &[0]),           // ldr x0, [x0, #-8]!
            (0xdac1_0020, &[0, 1], &[0]),        // pacia x0, x1
            (0xf280_0020, &[0], &[0]),           // movk x0, #1
            (0x9b01_7c40, &[2, 1], &[0]),        // mul x0, x2, x1
            (0xc8e0_7c41, &[0, 1, 2], &[0]),     // casa x0, x1, [x2]
            (0xf820_0041, &[0, 2], &[1]),        // ldadd x0, x1, [x2]
            (0x9e66_0001, &[], &[1]),            // fmov x1, d0
            (0x9e67_0020, &[1], &[]),            // fmov d0, x1
            (0x4e08_3c01, &[], &[1]),            // mov x1, v0.d[0]
            (0x4e20_c800, &[], &[]),             // fcmgt v0.4s, v0.4s, #0
            (0x9100_03fd, &[31], &[29]),         // mov x29, sp
            (0xd53b_d060, &[], &[0]),            // mrs x0, TPIDRRO_EL0
        ];
        for (word, reads, writes) in rows {
            let effects = of(*word);
            assert!(effects.known, "{word:#x}");
            assert_eq!(effects.reads, set(reads), "{word:#x} reads");
            assert_eq!(effects.writes, set(writes), "{word:#x} writes");
        }
    }

    #[test]
    fn flags_are_told() {
        let rows = [
            (0x5400_0108, true, false),  // b.hi
            (0xeb01_001f, false, true),  // cmp x0, x1
            (0x9a81_0000, true, false),  // csel x0, x0, x1, eq
            (0xfa41_0800, true, true),   // ccmp x0, #1, #0, eq
            (0x8b15_0320, false, false), // add
            (0x1e61_2000, false, true),  // fcmp d0, d1
            (0x1e61_0c00, true, false),  // fcsel d0, d0, d1, eq
            (0xea01_0000, false, true),  // ands x0, x0, x1
            (0x9a01_0000, true, false),  // adc x0, x0, x1
        ];
        for (word, reads, writes) in rows {
            let effects = of(word);
            assert_eq!(
                (effects.reads_flags, effects.writes_flags),
                (reads, writes),
                "{word:#x}"
            );
        }
    }

    #[test]
    fn scalable_vectors_are_not_known() {
        assert!(!of(0x0420_0000).known);
        assert!(!of(0x2500_4000).known);
    }
}
