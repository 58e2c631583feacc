//! Fields of an instruction.

use super::Register;

/// `width` bits from bit `low` upwards.
pub(super) const fn field(word: u32, low: u32, width: u32) -> u32 {
    (word >> low) & ((1 << width) - 1)
}

/// Bit `bit`.
pub(super) const fn bit(word: u32, bit: u32) -> bool {
    word >> bit & 1 != 0
}

/// A field of at most eight bits.
#[allow(clippy::cast_possible_truncation)] // It has no more than that.
pub(super) const fn small(word: u32, low: u32, width: u32) -> u8 {
    debug_assert!(width <= 8);
    field(word, low, width) as u8
}

/// The register that stands from bit `low` upwards.
pub(super) const fn register(word: u32, low: u32) -> Register {
    small(word, low, 5)
}

/// A signed field, in units of `scale` bytes.
pub(super) const fn signed(word: u32, low: u32, width: u32, scale: i64) -> i64 {
    let value = field(word, low, width).cast_signed();
    let unused = 32 - width;
    ((value << unused) >> unused) as i64 * scale
}

/// Whether `word` has the bits of `value` where `mask` has ones.
pub(super) const fn is(word: u32, mask: u32, value: u32) -> bool {
    word & mask == value
}
