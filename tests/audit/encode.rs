//! Instructions of arm64, encoded by hand: nothing of the decoder is used for it.

fn distance(at: u64, to: u64) -> i64 {
    to.cast_signed() - at.cast_signed()
}

/// `bits` bits of a distance, in units of `unit` bytes.
fn bits(distance: i64, unit: i64, bits: u32) -> u32 {
    assert_eq!(distance % unit, 0, "aligned");
    let value = distance / unit;
    assert!(
        value >> (bits - 1) == 0 || value >> (bits - 1) == -1,
        "near"
    );
    u32::try_from(value & ((1 << bits) - 1)).expect("it was masked")
}

pub fn bl(at: u64, to: u64) -> u32 {
    0x9400_0000 | bits(distance(at, to), 4, 26)
}

pub fn b(at: u64, to: u64) -> u32 {
    0x1400_0000 | bits(distance(at, to), 4, 26)
}

pub fn b_eq(at: u64, to: u64) -> u32 {
    0x5400_0000 | bits(distance(at, to), 4, 19) << 5
}

pub fn cbnz(at: u64, to: u64, register: u32) -> u32 {
    0xb500_0000 | bits(distance(at, to), 4, 19) << 5 | register
}

pub fn adr(at: u64, to: u64, register: u32) -> u32 {
    let distance = bits(distance(at, to), 1, 21);
    0x1000_0000 | (distance & 3) << 29 | (distance >> 2) << 5 | register
}

pub fn adrp(at: u64, to: u64, register: u32) -> u32 {
    let pages = bits(distance(at & !0xfff, to & !0xfff), 0x1000, 21);
    0x9000_0000 | (pages & 3) << 29 | (pages >> 2) << 5 | register
}

/// `add` of what `to` is past its page.
pub fn add(register: u32, base: u32, to: u64) -> u32 {
    0x9100_0000 | bits((to & 0xfff).cast_signed(), 1, 13) << 10 | base << 5 | register
}

/// `ldr` from what `to` is past its page.
pub fn ldr(register: u32, base: u32, to: u64) -> u32 {
    0xf940_0000 | bits((to & 0xfff).cast_signed(), 8, 13) << 10 | base << 5 | register
}

pub fn ldr_literal(at: u64, to: u64, register: u32) -> u32 {
    0x5800_0000 | bits(distance(at, to), 4, 19) << 5 | register
}

pub const RET: u32 = 0xd65f_03c0;
pub const NOP: u32 = 0xd503_201f;
